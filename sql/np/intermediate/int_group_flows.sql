-- One row per variant, district, level, school year, group and grade: pupils, and who went on.

with

districts as (

    select unit_code as district_name, level, year_bs
    from intermediate.int_unit_levels
    where unit_level = 'district'

),

levels as (select level, first_grade, last_grade from method.levels),

groups as (

    select
        variant,
        district_name,
        year_bs,
        grade,
        gender,
        caste,
        location,
        disability,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
        next_pupils_count,
        is_reported,
        is_estimated,
    from intermediate.int_group_repeaters

),

grades_joined as (

    select
        ---------- ids
        groups.variant,
        groups.district_name,
        districts.level,
        groups.year_bs,
        groups.grade,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,

        ---------- measures
        groups.grade = levels.first_grade as is_entry,
        groups.grade = levels.last_grade as is_last,
        groups.pupils_count,
        groups.flow_pupils_count,
        groups.flow_pupils_count - groups.repeaters_count as at_risk_count,
        above.next_pupils_count - above.repeaters_count as promoted_count,
        groups.is_reported,
        groups.is_estimated,
    from districts
    inner join levels using (level)
    inner join groups
        on groups.district_name = districts.district_name
        and groups.year_bs = districts.year_bs
        and groups.grade between levels.first_grade and levels.last_grade
    left join groups as above
        on above.variant = groups.variant
        and above.district_name = groups.district_name
        and above.year_bs = groups.year_bs
        and above.grade = groups.grade + 1
        and above.grade <= levels.last_grade
        and above.gender = groups.gender
        and above.caste = groups.caste
        and above.location = groups.location
        and above.disability = groups.disability

)

select * from grades_joined
