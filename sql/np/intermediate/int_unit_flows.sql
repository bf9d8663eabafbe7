-- One row per unit, level, school year and grade: who was in it, repeated it, went on.

with

unit_levels as (

    select unit_level, unit_code, level, year_bs, is_partial, is_missing
    from intermediate.int_unit_levels

),

level_grades as (

    select level, unnest(range(first_grade, last_grade)) as grade, first_grade,
    from method.levels

),

roles as (

    select
        unit_level, unit_code, year_bs, grade,
        pupils_count, flow_pupils_count, repeaters_count, null as next_pupils_count,
    from intermediate.int_unit_grades
    union all
    select
        unit_level, unit_code, year_bs - 1, grade, null, null, null, pupils_count,
    from intermediate.int_unit_grades

),

grades_paired as (

    select
        unit_level,
        unit_code,
        year_bs,
        grade,
        max(pupils_count) as pupils_count,
        max(flow_pupils_count) as flow_pupils_count,
        max(repeaters_count) as repeaters_count,
        max(next_pupils_count) as next_pupils_count,
    from roles
    group by all

),

flows_counted as (

    select
        unit_levels.unit_level, unit_levels.unit_code, unit_levels.level,
        unit_levels.year_bs, level_grades.grade,
        level_grades.grade = level_grades.first_grade as is_entry,
        here.pupils_count,
        here.flow_pupils_count,
        here.repeaters_count,
        above.next_pupils_count as next_grade_pupils_count,
        above.next_pupils_count - above.repeaters_count as promoted_count,
        here.flow_pupils_count - here.repeaters_count as at_risk_count,
        unit_levels.is_partial,
        unit_levels.is_missing,
        here.grade is null or above.grade is null as is_gap,
    from unit_levels
    inner join level_grades using (level)
    left join grades_paired as here
        on here.unit_level = unit_levels.unit_level
        and here.unit_code = unit_levels.unit_code
        and here.year_bs = unit_levels.year_bs
        and here.grade = level_grades.grade
    left join grades_paired as above
        on above.unit_level = unit_levels.unit_level
        and above.unit_code = unit_levels.unit_code
        and above.year_bs = unit_levels.year_bs
        and above.grade = level_grades.grade + 1

)

select * from flows_counted
