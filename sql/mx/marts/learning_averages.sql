-- One row per state (00: the country), level and scale: the mean of U1, with and without imputed schools.

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
        schools.state_code, schools.level, schools.scale, draw, schools_count,
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

),

estimates_pooled as (

    select
        state_code, level, scale,
        avg(estimate order by draw) as mean,
        avg(mean_variance order by draw) as within_variance,
        coalesce(var_samp(estimate order by draw), 0) as between_variance,
        between_variance * (1 + 1 / greatest(count(draw), 1)) as added_variance,
        within_variance + added_variance as variance,
        case when variance > 0 then added_variance / variance end as missing_information,
        case
            when missing_information > 0
                then rubin_degrees(count(draw), missing_information, max(schools_count))
        end as degrees,
    from estimates_made
    group by state_code, level, scale

),

states_compared as (

    select
        pooled.state_code, pooled.level, pooled.scale,
        summed.schools_count,
        if(pooled.state_code = '00', 0, summed.schools_count) as counted_count,
        summed.imputed_count,
        share_of(summed.imputed_count, summed.schools_count) as imputed_share,
        summed.total / 1e9
            / nullif(summed.schools_count - summed.imputed_count, 0) as observed_mean,
        if(observed_mean is null, 'NOT_AVAILABLE', null) as observed_reason,
        pooled.mean, sqrt(pooled.variance) as mean_error,
        pooled.missing_information, pooled.degrees as degrees_of_freedom,
        clamp_unit(pooled.mean - quantile * mean_error) as mean_low,
        clamp_unit(pooled.mean + quantile * mean_error) as mean_high,
        if(mean_error is null, 'UNDEFINED', null) as interval_reason,
    from estimates_pooled as pooled
    inner join schools_summed as summed using (state_code, level, scale)
    left join intermediate.int_student_quantiles as quantiles
        on
            quantiles.probability = 0.975
            and quantiles.degrees_of_freedom
                = greatest(1, least(2000, floor(coalesce(pooled.degrees, 2000))))

)

select * from states_compared
