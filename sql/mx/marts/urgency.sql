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
        learning.observed_urgency_learning, learning.learning_is_imputed,
        learning.learning_method, learning.learning_low, learning.learning_high,
        learning.learning_donor_count,
        household.urgency_household, household.household_reason,
        household.household_match_level, household.household_route,
        household.urgency_household_spread,
        household.no_internet_share, household.no_computer_share,
        household.no_television_share, household.no_cellphone_share,
        household.urgency_adults, household.adults_reason,
        household.adults_match_level, household.adults_route, household.mean_schooling_years,
        coalesce(
            context.is_high_marginalization
            or described.type in ('INDIGENOUS', 'COMMUNITY'),
            false
        ) as is_disadvantaged,
        weighted_mean_of_known(
            learning.urgency_learning, household.urgency_household,
            household.urgency_adults, weights.learning_weight,
            weights.household_weight, weights.adults_weight, weights.min_weight
        ) as mean_urgency,
        weights.equity_epsilon,
        flags_of_both(household.flags, learning.flags) as part_flags,
        list_filter(
            [
                if(is_disadvantaged and equity_epsilon <> 0, 'EQUITY_TERM', null),
                'NO_UNCERTAINTY',
                if(cut_points.is_anchored, null, 'UNANCHORED'),
            ],
            lambda flag: flag is not null
        ) as own_flags,
        cut_points.medium_from, cut_points.high_from,
    from intermediate.int_urgency_learning as learning
    inner join intermediate.int_household_schools as household using (cct, shift)
    inner join intermediate.int_schools_described as described using (cct, shift)
    inner join marts.context as context using (cct, shift)
    cross join method.urgency as weights
    inner join method.cut_points on cut_points.index_name = 'urgency'

),

schools_scored as (

    select
        ---------- ids
        cct, shift, state_code, level,

        ---------- measures
        urgency_learning, learning_reason, learning_scale, learning_year,
        observed_urgency_learning, learning_method, learning_low, learning_high,
        learning_donor_count,
        urgency_household, household_reason, household_match_level, household_route,
        urgency_household_spread,
        no_internet_share, no_computer_share, no_television_share, no_cellphone_share,
        urgency_adults, adults_reason, adults_match_level, adults_route,
        mean_schooling_years,
        clamp_unit(
            mean_urgency * if(is_disadvantaged, 1 + equity_epsilon, 1)
        ) as urgency,
        case
            when urgency is null
                then coalesce(learning_reason, household_reason, adults_reason)
        end as urgency_reason,
        level_of(urgency, medium_from, high_from) as urgency_level,

        ---------- booleans
        learning_is_imputed,
        is_disadvantaged,
        flags_of_both(part_flags, own_flags) as flags,
    from parts_joined

)

select * from schools_scored
