-- One row per district, level and school year: coverage, dissimilarity, Equity Index.

with

coverage as (

    select
        district_name, level, year_bs, pupils_count, group_count, known_group_count,
        c_bar, backoff_weight, left_out_share, is_partial, is_missing, is_estimated,
        is_coverage_only and not is_missing as is_coverage_only,
        not is_coverage_only and not is_missing as is_open,
    from intermediate.int_district_coverage
    where variant = 'index'

),

inequality as (

    select
        district_name, level, year_bs, dissimilarity, ei, noise_floor,
        c_pool, c_pool_reason, d_seed_literal, ei_seed_literal,
        has_gap, is_within_noise, disadvantaged_group, disadvantaged_group_gap,
    from intermediate.int_district_inequality
    where variant = 'index'

),

intervals as (

    select
        district_named(unit_id) as district_name, level_named(unit_id) as level,
        period as year_bs,
        coverage_low, coverage_high, dissimilarity_low, dissimilarity_high,
        index_low, index_high, index_se,
    from intermediate.int_index_intervals

),

names as (select district_name, district_name as known_name from reference.districts),

districts_published as (

    select
        ---------- ids
        coverage.district_name, coverage.level, coverage.year_bs,

        ---------- headline
        if(is_open, inequality.ei, null) as ei,
        index_reason(inequality.ei, is_missing, is_coverage_only) as ei_reason,
        if(is_missing, null, coverage.c_bar) as c_bar,
        index_reason(coverage.c_bar, is_missing, false) as c_bar_reason,
        if(is_open, inequality.dissimilarity, null) as dissimilarity,
        index_reason(inequality.dissimilarity, is_missing, is_coverage_only)
            as dissimilarity_reason,
        if(is_open, inequality.noise_floor, null) as d0,

        ---------- the most disadvantaged group
        if(is_open, inequality.disadvantaged_group, null) as disadvantaged_group,
        if(is_open, inequality.disadvantaged_group_gap, null) as disadvantaged_group_gap,
        index_reason(inequality.disadvantaged_group_gap, is_missing, is_coverage_only)
            as disadvantaged_group_reason,

        ---------- 95 % intervals
        if(is_open, intervals.index_low, null) as ei_low,
        if(is_open, intervals.index_high, null) as ei_high,
        if(is_open, intervals.index_se, null) as ei_se,
        if(is_missing, null, intervals.coverage_low) as c_bar_low,
        if(is_missing, null, intervals.coverage_high) as c_bar_high,
        if(is_open, intervals.dissimilarity_low, null) as dissimilarity_low,
        if(is_open, intervals.dissimilarity_high, null) as dissimilarity_high,
        case
            when ei_low is null
                then coalesce(
                    index_reason(inequality.ei, is_missing, is_coverage_only),
                    'NOT_AVAILABLE'
                )
        end as interval_reason,

        ---------- the seed's own formulas
        inequality.c_pool,
        inequality.c_pool_reason,
        if(is_open, inequality.d_seed_literal, null) as d_seed_literal,
        if(is_open, inequality.ei_seed_literal, null) as ei_seed_literal,
        index_reason(inequality.d_seed_literal, is_missing, is_coverage_only)
            as seed_literal_reason,

        ---------- what it rests on
        coverage.backoff_weight,
        coverage.left_out_share,
        coverage.pupils_count, coverage.group_count,
        flags([
            if(is_open and ei_low is null, 'NO_UNCERTAINTY', null),
            if(is_missing, 'MISSING', null),
            if(is_partial, 'PARTIAL', null),
            if(is_coverage_only, 'COVERAGE_ONLY', null),
            if(is_estimated, 'DIS_REPEATERS_ESTIMATED', null),
            if(is_open and coverage.c_bar = 0, 'ALL_ZERO', null),
            if(is_open and coverage.known_group_count = 1, 'ONE_GROUP', null),
            if(not is_missing and has_gap, 'CPOOL_GAP', null),
            if(is_open and is_within_noise, 'D_WITHIN_NOISE', null),
            unknown_district_flag(names.known_name),
        ]) as flags,
    from coverage
    inner join inequality using (district_name, level, year_bs)
    left join intervals using (district_name, level, year_bs)
    left join names using (district_name)

)

select * from districts_published
