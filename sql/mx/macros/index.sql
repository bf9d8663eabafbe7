-- How far pupils per room (or teacher) are below full crowding (METHODS 2.2): 1 at the low bound, 0 at the high bound
-- or with none at all; NULL without pupils or when either count is unknown.
create macro room_to_spare(pupils, places, low, high) as
    case
        when pupils > 0 and places = 0 then cast(0 as double)
        when pupils > 0 then clamp_unit((high - share_of(pupils, places)) / (high - low))
    end;

-- The share of dwellings that lack something, from those that have it; NULL when either count is unknown.
create macro lacking_share(holders, dwellings) as
    clamp_unit(1 - share_of(holders, dwellings));

-- The smallest area that has a value: AGEB, LOCALITY, MUNICIPALITY, or NULL (METHODS 7).
create macro match_level_of(ageb_value, locality_value, municipality_value) as
    case
        when ageb_value is not null then 'AGEB'
        when locality_value is not null then 'LOCALITY'
        when municipality_value is not null then 'MUNICIPALITY'
    end;

-- The value of the area that was matched.
create macro at_level(match_level, ageb_value, locality_value, municipality_value) as
    case match_level
        when 'AGEB' then ageb_value
        when 'LOCALITY' then locality_value
        when 'MUNICIPALITY' then municipality_value
    end;

-- The flag of a match (METHODS 7): none for an AGEB, GEO_LOC, GEO_MUN, or NO_GEOGRAPHY when nothing matched.
create macro match_flag(match_level) as
    case match_level
        when 'AGEB' then null
        when 'LOCALITY' then 'GEO_LOC'
        when 'MUNICIPALITY' then 'GEO_MUN'
        else 'NO_GEOGRAPHY'
    end;

-- The advice of a profile: its text, or the one for a profile that got worse, or, before both, that the data are too
-- weak; then the two weakest components with their scores, and what is imputed. NULL without a profile.
create macro advice_of(
    advice_text, worse_text, weak_text, weakest_title, lowest_name, lowest_score, second_name, second_score, imputed_text,
    imputed_name
) as
    if(advice_text is null, null, coalesce(weak_text, worse_text, advice_text))
    || weakest_title || lowest_name || lowest_score
    || coalesce(', ' || second_name || second_score, '')
    || '.' || coalesce(' ' || replace(imputed_text, '{component}', imputed_name), '');

-- Why something that is told of a profile is absent: there is no profile, or it is not known.
create macro absent_reason(value, profile) as
    case
        when value is not null then null
        when profile is null then 'NOT_APPLICABLE'
        else 'NOT_AVAILABLE'
    end;
