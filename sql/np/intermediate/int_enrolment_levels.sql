-- One row per district, level, school year and gender: its pupils, and how many schools told.

with

cells as (

    select
        district_name, year_bs, grade, gender, row_count, read_row_count, pupils_count,
    from intermediate.int_group_cells
    where variant = 'index' and gender <> 'unknown'

),

school_grades as (

    select district_name, school_code, year_bs, grade, pupils_count
    from intermediate.int_school_grades

),

levels as (select level, first_grade, last_grade from method.levels),

limits as (select max_left_out_share from method.flows),

schools_reporting as (select distinct school_code, year_bs from school_grades),

-- Last year's pupils, and those of them whose schools report this year too.
rates as (

    select
        school_grades.district_name, levels.level, school_grades.year_bs + 1 as year_bs,
        share_of(
            sum(school_grades.pupils_count)
                filter (where schools_reporting.year_bs is not null),
            sum(school_grades.pupils_count)
        ) as reporting_rate,
    from school_grades
    inner join levels on grade between first_grade and last_grade
    left join schools_reporting
        on schools_reporting.school_code = school_grades.school_code
        and schools_reporting.year_bs = school_grades.year_bs + 1
    group by all

),

levels_summed as (

    select
        district_name, level, year_bs, gender,
        count(*) as cell_count,
        sum(row_count)::bigint as row_count,
        sum(read_row_count)::bigint as read_row_count,
        sum(pupils_count)::bigint as pupils_count,
    from cells
    inner join levels on grade between first_grade and last_grade
    group by all

),

levels_adjusted as (

    select
        district_name, level, year_bs, gender, cell_count,
        coalesce(reporting_rate, 1) as reporting_rate,
        read_row_count < row_count as is_partial,
        1 - read_row_count / row_count > max_left_out_share as is_missing,
        case when not is_missing then pupils_count end as pupils_count,
        case
            when not is_missing and reporting_rate is null then pupils_count::double
            when not is_missing then share_of(pupils_count, reporting_rate)
        end as enrolled_count,
    from levels_summed
    left join rates using (district_name, level, year_bs)
    cross join limits

)

select * from levels_adjusted
