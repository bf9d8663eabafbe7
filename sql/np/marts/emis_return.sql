-- One row per school or district and school year: its figures, as EMIS takes them back.

with

spellings as (

    select school_code, year_bs, district_name, district_written
    from staging.stg_schools__schools

),

-- The district as most of its schools write it in the year.
district_spellings as (

    select district_name, year_bs, district_written
    from spellings
    group by district_name, year_bs, district_written
    qualify row_number() over (
        partition by district_name, year_bs order by count(*) desc, district_written
    ) = 1

),

schools as (

    select
        'school' as unit_level,
        school_code as unit_code,
        profiles.year_bs,
        coalesce(spellings.district_written, profiles.district_name) as district,
        school_code,
        coverage_basic,
        coverage_basic_low,
        coverage_basic_high,
        coverage_basic_reason,
        coverage_secondary,
        coverage_secondary_low,
        coverage_secondary_high,
        coverage_secondary_reason,
        'NOT_APPLICABLE' as ei_basic_reason,
        'NOT_APPLICABLE' as ei_secondary_reason,
        condition_score as resource_score,
        condition_score_reason as resource_score_reason,
        lacking,
        teacher_shortage_count,
        array_to_string(flags, ';') as flags,
        1::bigint as row_count,
    from marts.school_profile as profiles
    left join spellings using (school_code, year_bs)

),

districts as (

    select
        'district' as unit_level,
        district_name as unit_code,
        year_bs,
        coalesce(min(district_written), district_name) as district,
        level_value(c_bar, level, 'basic') as coverage_basic,
        level_value(c_bar_low, level, 'basic') as coverage_basic_low,
        level_value(c_bar_high, level, 'basic') as coverage_basic_high,
        level_reason(c_bar, c_bar_reason, level, 'basic') as coverage_basic_reason,
        level_value(c_bar, level, 'secondary') as coverage_secondary,
        level_value(c_bar_low, level, 'secondary') as coverage_secondary_low,
        level_value(c_bar_high, level, 'secondary') as coverage_secondary_high,
        level_reason(c_bar, c_bar_reason, level, 'secondary') as coverage_secondary_reason,
        level_value(ei, level, 'basic') as ei_basic,
        level_value(ei_low, level, 'basic') as ei_basic_low,
        level_value(ei_high, level, 'basic') as ei_basic_high,
        level_reason(ei, ei_reason, level, 'basic') as ei_basic_reason,
        level_value(dissimilarity, level, 'basic') as dissimilarity_basic,
        level_value(ei, level, 'secondary') as ei_secondary,
        level_reason(ei, ei_reason, level, 'secondary') as ei_secondary_reason,
        level_value(dissimilarity, level, 'secondary') as dissimilarity_secondary,
        level_value(resource_index, level, 'basic') as resource_score,
        level_reason(resource_index, 'MISSING', level, 'basic') as resource_score_reason,
        level_value(quadrant, level, 'basic') as quadrant_basic,
        array_to_string(
            flags(flatten(list(index_rows.flags order by level))), ';'
        ) as flags,
        count(*) as row_count,
    from marts.district_index as index_rows
    left join district_spellings using (district_name, year_bs)
    left join (
        select district_name, level, year_bs, quadrant, resource_index from marts.quadrants
    ) as quadrants using (district_name, level, year_bs)
    group by district_name, year_bs

),

returned as (

    select * from schools
    union all by name
    select * from districts

)

select * from returned
