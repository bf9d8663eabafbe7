-- One row per variant, district, level and school year: coverage, and whether more may be said.

with

districts as (

    select
        variant, district_name, level, year_bs, left_out_share, is_partial, is_missing,
    from intermediate.int_district_left_out

),

groups as (

    select
        variant, district_name, level, year_bs, gender, caste, location, disability,
        pupils_count, weight_count, backoff, coverage, is_estimated,
    from intermediate.int_group_rates

),

limits as (

    select
        coverage_only_below_n,
        coverage_only_above_backoff,
        coverage_only_above_dropped,
    from method.equity

),

groups_summed as (

    select
        variant,
        district_name,
        level,
        year_bs,
        sum(pupils_count)::bigint as pupils_count,
        count(*) filter (where pupils_count > 0) as group_count,
        count(*) filter (where weight_count > 0 and coverage is not null)
            as known_group_count,
        sum(weight_count)::bigint as all_weight_count,
        sum(if(coverage is null, 0, weight_count))::bigint as known_weight_count,
        sum(if(backoff > 0, weight_count, 0))::bigint as borrowed_weight_count,
        sum(weight_count * coverage order by gender, caste, location, disability)
            as covered_count,
        bool_or(is_estimated) as is_estimated,
    from groups
    group by all

),

coverage_judged as (

    select
        districts.variant,
        districts.district_name,
        districts.level,
        districts.year_bs,
        pupils_count,
        coalesce(group_count, 0) as group_count,
        coalesce(known_group_count, 0) as known_group_count,
        known_weight_count,
        share_of(covered_count, known_weight_count) as c_bar,
        share_of(borrowed_weight_count, all_weight_count) as backoff_weight,
        share_of(all_weight_count - known_weight_count, all_weight_count)
            as dropped_weight,
        districts.left_out_share,
        districts.is_partial or coalesce(dropped_weight > 0, false) as is_partial,
        districts.is_missing,
        coalesce(is_estimated, false) as is_estimated,
        c_bar is null
            or pupils_count < limits.coverage_only_below_n
            or backoff_weight > limits.coverage_only_above_backoff
            or dropped_weight > limits.coverage_only_above_dropped as is_coverage_only,
    from districts
    left join groups_summed using (variant, district_name, level, year_bs)
    cross join limits

)

select * from coverage_judged
