-- One row per comparison of two orders of the districts: how alike they are.

with

correlations as (

    select
        split_part(comparison, '|', 1) as kind,
        split_part(comparison, '|', 2) as subject,
        split_part(comparison, '|', 3)::bigint as year_bs,
        pairs_count, rho, rho_low, rho_high, rho_reason, lowest_kept,
    from intermediate.int_rank_correlations

),

kinds as (select kind, title_en, title_ne from method.rank_comparisons),

limits as (select stable_rho from method.rank_stability),

stability_published as (

    select
        ---------- ids and words
        correlations.kind,
        correlations.subject,
        correlations.year_bs,
        kinds.title_en,
        kinds.title_ne,

        ---------- measures
        correlations.rho,
        correlations.rho_low,
        correlations.rho_high,
        if(rho is null, 'UNDEFINED', null) as rho_reason,
        correlations.lowest_kept,
        correlations.pairs_count as districts_count,
        flags([
            if(correlations.rho_reason = 'NO_VARIANCE', 'NO_VARIANCE', null),
            if(rho_low is null, 'NO_UNCERTAINTY', null),
            if(kind in ('years', 'exams') and rho_high < stable_rho, 'UNSTABLE_RANKING', null),
        ]) as flags,
    from correlations
    inner join kinds using (kind)
    cross join limits

)

select * from stability_published
