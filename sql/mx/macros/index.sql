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

-- The lowest of six values that may be NULL, without the one at the place `but` (0: none is left out).
create macro lowest_of_six(first, second, third, fourth, fifth, sixth, but) as
    least(
        if(but = 1, null, first), if(but = 2, null, second), if(but = 3, null, third),
        if(but = 4, null, fourth), if(but = 5, null, fifth), if(but = 6, null, sixth)
    );

-- The first place, from 1 to 6 but not `but`, that holds a value; NULL when there is no value.
create macro place_of_six(value, first, second, third, fourth, fifth, sixth, but) as
    case
        when first = value and but <> 1 then 1
        when second = value and but <> 2 then 2
        when third = value and but <> 3 then 3
        when fourth = value and but <> 4 then 4
        when fifth = value and but <> 5 then 5
        when sixth = value and but <> 6 then 6
    end;
