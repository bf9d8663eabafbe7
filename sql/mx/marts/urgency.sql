-- One row per school and shift: how urgent its opening is.

with

parts_joined as (

    select
        schools.cct,
        schools.shift,
        left(schools.cct, 2) as state_code,
        described.level,
        schools.urgency_learning, learning.learning_reason,
        learning.learning_scale, learning.learning_year,
        learning.observed_urgency_learning, schools.learning_is_imputed,
        learning.learning_method, learning.learning_low, learning.learning_high,
        learning.learning_donor_count,
        schools.urgency_household, household.household_reason,
        household.household_match_level, household.household_route,
        household.urgency_household_spread,
        household.no_internet_share, household.no_computer_share,
        household.no_television_share, household.no_cellphone_share,
        schools.urgency_adults, household.adults_reason,
        household.adults_match_level, household.adults_route, household.mean_schooling_years,
        schools.urgency, schools.urgency_level, schools.is_disadvantaged,
        flags_of_both(household.flags, learning.flags) as part_flags,
        list_filter(
            [
                if(schools.equity_factor <> 1, 'EQUITY_TERM', null),
                'NO_UNCERTAINTY',
                if(cut_points.is_anchored, null, 'UNANCHORED'),
            ],
            lambda flag: flag is not null
        ) as own_flags,
    from intermediate.int_urgency_schools as schools
    inner join intermediate.int_urgency_learning as learning using (cct, shift)
    inner join intermediate.int_household_schools as household using (cct, shift)
    inner join intermediate.int_schools_described as described using (cct, shift)
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
        urgency,
        case
            when urgency is null
                then coalesce(learning_reason, household_reason, adults_reason)
        end as urgency_reason,
        urgency_level,

        ---------- booleans
        learning_is_imputed,
        is_disadvantaged,
        flags_of_both(part_flags, own_flags) as flags,
    from parts_joined

)

select * from schools_scored
