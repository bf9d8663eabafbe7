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

buildings_scored as (

    select
        schools.cct,
        schools.shift,
        chosen.cct is not null as is_described,
        has_water,
        if(is_described, water_reason, 'NOT_AVAILABLE') as water_reason,
        has_drainage,
        if(is_described, drainage_reason, 'NOT_AVAILABLE') as drainage_reason,
        has_toilets,
        if(is_described, toilets_reason, 'NOT_AVAILABLE') as toilets_reason,
        has_handwashing,
        if(is_described, handwashing_reason, 'NOT_AVAILABLE') as handwashing_reason,
        classrooms_count,
        if(is_described, classrooms_reason, 'NOT_AVAILABLE') as classrooms_reason,
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
        flag_if_any(if(feasibility_wash is null, 'WASH_UNKNOWN', null)) as flags,
    from intermediate.int_schools_spine as schools
    left join buildings_chosen as chosen using (cct, shift)
    cross join method.feasibility

)

select * from buildings_scored
