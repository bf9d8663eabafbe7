-- One row per school year in the data.

with

unit_grades as (

    select year_bs, unit_level, row_count from intermediate.int_unit_grades

),

years_counted as (

    select
        year_bs,
        count(*) as unit_grade_count,
        (sum(row_count) filter (where unit_level = 'district'))::bigint as row_count,
    from unit_grades
    group by all

),

years_paired as (

    select
        year_bs,
        unit_grade_count,
        row_count,
        coalesce(lead(year_bs) over (order by year_bs) = year_bs + 1, false)
            as has_next_year,
    from years_counted

)

select * from years_paired
