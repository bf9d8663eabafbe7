-- One row per school and shift: its profile, or why it has none.
-- Reads the published urgency, so that both say the same.

with

components_listed as (

    select
        list(name_es order by position) as names_es,
        list(name_en order by position) as names_en,
    from method.components

),

parts_joined as (

    select
        urgency.cct, urgency.shift, urgency.state_code, urgency.level,
        feasibility.pupils_count, feasibility.pupils_reason,
        urgency.urgency_learning, urgency.learning_reason,
        urgency.urgency_household, urgency.household_reason,
        urgency.urgency_adults, urgency.adults_reason,
        urgency.urgency, urgency.urgency_level,
        feasibility.feasibility_wash, feasibility.wash_reason,
        feasibility.feasibility_crowding, feasibility.crowding_reason,
        feasibility.feasibility_epidemiology, feasibility.epidemiology_reason,
        feasibility.feasibility, feasibility.feasibility_level,
        case
            when urgency.level is null then 'UNKNOWN_LEVEL'
            when urgency.level not in ('PRIMARY', 'SECONDARY') then 'OUT_OF_SCOPE'
            when feasibility.pupils_count = 0 then 'NO_STUDENTS'
            when urgency.urgency is null then 'NO_URGENCY'
            when feasibility.feasibility is null then 'NO_FEASIBILITY'
        end as no_profile_reason,
        1 - urgency_learning as learning,
        1 - urgency_household as household,
        1 - urgency_adults as adults,
        lowest_of_six(
            learning, household, adults, feasibility_wash, feasibility_crowding,
            feasibility_epidemiology, 0
        ) as lowest,
        place_of_six(
            lowest, learning, household, adults, feasibility_wash, feasibility_crowding,
            feasibility_epidemiology, 0
        ) as lowest_place,
        lowest_of_six(
            learning, household, adults, feasibility_wash, feasibility_crowding,
            feasibility_epidemiology, lowest_place
        ) as second_lowest,
        place_of_six(
            second_lowest, learning, household, adults, feasibility_wash,
            feasibility_crowding, feasibility_epidemiology, lowest_place
        ) as second_place,
        format(' {:.2f}', lowest) as lowest_score,
        format(' {:.2f}', second_lowest) as second_score,
        flags_of_both(feasibility.flags, urgency.flags) as flags,
    from marts.urgency as urgency
    inner join intermediate.int_feasibility_schools as feasibility using (cct, shift)

),

profiles_named as (

    select
        cct, shift, state_code, parts.level, pupils_count, pupils_reason,
        urgency_learning, learning_reason, urgency_household, household_reason,
        urgency_adults, adults_reason, urgency, parts.urgency_level,
        feasibility_wash, wash_reason, feasibility_crowding, crowding_reason,
        feasibility_epidemiology, epidemiology_reason,
        feasibility, parts.feasibility_level,
        profiles.profile, profiles.profile_code,
        profiles.text_es || (
            ' Lo más débil (0 peor, 1 mejor): '
            || names_es[lowest_place] || lowest_score
            || coalesce(', ' || names_es[second_place] || second_score, '') || '.'
        ) as advice_es,
        profiles.text_en || (
            ' Weakest (0 worst, 1 best): ' || names_en[lowest_place] || lowest_score
            || coalesce(', ' || names_en[second_place] || second_score, '') || '.'
        ) as advice_en,
        no_profile_reason,
        flags,
    from parts_joined as parts
    cross join components_listed
    left join method.profiles
        on
            profiles.urgency_level = parts.urgency_level
            and profiles.feasibility_level = parts.feasibility_level
            and parts.no_profile_reason is null

)

select * from profiles_named
