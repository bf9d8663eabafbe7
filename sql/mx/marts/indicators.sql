-- One row per part of the two indices: how well it is known, how spread, how much it matters.

with

parts_judged as (

    select
        ---------- ids
        statistics.index_name,
        statistics.part,
        components.name_es,
        components.name_en,

        ---------- measures
        statistics.weight,
        statistics.units_count as in_scope_count,
        statistics.known_count,
        share_of(statistics.known_count, statistics.units_count) as known_share,
        statistics.mean,
        if(statistics.known_count = 0, 'NOT_AVAILABLE', null) as mean_reason,
        statistics.skewness,
        statistics.kurtosis,
        upper(statistics.treatment) as treatment_suggested,
        statistics.treated_points as winsorised_count,
        statistics.index_rho,
        statistics.index_rho_low,
        statistics.index_rho_high,
        statistics.simple_mean_rho,
        statistics.left_out_shift,
        statistics.areas_ranked as states_ranked_count,

        ---------- booleans
        coalesce(known_share >= ranks.min_known_share, false) as is_available,
        flags([
            if(is_available, null, 'BELOW_AVAILABILITY'),
            if(known_count > 0 and skewness is null, 'NO_VARIANCE', null),
            'NO_UNCERTAINTY',
        ]) as flags,
    from intermediate.int_part_statistics as statistics
    inner join method.components on components.component = statistics.part
    cross join method.ranks

)

select * from parts_judged
