-- One row per state (00: the country), level and scale: mean U1, with and without imputed schools.

with

estimates_pooled as (

    select
        state_code, level, scale,
        count(*) as draw_count,
        max(schools_count) as schools_count,
        max(imputed_count) as imputed_count,
        max(observed_mean) as observed_mean,
        avg(estimate order by draw) as mean,
        avg(mean_variance order by draw) as within_variance,
        coalesce(var_samp(estimate order by draw), 0) * (1 + 1 / count(*))
            as added_variance,
        within_variance + added_variance as variance,
        case when variance > 0 then added_variance / variance end as missing_information,
        case
            when missing_information > 0
                then rubin_degrees(count(*), missing_information, max(schools_count))
        end as degrees_of_freedom,
    from intermediate.int_learning_estimates
    group by state_code, level, scale

),

states_compared as (

    select
        ---------- ids
        state_code, level, scale,

        ---------- measures
        draw_count, schools_count, imputed_count,
        share_of(imputed_count, schools_count) as imputed_share,
        observed_mean,
        known_or(observed_mean) as observed_reason,
        mean, sqrt(variance) as mean_error,
        missing_information, pooled.degrees_of_freedom,
        clamp_unit(mean - quantile * mean_error) as mean_low,
        clamp_unit(mean + quantile * mean_error) as mean_high,
        if(mean_error is null, 'UNDEFINED', null) as interval_reason,
    from estimates_pooled as pooled
    left join intermediate.int_student_quantiles as quantiles
        on
            quantiles.probability = 0.975
            and quantiles.degrees_of_freedom
                = greatest(1, least(2000, floor(coalesce(pooled.degrees_of_freedom, 2000))))

)

select * from states_compared
