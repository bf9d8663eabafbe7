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
        states.feasibility_epidemiology,
        if(feasibility_epidemiology is null, 'NOT_AVAILABLE', null)
            as epidemiology_reason,
        coalesce(states.epidemiology_class, 'UNKNOWN') as epidemiology_class,
        states.feasibility_epidemiology_before,
        states.epidemiology_class_before,
        -- Two sorted sets of words, as flags are.
        flags_of_both(crowding.reported_items, buildings.reported_items)
            as reported_items,
        flags_of_both(crowding.flags, buildings.flags) as part_flags,
        coalesce(states.flags, ['EPI_UNKNOWN']) as state_flags,
    from intermediate.int_buildings_schools as buildings
    inner join intermediate.int_crowding_schools as crowding using (cct, shift)
    left join intermediate.int_epidemiology_states as states
        on states.state_code = left(buildings.cct, 2)

),

schools_weighed as (

    select
        parts.*,
        if(
            pupils_count = 0, null,
            weighted_mean_of_known(
                feasibility_wash, feasibility_crowding, feasibility_epidemiology,
                wash_weight, crowding_weight, epidemiology_weight, min_weight
            )
        ) as feasibility,
        if(
            pupils_count = 0, null,
            weighted_mean_of_known(
                feasibility_wash, feasibility_crowding, feasibility_epidemiology_before,
                wash_weight, crowding_weight, epidemiology_weight, min_weight
            )
        ) as feasibility_before,
    from parts_joined as parts
    cross join method.feasibility

),

schools_scored as (

    select
        cct, shift, pupils_count, pupils_reason,
        feasibility_wash, wash_reason,
        feasibility_crowding, crowding_reason,
        feasibility_epidemiology, epidemiology_reason, epidemiology_class,
        feasibility,
        feasibility_level_of(
            feasibility, epidemiology_class, medium_from, high_from
        ) as feasibility_level,
        feasibility_level_of(
            feasibility_before, epidemiology_class_before, medium_from, high_from
        ) as feasibility_level_before,
        reported_items,
        flags_of_both(state_flags, part_flags) as flags,
    from schools_weighed
    inner join method.cut_points on cut_points.index_name = 'feasibility'

)

select * from schools_scored
