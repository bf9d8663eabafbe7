-- One row per level: whether its data suffice for the index, by the method's rule of coverage.
-- Judged are schools with registered pupils, in states where the level has any result that counts.

with

schools_known as (

    select
        coalesce(described.level, 'UNKNOWN') as level,
        described.state_code,
        coalesce(crowding.pupils_count > 0, false) as has_pupils,
        learning.urgency_learning is not null as has_learning,
        crowding.feasibility_crowding is not null
            or buildings.feasibility_wash is not null as has_conditions,
    from intermediate.int_schools_described as described
    inner join intermediate.int_learning_latest as learning using (cct, shift)
    inner join intermediate.int_crowding_schools as crowding using (cct, shift)
    inner join intermediate.int_buildings_schools as buildings using (cct, shift)

),

states_counted as (

    select
        level, state_code,
        count(*) as all_count,
        count(*) filter (where has_pupils) as with_pupils_count,
        count(*) filter (where has_pupils and has_learning) as learning_count,
        count(*) filter (where has_pupils and has_conditions) as conditions_count,
    from schools_known
    group by all

),

levels_counted as (

    select
        level,
        cast(sum(all_count) as bigint) as schools_count,
        cast(sum(with_pupils_count) as bigint) as registered_count,
        count(*) filter (where learning_count > 0) as states_count,
        cast(coalesce(
            sum(with_pupils_count) filter (where learning_count > 0), 0
        ) as bigint) as judged_count,
        cast(sum(learning_count) as bigint) as learning_count,
        cast(coalesce(
            sum(conditions_count) filter (where learning_count > 0), 0
        ) as bigint) as conditions_count,
    from states_counted
    group by level

),

levels_judged as (

    select
        level, schools_count, registered_count, states_count, judged_count,
        learning_count, share_of(learning_count, judged_count) as learning_share,
        conditions_count, share_of(conditions_count, judged_count) as conditions_share,
        if(judged_count = 0, 'UNDEFINED', null) as shares_reason,
        min_schools, min_learning_share, min_conditions_share,
        case
            when level = 'UNKNOWN' then 'UNKNOWN_LEVEL'
            when registered_count = 0 then 'NO_SCHOOLS'
            when judged_count = 0 then 'NO_RESULTS'
            when judged_count < min_schools then 'FEW_SCHOOLS'
            when learning_share < min_learning_share then 'FEW_RESULTS'
            when conditions_share < min_conditions_share then 'FEW_CONDITIONS'
        end as left_out_reason,
        left_out_reason is null as is_in_index,
    from levels_counted
    cross join method.coverage_rule

)

select * from levels_judged
