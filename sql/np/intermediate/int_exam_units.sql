-- One row per school or VDC of a district, examination and school year: who sat it, who passed.

with

results as (

    select
        district_name, year_bs, school_code, exam,
        count(*) as result_count,
        count(*) filter (where appeared_count is null or passed_count is null)
            as unread_count,
        (sum(appeared_count) filter (where passed_count is not null))::bigint
            as appeared_count,
        (sum(passed_count) filter (where appeared_count is not null))::bigint
            as passed_count,
    from staging.stg_exams__results
    group by all

),

exams as (select exam, grade from method.exams),

grades as (

    select
        district_name, school_code, year_bs, grade,
        min(vdc_name) as vdc_name,
        sum(pupils_count)::bigint as pupils_count,
        sum(unread_row_count)::bigint as unread_row_count,
    from intermediate.int_school_grades
    group by all

),

schools as (

    select
        results.*,
        coalesce(grades.vdc_name, 'unknown') as vdc_name,
        grades.pupils_count,
        coalesce(grades.unread_row_count, 0) as unread_row_count,
    from results
    inner join exams using (exam)
    left join grades using (district_name, school_code, year_bs, grade)

),

unit_levels as (select unnest(['vdc', 'school']) as unit_level),

units_summed as (

    select
        unit_level,
        if(unit_level = 'school', school_code, concat_ws('/', district_name, vdc_name))
            as unit_code,
        district_name,
        vdc_name,
        exam,
        year_bs,
        count(*) as schools_count,
        sum(result_count)::bigint as result_count,
        sum(unread_count)::bigint as unread_count,
        coalesce(sum(appeared_count), 0)::bigint as appeared_count,
        coalesce(sum(passed_count), 0)::bigint as passed_count,
        -- Unknown of one school is unknown of the VDC: its passes would count, its pupils not.
        known_sum(pupils_count) as pupils_count,
        sum(unread_row_count)::bigint as unread_row_count,
    from schools
    cross join unit_levels
    group by all

)

select * from units_summed
