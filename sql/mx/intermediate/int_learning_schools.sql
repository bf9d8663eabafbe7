-- One row per school, shift and result that holds for it.

with

results_spread as (

    select
        schools.cct,
        schools.shift,
        results.scale,
        results.year,
        results.level,
        results.shift as source_shift,
        results.shift = schools.shift or schools.takes_unknown_shift as is_counted_here,
    from intermediate.int_schools_spine as schools
    inner join intermediate.int_learning_results as results
        on
            results.cct = schools.cct
            and results.shift in (schools.shift, 'UNKNOWN')

),

results_chosen as (

    select
        cct,
        shift,
        scale,
        year,
        level,
        source_shift,
        count(*) filter (where is_counted_here) over same_result as result_count,
    from results_spread
    window same_result as (partition by cct, shift, scale, year, level)
    qualify
        row_number() over (
            partition by cct, shift, scale, year, level
            order by source_shift = 'UNKNOWN', source_shift
        ) = 1

)

select * from results_chosen
