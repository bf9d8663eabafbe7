-- One row per district, level, school year and measure of its results: as a profile tells it.

with

indices as (

    select
        district_name, level, year_bs, pupils_count, ei, ei_low, ei_high, ei_reason,
        c_bar, c_bar_low, c_bar_high, c_bar_reason,
        dissimilarity, dissimilarity_low, dissimilarity_high, dissimilarity_reason,
        if(list_contains(flags, 'D_WITHIN_NOISE'), 'noise', 'known') as clearness,
    from marts.district_index

),

groups as (

    select district_name, level, year_bs, pool_id, coverage, group_en, group_ne
    from intermediate.int_lowest_groups

),

drivers as (

    select
        district_name, level, year_bs, dimension, share, share_reason, title_en, title_ne,
    from marts.district_drivers
    left join reference.dimension_words using (dimension)
    qualify row_number() over (
        partition by district_name, level, year_bs
        order by share desc nulls last, dimension
    ) = 1

),

changes as (

    select
        unit_code as district_name, level, year_bs, ei_change, ei_change_reason,
        concat(
            if(is_change_clear, '', 'unclear_'), if(ei_change < 0, 'fall', 'rise')
        ) as telling,
    from marts.progress
    where unit_level = 'district'

),

quadrants as (

    select
        district_name, level, year_bs, quadrant, quadrant_reason, label_en, label_ne,
        if(list_contains(flags, 'BORDERLINE'), 'borderline', 'known') as telling,
    from marts.quadrants

),

results_told as (

    select
        district_name,
        level,
        year_bs,
        unnest([
            told_plain('pupils', 'known', pupils_count, 'MISSING'),
            told('ei', if(ei_low is null, 'no_interval', 'known'), ei, ei_low, ei_high,
                null, null, null, ei_reason),
            told('coverage', if(c_bar_low is null, 'no_interval', 'known'), c_bar, c_bar_low,
                c_bar_high, null, null, null, c_bar_reason),
            told('dissimilarity', clearness, dissimilarity, dissimilarity_low,
                dissimilarity_high, null, null, null, dissimilarity_reason),
            told('lowest_group', clearness, if(ei is null, null, groups.coverage), null, null,
                pool_id, group_en, group_ne, if(ei is null, ei_reason, 'UNDEFINED')),
            told('driver', clearness, share, null, null, dimension, title_en, title_ne,
                share_reason),
            told_plain('ei_change', changes.telling, ei_change,
                coalesce(ei_change_reason, 'NOT_AVAILABLE')),
            told('quadrant', quadrants.telling, if(quadrant is null, null, ei), null, null,
                quadrant, label_en, label_ne, quadrant_reason),
        ], recursive := true),
    from indices
    left join groups using (district_name, level, year_bs)
    left join drivers using (district_name, level, year_bs)
    left join changes using (district_name, level, year_bs)
    left join quadrants using (district_name, level, year_bs)

)

select * from results_told
