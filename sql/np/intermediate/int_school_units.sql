-- One row per school, year, grade and unit: the school itself, its VDC, its district.

with

school_grades as (

    select
        district_name,
        vdc_name,
        school_code,
        year_bs,
        grade,
        row_count,
        unread_row_count,
        unread_flow_row_count,
        new_row_count,
        gone_row_count,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
    from intermediate.int_school_grades

),

unit_levels as (

    select unnest(['district', 'vdc', 'school']) as unit_level

),

schools_in_units as (

    select
        unit_levels.unit_level,
        case unit_levels.unit_level
            when 'district' then school_grades.district_name
            when 'vdc' then concat_ws('/', district_name, vdc_name)
            else school_grades.school_code
        end as unit_code,
        school_grades.district_name,
        school_grades.vdc_name,
        school_grades.school_code,
        school_grades.year_bs,
        school_grades.grade,
        school_grades.row_count,
        school_grades.unread_row_count,
        school_grades.unread_flow_row_count,
        school_grades.new_row_count,
        school_grades.gone_row_count,
        school_grades.pupils_count,
        school_grades.flow_pupils_count,
        school_grades.repeaters_count,
    from school_grades
    cross join unit_levels

)

select * from schools_in_units
