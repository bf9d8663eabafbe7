-- A number as people write it: "1,204", " 8.35 ", "39.0%". NULL when it is not one ("8,35", "nan", "1_000").
create macro clean_number(value) as
    case
        when regexp_full_match(value, '[0-9]{1,15}(\.[0-9]+)?%?')
            then try_cast(replace(value, '%', '') as double)
        when regexp_full_match(
            trim(value),
            '[+-]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})?(\.[0-9]*)?([eE][+-]?[0-9]{1,2})? ?%?'
        )
            then try_cast(trim(replace(replace(trim(value), ',', ''), '%', '')) as double)
    end;

-- A whole number that is not negative ("1,204", "12.0"); NULL when it is not one.
create macro clean_count(value) as
    case
        when regexp_full_match(value, '[0-9]{1,15}') then try_cast(value as bigint)
        else list_transform(
            [clean_number(value)],
            lambda number: case
                when number >= 0 and number = floor(number) then try_cast(number as bigint)
            end
        )[1]
    end;

-- A per cent between 0 and 100, with or without its sign, as a share of 1; NULL when it is not one.
create macro percent_as_share(value) as
    list_transform(
        [clean_number(value)],
        lambda number: case when number between 0 and 100 then number / 100 end
    )[1];

-- A per cent between 0 and 100, with or without its sign, as it stands; NULL when it is not one.
create macro percent_or_null(value) as
    list_transform(
        [clean_number(value)],
        lambda number: case when number between 0 and 100 then number end
    )[1];

-- A date in the form YYYY-MM-DD; NULL when it is not one.
create macro clean_date(value) as
    case
        when regexp_full_match(trim(value), '[0-9]{4}-[0-9]{2}-[0-9]{2}')
            then try_cast(trim(value) as date)
    end;

-- A part of a whole as a share; NULL when the whole is not above zero.
create macro share_of(part, whole) as
    case when whole > 0 then cast(part as double) / whole end;

-- A value held between 0 and 1; NULL stays NULL (greatest and least would drop it).
create macro clamp_unit(value) as
    case
        when value < 0 then cast(0 as double)
        when value > 1 then cast(1 as double)
        else cast(value as double)
    end;

-- The sum of those values that are known, from left to right; 0 when none is.
create macro sum_of_known(vals) as
    coalesce(list_sum(cast(vals as double[])), 0.0::double);

-- The plain mean of those values that are known, when at least `needed` are.
create macro mean_of_known(vals, needed) as
    case
        when list_count(vals) >= needed and list_count(vals) > 0
            then sum_of_known(vals) / list_count(vals)
    end;

-- The summed weights of those of three values that are known.
create macro known_weight(first, second, third, first_weight, second_weight, third_weight) as
    if(first is null, 0.0::double, first_weight)
    + if(second is null, 0.0::double, second_weight)
    + if(third is null, 0.0::double, third_weight);

-- The weighted mean of those of three values that are known, weights rescaled to 1, when their weight reaches `needed`.
create macro weighted_mean_of_known(
    first, second, third, first_weight, second_weight, third_weight, needed
) as
    case
        when known_weight(first, second, third, first_weight, second_weight, third_weight)
            >= needed - 1e-12
            and known_weight(
                first, second, third, first_weight, second_weight, third_weight
            ) > 0
            then (
                coalesce(first * first_weight, 0.0::double)
                + coalesce(second * second_weight, 0.0::double)
                + coalesce(third * third_weight, 0.0::double)
            )
            / known_weight(first, second, third, first_weight, second_weight, third_weight)
    end;

-- The level L, M or H of a value between two cut points; a value on a cut point belongs above it.
create macro level_of(value, medium_from, high_from) as
    case
        when value < medium_from then 'L'
        when value < high_from then 'M'
        when value >= high_from then 'H'
    end;
