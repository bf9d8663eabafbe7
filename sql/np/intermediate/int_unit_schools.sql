-- One row per unit, school, level and school year: each school under all its units.

with

schools as (

    select
        school_code, level, year_bs, district_name, vdc_name, school_type,
        is_earthquake_affected, pupils_count, are_met, conditions_count, condition_score,
    from intermediate.int_school_conditions

),

unit_levels as (

    select unnest(['nation', 'part', 'district', 'vdc']) as unit_level

),

schools_in_units as (

    select
        unit_levels.unit_level,
        case unit_levels.unit_level
            when 'nation' then 'all'
            when 'part' then if(is_earthquake_affected, 'earthquake', 'no earthquake')
            when 'district' then district_name
            else concat_ws('/', district_name, vdc_name)
        end as unit_code,
        schools.level,
        schools.year_bs,
        schools.school_code,
        case when unit_level in ('district', 'vdc') then district_name end as district_name,
        case when unit_level = 'vdc' then vdc_name end as vdc_name,
        schools.school_type,
        schools.school_type = 'community' as is_public,
        schools.is_earthquake_affected,
        schools.pupils_count,
        schools.are_met,
        schools.conditions_count,
        schools.condition_score,
    from schools
    cross join unit_levels

)

select * from schools_in_units
