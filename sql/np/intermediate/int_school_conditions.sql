-- One row per school, level and school year: which conditions of the level it meets.

with

school_levels as (

    select school_code, level, year_bs, district_name, vdc_name, pupils_count,
    from intermediate.int_school_levels

),

schools as (

    select
        year_bs, school_code, district_name, vdc_name, school_type, classrooms_count,
        textbooks, book_corner, latrines, desks, chairs, computers, electricity,
        internet, playground, science_lab, is_earthquake_affected,
    from staging.stg_schools__schools

),

districts as (select district_name, is_earthquake_affected from reference.districts),

teachers as (

    select year_bs, school_code, has_teachers from intermediate.int_school_teachers

),

conditions as (

    select level, condition, position, is_in_index from method.conditions

),

limits as (select max_unknown_conditions from method.resources),

-- The names under which method.conditions may ask for a thing.
facts as (

    select
        schools.year_bs,
        schools.school_code,
        schools.district_name,
        schools.vdc_name,
        schools.school_type,
        schools.is_earthquake_affected,
        map {
            'teachers': teachers.has_teachers,
            'textbooks': schools.textbooks,
            'book_corner': schools.book_corner,
            'classrooms': schools.classrooms_count > 0,
            'latrines': schools.latrines,
            'desks': schools.desks,
            'chairs': schools.chairs,
            'computers': schools.computers,
            'electricity': schools.electricity,
            'internet': schools.internet,
            'playground': schools.playground,
            'science_lab': schools.science_lab
        } as facts,
    from schools
    inner join teachers using (year_bs, school_code)

),

level_conditions as (

    select
        level,
        list(condition order by position) as conditions,
        list(condition order by position) filter (where is_in_index) as index_conditions,
    from conditions
    group by all

),

conditions_counted as (

    select
        school_levels.school_code,
        school_levels.level,
        school_levels.year_bs,
        coalesce(facts.district_name, school_levels.district_name) as district_name,
        coalesce(facts.vdc_name, school_levels.vdc_name) as vdc_name,
        coalesce(facts.school_type, 'unknown') as school_type,
        coalesce(
            facts.is_earthquake_affected, districts.is_earthquake_affected, false
        ) as is_earthquake_affected,
        school_levels.pupils_count,
        list_transform(conditions, lambda name: facts.facts[name]) as are_met,
        list_transform(index_conditions, lambda name: facts.facts[name]) as are_met_in_index,
        len(index_conditions) as conditions_count,
        conditions_count - list_count(are_met_in_index) as unknown_count,
        len(list_filter(are_met_in_index, lambda is_met: is_met)) as met_count,
        case
            when unknown_count <= max_unknown_conditions and unknown_count < conditions_count
                then met_count * conditions_count / (conditions_count - unknown_count)
        end as condition_score,
    from school_levels
    left join level_conditions using (level)
    left join facts using (year_bs, school_code)
    left join districts
        on districts.district_name
        = coalesce(facts.district_name, school_levels.district_name)
    cross join limits

)

select * from conditions_counted
