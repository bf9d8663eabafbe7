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

-- The lowest `how_many` of a list of values that may be NULL, each as its place in the list and its value in words with
-- two decimals; ties by place.
create macro lowest_places(vals, how_many) as
    list_transform(
        list_sort(
            list_filter(
                list_transform(vals, lambda value, place: {'value': value, 'place': place}),
                lambda part: part.value is not null
            )
        )[:how_many],
        lambda part: {'place': part.place, 'score': format('{:.2f}', part.value)}
    );

-- The parts found by lowest_places in words: "water and toilets 0.25, learning 0.45"; NULL when there is none.
create macro name_parts(parts, names) as
    case
        when len(parts) > 0 then list_reduce(
            list_transform(parts, lambda part: names[part.place] || ' ' || part.score),
            lambda words, word: words || ', ' || word
        )
    end;
