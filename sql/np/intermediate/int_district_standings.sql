-- One row per district, level and school year: what is published of its results.

with

coverage as (

    select
        district_name, level, year_bs, pupils_count, c_bar, is_missing,
        not is_missing and not is_coverage_only as is_open,
    from intermediate.int_district_coverage
    where variant = 'index'

),

inequality as (

    select district_name, level, year_bs, ei, c_pool
    from intermediate.int_district_inequality
    where variant = 'index'

),

intervals as (

    select
        district_named(unit_id) as district_name,
        level_named(unit_id) as level,
        period as year_bs,
        index_se,
    from intermediate.int_index_intervals

),

names as (select district_name, district_name as known_name from reference.districts),

standings as (

    select
        coverage.district_name,
        coverage.level,
        coverage.year_bs,
        coverage.pupils_count,
        names.known_name is null as is_district_unknown,
        if(is_missing or is_district_unknown, null, coverage.c_bar) as c_bar,
        clamp_unit(inequality.c_pool) as c_pool,
        if(is_open and not is_district_unknown, inequality.ei, null) as ei,
        if(is_open and not is_district_unknown, intervals.index_se, null) as ei_se,
    from coverage
    inner join inequality using (district_name, level, year_bs)
    left join intervals using (district_name, level, year_bs)
    left join names using (district_name)

)

select * from standings
