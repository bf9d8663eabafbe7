-- One row per school and shift: its rooms, water and sanitation.

with

buildings_chosen as (

    select
        schools.cct, schools.shift,
        buildings.has_water, buildings.water_reason,
        buildings.has_drainage, buildings.drainage_reason,
        buildings.has_toilets, buildings.toilets_reason,
        buildings.has_handwashing, buildings.handwashing_reason,
        buildings.classrooms_count, buildings.classrooms_reason,
    from intermediate.int_schools_spine as schools
    inner join staging.stg_buildings__schools as buildings
        on
            buildings.cct = schools.cct
            and buildings.shift in (schools.shift, 'UNKNOWN')
    qualify
        row_number() over (
            partition by schools.cct, schools.shift
            order by buildings.shift = 'UNKNOWN', buildings.shift
        ) = 1

),

buildings_reported as (

    select
        schools.cct, schools.shift,
        chosen.cct is not null as is_described,
        chosen.has_water as own_water, chosen.water_reason as no_water,
        chosen.has_drainage as own_drainage, chosen.drainage_reason as no_drainage,
        chosen.has_toilets as own_toilets, chosen.toilets_reason as no_toilets,
        chosen.has_handwashing as own_handwashing,
        chosen.handwashing_reason as no_handwashing,
        chosen.classrooms_count as own_classrooms,
        chosen.classrooms_reason as no_classrooms,
        reports.has_water as new_water, reports.has_drainage as new_drainage,
        reports.has_toilets as new_toilets, reports.has_handwashing as new_handwashing,
        reports.classrooms_count as new_classrooms,
        list_filter(
            coalesce(reports.reported_items, []), lambda item: item <> 'teachers'
        ) as reported_items,
    from intermediate.int_schools_spine as schools
    left join buildings_chosen as chosen using (cct, shift)
    left join intermediate.int_reports_schools as reports using (cct, shift)

),

buildings_scored as (

    select
        cct,
        shift,
        is_described,
        coalesce(new_water, own_water) as has_water,
        reason_of(has_water, is_described, no_water) as water_reason,
        coalesce(new_drainage, own_drainage) as has_drainage,
        reason_of(has_drainage, is_described, no_drainage) as drainage_reason,
        coalesce(new_toilets, own_toilets) as has_toilets,
        reason_of(has_toilets, is_described, no_toilets) as toilets_reason,
        coalesce(new_handwashing, own_handwashing) as has_handwashing,
        reason_of(has_handwashing, is_described, no_handwashing) as handwashing_reason,
        coalesce(new_classrooms, own_classrooms) as classrooms_count,
        reason_of(classrooms_count, is_described, no_classrooms) as classrooms_reason,
        mean_of_known(
            [
                cast(has_water as double), cast(has_drainage as double),
                cast(has_toilets as double), cast(has_handwashing as double),
            ],
            feasibility.min_wash_items
        ) as feasibility_wash,
        case
            when feasibility_wash is not null then null
            when not is_described then 'NOT_AVAILABLE'
            else coalesce(
                water_reason, drainage_reason, toilets_reason, handwashing_reason
            )
        end as wash_reason,
        value_source(new_water, own_water, 'BUILDINGS') as water_source,
        value_source(new_drainage, own_drainage, 'BUILDINGS') as drainage_source,
        value_source(new_toilets, own_toilets, 'BUILDINGS') as toilets_source,
        value_source(new_handwashing, own_handwashing, 'BUILDINGS')
            as handwashing_source,
        value_source(new_classrooms, own_classrooms, 'BUILDINGS') as classrooms_source,
        own_water as registered_has_water,
        own_drainage as registered_has_drainage,
        own_toilets as registered_has_toilets,
        own_handwashing as registered_has_handwashing,
        own_classrooms as registered_classrooms_count,
        reported_items,
        flags([
            if(len(reported_items) > 0, 'REPORTED', null),
            if(feasibility_wash is null, 'WASH_UNKNOWN', null),
        ]) as flags,
    from buildings_reported
    cross join method.feasibility

)

select * from buildings_scored
