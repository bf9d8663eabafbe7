-- One row per school and shift: how urgent its opening is.
-- Reads the published context, so that both speak of the same marginalization.

with

parts_joined as (

    select
        learning.cct,
        learning.shift,
        left(learning.cct, 2) as state_code,
        described.level,
        learning.urgency_learning, learning.learning_reason,
        learning.learning_scale, learning.learning_year,
        household.urgency_household, household.household_reason,
        household.household_match_level,
        household.no_internet_share, household.no_computer_share,
        household.no_television_share, household.no_cellphone_share,
        household.urgency_adults, household.adults_reason,
        household.adults_match_level, household.mean_schooling_years,
        coalesce(
            context.is_high_marginalization
            or described.type in ('INDIGENOUS', 'COMMUNITY'),
            false
        ) as is_disadvantaged,
        list_concat(learning.flags, household.flags) as part_flags,
    from intermediate.int_learning_latest as learning
    inner join intermediate.int_household_schools as household using (cct, shift)
    inner join intermediate.int_schools_described as described using (cct, shift)
    inner join marts.context as context using (cct, shift)

),

schools_scored as (

    select
        ---------- ids
        cct, shift, state_code, level,

        ---------- measures
        urgency_learning, learning_reason, learning_scale, learning_year,
        urgency_household, household_reason, household_match_level,
        no_internet_share, no_computer_share, no_television_share, no_cellphone_share,
        urgency_adults, adults_reason, adults_match_level, mean_schooling_years,
        clamp_unit(
            weighted_mean_of_known(
                [urgency_learning, urgency_household, urgency_adults],
                [learning_weight, household_weight, adults_weight],
                min_weight
            ) * if(is_disadvantaged, 1 + equity_epsilon, 1)
        ) as urgency,
        case
            when urgency is null
                then coalesce(learning_reason, household_reason, adults_reason)
        end as urgency_reason,
        level_of(urgency, medium_from, high_from) as urgency_level,

        ---------- booleans
        is_disadvantaged,
        flags(list_concat(
            part_flags,
            [
                if(is_anchored, null, 'UNANCHORED'),
                if(is_disadvantaged and equity_epsilon <> 0, 'EQUITY_TERM', null),
                'NO_UNCERTAINTY',
            ]
        )) as flags,
    from parts_joined
    cross join method.urgency as weights
    inner join method.cut_points on cut_points.index_name = 'urgency'

)

select * from schools_scored
