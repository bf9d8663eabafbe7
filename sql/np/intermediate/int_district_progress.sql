-- One row per district, level and school year: what changed its index since the year before.

with

progress as (

    select
        district_named(unit_id) as district_name,
        level_named(unit_id) as level,
        period as year_bs,
        index_before, index_after, coverage_before, coverage_after,
        dissimilarity_before, dissimilarity_after,
        composition, scale, equalisation, is_merged,
    from intermediate.int_index_progress

),

intervals as (

    select
        district_named(unit_id) as district_name,
        level_named(unit_id) as level,
        period as year_bs,
        index_se,
    from intermediate.int_index_intervals

),

districts as (

    select district_name, level, year_bs, is_missing, is_coverage_only
    from intermediate.int_district_coverage
    where variant = 'index'

),

districts_compared as (

    select
        ---------- ids
        districts.district_name,
        districts.level,
        districts.year_bs,

        ---------- measures
        districts.is_missing or coalesce(earlier.is_missing, false) as is_missing,
        not districts.is_coverage_only and not earlier.is_coverage_only
            and not districts.is_missing and not earlier.is_missing as is_open,
        progress.index_before,
        progress.index_after,
        progress.coverage_before,
        progress.coverage_after,
        progress.dissimilarity_before,
        progress.dissimilarity_after,
        progress.composition,
        progress.scale,
        progress.equalisation,
        progress.is_merged,
        sqrt(power(later_interval.index_se, 2) + power(earlier_interval.index_se, 2))
            as index_change_se,
    from districts
    left join districts as earlier
        on earlier.district_name = districts.district_name
        and earlier.level = districts.level
        and earlier.year_bs = districts.year_bs - 1
    left join progress
        on progress.district_name = districts.district_name
        and progress.level = districts.level
        and progress.year_bs = districts.year_bs
    left join intervals as later_interval
        on later_interval.district_name = districts.district_name
        and later_interval.level = districts.level
        and later_interval.year_bs = districts.year_bs
    left join intervals as earlier_interval
        on earlier_interval.district_name = districts.district_name
        and earlier_interval.level = districts.level
        and earlier_interval.year_bs = districts.year_bs - 1

)

select * from districts_compared
