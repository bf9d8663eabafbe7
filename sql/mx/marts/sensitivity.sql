-- One row per index and choice behind it: what that choice does to the states' ranks.

with

choices_named as (

    select
        sensitivity.index_name,
        sensitivity.factor,
        choices.title_es,
        choices.title_en,
        sensitivity.first_order,
        sensitivity.total_order,
        if(sensitivity.first_order is null, 'UNDEFINED', null) as order_reason,
        sensitivity.variance,
        sensitivity.interaction_share,
        sensitivity.units_ranked as states_ranked_count,
        sensitivity.points as points_count,
        ['NO_UNCERTAINTY'] as flags,
    from intermediate.int_rank_sensitivity as sensitivity
    left join method.choices using (factor)

)

select * from choices_named
