-- One row per school, level and school year: its pupils in the grades of the level.

with

school_grades as (

    select
        district_name, vdc_name, school_code, year_bs, grade, row_count, pupils_count,
    from intermediate.int_school_grades

),

levels as (select level, first_grade, last_grade from method.levels),

levels_counted as (

    select
        school_grades.school_code,
        levels.level,
        school_grades.year_bs,
        min(school_grades.district_name) as district_name,
        min(school_grades.vdc_name) as vdc_name,
        count(*) as grade_row_count,
        count(distinct grade) filter (where pupils_count > 0) as taught_grade_count,
        sum(pupils_count)::bigint as pupils_count,
    from school_grades
    inner join levels
        on school_grades.grade between levels.first_grade and levels.last_grade
    group by all

)

select * from levels_counted
