-- One row per way of hiding known results, stratum and method: how well they were imputed.

with

strata_named as (

    select
        ---------- ids
        mask, stratum, method,
        split_part(pool, '|', 1) as level,
        split_part(pool, '|', 2) as scale,

        ---------- measures
        judged_count,
        rmse, baseline_rmse, mae, bias, coverage, agreement, kappa,
        if(judged_count = 0, 'UNDEFINED', null) as measures_reason,
        decided_on,

        ---------- booleans
        is_used,
    from intermediate.int_imputation_validation

)

select * from strata_named
