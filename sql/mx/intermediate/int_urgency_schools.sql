-- One row per school and shift: how urgent its opening is, from its three parts.

with

parts_joined as (

    select
        learning.cct, learning.shift,
        learning.urgency_learning,
        learning.learning_is_imputed, learning.learning_draws,
        household.urgency_household,
        household.urgency_adults,
        marginalization.is_high_marginalization
            or coalesce(described.type in ('INDIGENOUS', 'COMMUNITY'), false)
            as is_disadvantaged,
        if(is_disadvantaged, 1 + equity_epsilon, cast(1 as double)) as equity_factor,
        weighted_mean_of_known(
            learning.urgency_learning, household.urgency_household,
            household.urgency_adults, weights.learning_weight,
            weights.household_weight, weights.adults_weight, weights.min_weight
        ) as mean_urgency,
        cut_points.medium_from, cut_points.high_from,
    from intermediate.int_urgency_learning as learning
    inner join intermediate.int_household_schools as household using (cct, shift)
    inner join intermediate.int_schools_described as described using (cct, shift)
    inner join intermediate.int_marginalization_schools as marginalization
        using (cct, shift)
    cross join method.urgency as weights
    inner join method.cut_points on cut_points.index_name = 'urgency'

),

schools_scored as (

    select
        ---------- ids
        cct, shift,

        ---------- measures
        urgency_learning, learning_is_imputed, learning_draws,
        urgency_household, urgency_adults,
        equity_factor,
        clamp_unit(mean_urgency * equity_factor) as urgency,
        level_of(urgency, medium_from, high_from) as urgency_level,

        ---------- booleans
        is_disadvantaged,
    from parts_joined

)

select * from schools_scored
