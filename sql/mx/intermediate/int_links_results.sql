-- One row per school, shift and edition of a test: whether its key or its locality could be linked.

with

results_stacked as (

    select
        'planea_to_registry' as link,
        cct, shift, cast(year as varchar) as edition,
        left(cct, 2) as state_code,
        cast(null as varchar) as locality_code,
        cct in (select cct from staging.stg_registry__schools) as is_matched,
    from staging.stg_planea__schools

    union all

    select
        'planea_upper_to_registry',
        cct, shift, 'UNDATED', left(cct, 2), null,
        cct in (select cct from staging.stg_registry__schools),
    from intermediate.int_upper_results

    union all

    select
        'enlace_primary_to_locality', cct, shift, 'UNDATED', state_code, locality_code,
        coalesce(
            locality_code in (
                select locality_code from staging.stg_census_localities__localities
            ),
            false
        ),
    from staging.stg_enlace_primary__schools

    union all

    select
        'enlace_secondary_to_locality', cct, shift, 'UNDATED', state_code,
        locality_code,
        coalesce(
            locality_code in (
                select locality_code from staging.stg_census_localities__localities
            ),
            false
        ),
    from staging.stg_enlace_secondary__schools

)

select * from results_stacked
