-- One row per state (00: the country), level, scale and draw: the mean of U1 with the draw in place
-- of what is imputed; draw 0 where nothing is.

with

schools_placed as (

    select
        unnest([left(cct, 2), '00']) as state_code, level, learning_scale as scale,
        learning_is_imputed, learning_draws,
        billionths(urgency_learning) as value,
    from intermediate.int_urgency_learning
    where urgency_learning is not null

),

schools_summed as (

    select
        state_code, level, scale,
        count(*) as schools_count,
        count(*) filter (where learning_is_imputed) as imputed_count,
        sum(value) filter (where not learning_is_imputed) as total,
        sum(value * value) filter (where not learning_is_imputed)
            as squares,
    from schools_placed
    group by state_code, level, scale

),

draws_unnested as (

    select
        state_code, level, scale,
        unnest(generate_series(1, len(learning_draws))) as draw,
        billionths(unnest(learning_draws)) as value,
    from schools_placed
    where learning_is_imputed

),

draws_summed as (

    select
        state_code, level, scale, draw,
        sum(value) as total,
        sum(value * value) as squares,
    from draws_unnested
    group by state_code, level, scale, draw

),

estimates_made as (

    select
        schools.state_code, schools.level, schools.scale, coalesce(draw, 0) as draw,
        schools_count,
        if(
            schools.state_code <> '00' and coalesce(draw, 1) = 1, schools_count, 0
        ) as counted_count,
        imputed_count,
        schools.total / 1e9 / nullif(schools_count - imputed_count, 0) as observed_mean,
        (coalesce(schools.total, 0) + coalesce(draws.total, 0)) / 1e9 as sum_all,
        (coalesce(schools.squares, 0) + coalesce(draws.squares, 0)) / 1e18 as square_all,
        sum_all / schools_count as estimate,
        case
            when schools_count > 1
                then greatest(square_all - sum_all * estimate, cast(0 as double))
                    / (schools_count - 1) / schools_count
        end as mean_variance,
    from schools_summed as schools
    left join draws_summed as draws using (state_code, level, scale)

)

select * from estimates_made
