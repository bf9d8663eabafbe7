-- One row per district and school year: its pupils, need, progress and last amount.

with

rules as (

    select level, target_quantile, results_weight, resources_weight, context_weight
    from method.allocation

),

districts as (

    select district_name, level, year_bs, pupils_count, ei, coalesce(ei, c_pool) as ei_used,
    from intermediate.int_district_standings

),

resources as (

    select district_name, level, year_bs, resource_share
    from intermediate.int_unit_resources
    where unit_level = 'district'

),

contexts as (

    select district_name, level, year_bs, context_index
    from intermediate.int_district_context

),

progress as (

    select
        district_name, level, year_bs,
        case when is_open then index_after - index_before end as ei_change,
        index_change_se,
    from intermediate.int_district_progress

),

limits as (select interval_z from method.flows),

amounts as (

    select district_name, level, year_bs, previous_amount, previous_year_bs
    from intermediate.int_previous_amounts

),

-- A spelling that names no district can be given nothing.
names as (select district_name, true as is_district_known from reference.districts),

-- The quantile of type 7 that districts should reach.
targets as (

    select
        level,
        year_bs,
        list(ei order by ei, district_name) filter (where ei is not null) as known,
        (len(known) - 1) * min(target_quantile) as place,
        known[floor(place)::bigint + 1] * (1 - (place - floor(place)))
        + known[ceil(place)::bigint + 1] * (place - floor(place)) as ei_target,
    from districts
    inner join rules using (level)
    group by all

),

needs_computed as (

    select
        districts.district_name,
        districts.year_bs,
        districts.level,
        1::bigint as district_count,
        districts.pupils_count,
        districts.ei_used,
        districts.ei is null as is_ei_unknown,
        targets.ei_target,
        clamp_unit((ei_target - districts.ei_used) / nullif(ei_target, 0)) as results_need,
        1 - resources.resource_share as resources_need,
        contexts.context_index as context_need,
        weighted_mean_of_known(
            results_need, resources_need, context_need,
            results_weight, resources_weight, context_weight, 0
        ) as need,
        progress.ei_change,
        if(ei_change > interval_z * index_change_se, ei_change, 0.0::double) as progress,
        progress.ei_change is null or index_change_se is null as is_progress_unknown,
        amounts.previous_amount,
        amounts.previous_year_bs,
        names.is_district_known is null as is_district_unknown,
    from districts
    inner join rules using (level)
    cross join limits
    left join targets using (level, year_bs)
    left join resources using (district_name, level, year_bs)
    left join contexts using (district_name, level, year_bs)
    left join progress using (district_name, level, year_bs)
    left join amounts using (district_name, level, year_bs)
    left join names using (district_name)

)

select * from needs_computed
