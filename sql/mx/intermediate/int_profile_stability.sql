-- One row per school and shift: how often its profile stays the same under other weights.

with

schools_drawn as (

    select
        split_part(urgency.unit_id, '|', 1) as cct,
        split_part(urgency.unit_id, '|', 2) as shift,
        if(
            schools.profile is null, null,
            list_sum(list_transform(
                list_zip(urgency.same_level, feasibility.same_level),
                lambda words: bit_count(words[1] & words[2])
            ))::bigint / stability.draws
        ) as profile_stability,
        if(profile_stability is null, null, urgency.same_level_share)
            as urgency_stability,
        if(profile_stability is null, null, feasibility.same_level_share)
            as feasibility_stability,
    from intermediate.int_urgency_draws as urgency
    inner join intermediate.int_feasibility_draws as feasibility using (unit_id)
    inner join intermediate.int_profile_schools as schools
        on schools.cct || '|' || schools.shift = urgency.unit_id
    cross join method.stability

)

select * from schools_drawn
