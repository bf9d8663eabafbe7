-- One row: how far the logits of observed learning spread between schools.

with

schools_spread as (

    select
        count(*) as schools_count,
        count(*) filter (where is_observed) as observed_count,
        10 * spread_of_decimals(if(is_observed, held_logit(urgency_learning), null) / 10)
            as learning_logit_spread,
    from (
        select
            urgency_learning,
            is_in_scope and not learning_is_imputed and urgency_learning is not null
                as is_observed,
        from intermediate.int_profile_schools
    ) as schools

)

select * from schools_spread
