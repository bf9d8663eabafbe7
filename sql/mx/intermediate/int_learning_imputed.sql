-- One row per school and shift whose result is imputed: value, interval and draws.

with

donors_summed as (

    select
        unit_id,
        list(score order by place) as scores,
        list_avg(scores) as score_mean,
        list_stddev_samp(scores) as score_spread,
    from intermediate.int_learning_donors
    group by unit_id

),

normal_found as (

    select first(quantile order by degrees_of_freedom desc) as normal_quantile,
    from intermediate.int_student_quantiles
    where probability = 0.95

),

matches_scored as (

    select
        matches.unit_id, matches.method, matches.stratum,
        coalesce(score_mean, matches.value) as mean_value,
        case
            when matches.donors is null then normal_quantile * matches.spread
            when len(matches.donors) >= 3
                then quantile * score_spread * sqrt(1 + 1 / len(matches.donors))
        end as half_width,
        matches.donors,
        if(
            matches.donors is null,
            list_transform(
                matches.drawn_normals,
                lambda normal: clamp_unit(mean_value + normal * matches.spread)
            ),
            list_transform(matches.drawn_places, lambda place: scores[place + 1])
        ) as draws,
    from intermediate.int_imputation_matches as matches
    left join donors_summed as summed on summed.unit_id = matches.unit_id
    left join intermediate.int_student_quantiles as quantiles
        on
            quantiles.probability = 0.95
            and quantiles.degrees_of_freedom = len(matches.donors) - 1
    cross join normal_found

),

matches_bounded as (

    select
        matches.unit_id, units.cct, units.shift, matches.method, matches.stratum,
        clamp_unit(mean_value) as value,
        clamp_unit(mean_value - half_width) as low,
        clamp_unit(mean_value + half_width) as high,
        if(
            half_width is null and mean_value is not null, 'UNDEFINED', null
        ) as interval_reason,
        matches.donors, draws,
    from matches_scored as matches
    inner join intermediate.int_imputation_units as units
        on units.unit_id = matches.unit_id

)

select * from matches_bounded
