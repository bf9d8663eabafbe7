-- One row per district, level and school year: on which side of the thresholds it is.

with

districts as (

    select district_name, level, year_bs, pupils_count, is_district_unknown, ei, ei_se,
    from intermediate.int_district_standings

),

resources as (

    select district_name, level, year_bs, resource_index
    from intermediate.int_unit_resources
    where unit_level = 'district'

),

rules as (

    select measure, threshold_rule, absolute_threshold from method.quadrant_thresholds

),

limits as (select borderline_distance, borderline_z from method.quadrant_limits),

-- Each district twice: its index and its resources, so that one rule serves both.
measures as (

    select
        districts.district_name,
        districts.level,
        districts.year_bs,
        rules.measure,
        rules.threshold_rule,
        rules.absolute_threshold,
        districts.pupils_count,
        case
            when measure = 'ei' then districts.ei
            when is_district_unknown is not true then resources.resource_index
        end as measured,
    from districts
    left join resources using (district_name, level, year_bs)
    cross join rules

),

thresholds as (

    select
        level,
        year_bs,
        measure,
        case min(threshold_rule)
            when 'mean' then avg(measured order by district_name)
            when 'pupil_mean'
                then sum(pupils_count * measured order by district_name)
                / nullif(sum(if(measured is null, 0, pupils_count)), 0)
            when 'median' then median(measured)
            when 'absolute' then min(absolute_threshold)
        end as threshold,
    from measures
    group by all

),

sides as (

    select
        districts.district_name,
        districts.level,
        districts.year_bs,
        districts.ei,
        ei_thresholds.threshold as ei_threshold,
        -- Values that are equal but for their last bits are equal.
        districts.ei >= ei_threshold - 1e-12 as is_ei_high,
        resources.resource_index,
        resource_thresholds.threshold as resource_threshold,
        resources.resource_index >= resource_threshold - 1e-12 as is_resource_high,
        abs(districts.ei - ei_threshold)
        < greatest(borderline_distance, coalesce(borderline_z * districts.ei_se, 0))
            as is_borderline,
        districts.ei_se,
    from districts
    left join resources using (district_name, level, year_bs)
    left join thresholds as ei_thresholds
        on ei_thresholds.level = districts.level
        and ei_thresholds.year_bs = districts.year_bs and ei_thresholds.measure = 'ei'
    left join thresholds as resource_thresholds
        on resource_thresholds.level = districts.level
        and resource_thresholds.year_bs = districts.year_bs
        and resource_thresholds.measure = 'resource_index'
    cross join limits

)

select * from sides
