-- One row per district, level and school year: coverage, dissimilarity, Equity Index.

with

coverage as (

    select
        district_name, level, year_bs, pupils_count, group_count, known_group_count,
        c_bar, backoff_weight, left_out_share, is_partial, is_missing, is_estimated,
        is_coverage_only and not is_missing as is_coverage_only,
        not is_coverage_only and not is_missing as is_open,
    from intermediate.int_district_coverage

),

inequality as (

    select
        district_name, level, year_bs, dissimilarity, ei, noise_floor,
        c_pool, c_pool_reason, d_seed_literal, ei_seed_literal,
        has_gap, is_within_noise,
    from intermediate.int_district_inequality

),

districts_published as (

    select
        ---------- ids
        coverage.district_name,
        coverage.level,
        coverage.year_bs,

        ---------- headline
        if(is_open, inequality.ei, null) as ei,
        index_reason(inequality.ei, is_missing, is_coverage_only) as ei_reason,
        if(is_missing, null, coverage.c_bar) as c_bar,
        index_reason(coverage.c_bar, is_missing, false) as c_bar_reason,
        if(is_open, inequality.dissimilarity, null) as dissimilarity,
        index_reason(inequality.dissimilarity, is_missing, is_coverage_only)
            as dissimilarity_reason,
        if(is_open, inequality.noise_floor, null) as d0,

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
        coverage.pupils_count,
        coverage.group_count,
        'NOT_AVAILABLE' as interval_reason,
        flags([
            'NO_UNCERTAINTY',
            if(is_missing, 'MISSING', null),
            if(is_partial, 'PARTIAL', null),
            if(is_coverage_only, 'COVERAGE_ONLY', null),
            if(is_estimated, 'DIS_REPEATERS_ESTIMATED', null),
            if(is_open and coverage.c_bar = 0, 'ALL_ZERO', null),
            if(is_open and coverage.known_group_count = 1, 'ONE_GROUP', null),
            if(not is_missing and has_gap, 'CPOOL_GAP', null),
            if(is_open and is_within_noise, 'D_WITHIN_NOISE', null),
        ]) as flags,
    from coverage
    inner join inequality using (district_name, level, year_bs)

)

select * from districts_published
