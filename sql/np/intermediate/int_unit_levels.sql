-- One row per unit, level and school year that has a next one: what is known of both.

with

unit_grades as (

    select
        unit_level,
        unit_code,
        year_bs,
        grade,
        district_name,
        vdc_name,
        row_count,
        unread_row_count,
        unread_flow_row_count as unread_flow_count,
        new_row_count,
        gone_row_count,
    from intermediate.int_unit_grades

),

levels as (select level, first_grade, last_grade from method.levels),

limits as (select max_left_out_share from method.flows),

years as (select year_bs from intermediate.int_years where has_next_year),

both_years_counted as (

    select
        unit_grades.unit_level,
        unit_grades.unit_code,
        levels.level,
        years.year_bs,
        min(district_name) as district_name,
        min(vdc_name) as vdc_name,
        count(*) filter (where is_base) as grade_count,
        sum(if(is_base, row_count, new_row_count))::bigint as base_due_count,
        sum(if(is_base, unread_flow_count, new_row_count))::bigint as base_lost_count,
        sum(if(is_base, gone_row_count, row_count))::bigint as next_due_count,
        sum(if(is_base, gone_row_count, unread_row_count))::bigint as next_lost_count,
    from unit_grades
    inner join levels
        on unit_grades.grade between levels.first_grade and levels.last_grade
    cross join (values (true), (false)) as roles (is_base)
    inner join years on years.year_bs = unit_grades.year_bs - if(is_base, 0, 1)
    group by all
    having bool_or(is_base)

),

shares_judged as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        district_name,
        vdc_name,
        grade_count,
        base_due_count,
        base_lost_count,
        next_due_count,
        next_lost_count,
        greatest(
            share_of(base_lost_count, base_due_count),
            coalesce(share_of(next_lost_count, next_due_count), 0)
        ) as left_out_share,
        left_out_share > 0 as is_partial,
        left_out_share > limits.max_left_out_share as is_missing,
    from both_years_counted
    cross join limits

)

select * from shares_judged
