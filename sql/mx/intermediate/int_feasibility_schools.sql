-- One row per school and shift: how safe it is to open, and its parts.

with

parts_joined as (

    select
        buildings.cct,
        buildings.shift,
        crowding.pupils_count,
        crowding.pupils_reason,
        buildings.feasibility_wash,
        buildings.wash_reason,
        crowding.feasibility_crowding,
        crowding.crowding_reason,
        cast(null as double) as feasibility_epidemiology,
        'NOT_AVAILABLE' as epidemiology_reason,
        flags_of_both(crowding.flags, buildings.flags) as part_flags,
    from intermediate.int_buildings_schools as buildings
    inner join intermediate.int_crowding_schools as crowding using (cct, shift)

),

schools_scored as (

    select
        cct, shift, pupils_count, pupils_reason,
        feasibility_wash, wash_reason,
        feasibility_crowding, crowding_reason,
        feasibility_epidemiology, epidemiology_reason,
        case
            when pupils_count = 0 then null
            else weighted_mean_of_known(
                feasibility_wash, feasibility_crowding, feasibility_epidemiology,
                wash_weight, crowding_weight, epidemiology_weight, min_weight
            )
        end as feasibility,
        level_of(feasibility, medium_from, high_from) as feasibility_level,
        feasibility_level as feasibility_level_before,
        if(
            feasibility_epidemiology is null,
            flags_of_both(['EPI_UNKNOWN'], part_flags), part_flags
        ) as flags,
    from parts_joined
    cross join method.feasibility as weights
    inner join method.cut_points on cut_points.index_name = 'feasibility'

)

select * from schools_scored
