-- One row per school and shift: its profile, or why it has none.
-- Reads the published urgency, so that both say the same.

with

parts_joined as (

    select
        urgency.cct, urgency.shift, urgency.state_code, urgency.level,
        feasibility.pupils_count, feasibility.pupils_reason,
        urgency.urgency_learning, urgency.learning_reason, urgency.learning_is_imputed,
        urgency.urgency_household, urgency.household_reason,
        urgency.urgency_adults, urgency.adults_reason,
        urgency.urgency, urgency.urgency_level,
        feasibility.feasibility_wash, feasibility.wash_reason,
        feasibility.feasibility_crowding, feasibility.crowding_reason,
        feasibility.feasibility_epidemiology, feasibility.epidemiology_reason,
        feasibility.feasibility, feasibility.feasibility_level,
        feasibility.feasibility_level_before, feasibility.reported_items,
        case
            when urgency.level is null then 'UNKNOWN_LEVEL'
            when not coverage.is_in_index then 'LEVEL_DATA_POOR'
            when feasibility.pupils_count = 0 then 'NO_STUDENTS'
            when urgency.urgency is null then 'NO_URGENCY'
            when feasibility.feasibility is null then 'NO_FEASIBILITY'
        end as no_profile_reason,
        stability.profile_stability,
        [
            1 - urgency_learning, 1 - urgency_household, 1 - urgency_adults,
            feasibility_wash, feasibility_crowding, feasibility_epidemiology,
        ] as components_known,
        list_grade_up(components_known, 'ASC', 'NULLS LAST') as places,
        if(list_count(components_known) > 0, places[1], null) as weakest,
        if(list_count(components_known) > 1, places[2], null) as second_weakest,
        format(' {:.2f}', components_known[weakest]) as lowest_score,
        format(' {:.2f}', components_known[second_weakest]) as second_score,
        flags_of_both(feasibility.flags, urgency.flags) as part_flags,
    from marts.urgency as urgency
    inner join intermediate.int_feasibility_schools as feasibility using (cct, shift)
    left join intermediate.int_profile_stability as stability using (cct, shift)
    left join intermediate.int_level_coverage as coverage
        on coverage.level = urgency.level

),

profiles_named as (

    select
        cct, shift, state_code, parts.level, pupils_count, pupils_reason,
        urgency_learning, learning_reason, learning_is_imputed,
        urgency_household, household_reason,
        urgency_adults, adults_reason, urgency, parts.urgency_level,
        feasibility_wash, wash_reason, feasibility_crowding, crowding_reason,
        feasibility_epidemiology, epidemiology_reason,
        feasibility, parts.feasibility_level, reported_items,
        present.profile, present.profile_code, earlier.profile as profile_before,
        absent_reason(earlier.profile, present.profile) as profile_before_reason,
        profile_stability,
        absent_reason(profile_stability, present.profile) as profile_stability_reason,
        lowest.component as weakest_component,
        second_lowest.component as second_weakest_component,
        coalesce(
            present.profile is not null and profile_stability < min_stability, false
        ) as is_borderline,
        coalesce(present.profile > earlier.profile, false) as has_worsened,
        advice_of(
            present.text_es, if(has_worsened, present.text_worse_es, null),
            if(is_borderline and learning_is_imputed, weak.text_es, null),
            ' Lo más débil (0 peor, 1 mejor): ', lowest.name_es, lowest_score,
            second_lowest.name_es, second_score,
            if(learning_is_imputed, imputed.text_es, null), learning.name_es
        ) as advice_es,
        advice_of(
            present.text_en, if(has_worsened, present.text_worse_en, null),
            if(is_borderline and learning_is_imputed, weak.text_en, null),
            ' Weakest (0 worst, 1 best): ', lowest.name_en, lowest_score,
            second_lowest.name_en, second_score,
            if(learning_is_imputed, imputed.text_en, null), learning.name_en
        ) as advice_en,
        no_profile_reason,
        flags_of_both(part_flags, list_concat(
            flag_if_any(if(is_borderline, 'BORDERLINE', null)),
            flag_if_any(if(has_worsened, 'WORSENED', null))
        )) as flags,
    from parts_joined as parts
    cross join method.stability
    left join method.advice as imputed on imputed.key = 'COMPONENT_IMPUTED'
    left join method.advice as weak on weak.key = 'DATA_TOO_WEAK'
    left join method.components as learning on learning.position = 1
    left join method.components as lowest on lowest.position = weakest
    left join method.components as second_lowest
        on second_lowest.position = second_weakest
    left join method.profiles as present
        on
            present.urgency_level = parts.urgency_level
            and present.feasibility_level = parts.feasibility_level
            and parts.no_profile_reason is null
    left join method.profiles as earlier
        on
            earlier.urgency_level = parts.urgency_level
            and earlier.feasibility_level = parts.feasibility_level_before
            and parts.no_profile_reason is null

)

select * from profiles_named
