-- One row per school and year of the schools files: the teachers that it needs and has.

with

schools as (

    select
        year_bs, school_code, district_name, vdc_name, belt, school_type,
        teachers_count, teachers_trained_count,
    from staging.stg_schools__schools

),

school_levels as (

    select school_code, level, year_bs, taught_grade_count, pupils_count,
    from intermediate.int_school_levels

),

norms as (select belt, pupils_per_teacher from method.teacher_norms),

minimums as (

    select min_teachers, many_grades, min_teachers_many_grades from method.teachers

),

rolls as (

    select
        school_code,
        year_bs,
        sum(taught_grade_count)::bigint as taught_grade_count,
        sum(pupils_count)::bigint as pupils_count,
    from school_levels
    group by all

),

teachers_needed as (

    select
        schools.year_bs,
        schools.school_code,
        schools.district_name,
        schools.vdc_name,
        schools.school_type,
        schools.teachers_count,
        schools.teachers_trained_count,
        rolls.pupils_count,
        case
            when rolls.pupils_count = 0 then 0
            when rolls.pupils_count > 0 and pupils_per_teacher > 0
                then greatest(
                    if(
                        taught_grade_count >= many_grades,
                        min_teachers_many_grades,
                        min_teachers
                    ),
                    ceil(rolls.pupils_count / pupils_per_teacher)::bigint
                )
        end as required_teachers_count,
        teachers_count >= required_teachers_count as has_teachers,
    from schools
    left join rolls using (school_code, year_bs)
    left join norms using (belt)
    cross join minimums

),

teachers_compared as (

    select
        year_bs,
        school_code,
        district_name,
        vdc_name,
        school_type,
        pupils_count,
        teachers_count,
        teachers_trained_count,
        required_teachers_count,
        has_teachers,
        case
            when has_teachers then 0
            when not has_teachers then required_teachers_count - teachers_count
        end as teacher_shortage_count,
        case
            when has_teachers then teachers_count - required_teachers_count
            when not has_teachers then 0
        end as teacher_surplus_count,
        share_of(
            required_teachers_count - teacher_shortage_count, required_teachers_count
        ) as teacher_adequacy,
    from teachers_needed

)

select * from teachers_compared
