-- One row per district or VDC and school year: the teachers that its schools need and have.

with

schools as (

    select
        year_bs, school_code, district_name, vdc_name, school_type, pupils_count,
        teachers_count, teachers_trained_count, required_teachers_count,
        has_teachers, teacher_shortage_count, teacher_surplus_count,
        school_type = 'community' and has_teachers is not null as is_counted,
        is_counted and teachers_trained_count is not null as is_trained_known,
    from intermediate.int_school_teachers

),

unit_levels as (select unnest(['district', 'vdc']) as unit_level),

-- Public schools; those of which pupils, teachers or the norm are unknown do not count.
schools_counted as (

    select
        unit_level,
        if(unit_level = 'vdc', concat_ws('/', district_name, vdc_name), district_name)
            as unit_code,
        year_bs,
        district_name,
        if(unit_level = 'vdc', vdc_name, null) as vdc_name,
        count(*) as schools_count,
        count(*) filter (where school_type = 'community') as public_schools_count,
        count(*) filter (where is_counted) as counted_schools_count,
        count(*) filter (where is_counted and not has_teachers) as short_schools_count,
        (sum(pupils_count) filter (where is_counted))::bigint as pupils_count,
        (sum(teachers_count) filter (where is_counted))::bigint as teachers_count,
        (sum(required_teachers_count) filter (where is_counted))::bigint
            as required_teachers_count,
        (sum(teacher_shortage_count) filter (where is_counted))::bigint
            as teacher_shortage_count,
        (sum(teacher_surplus_count) filter (where is_counted))::bigint
            as teacher_surplus_count,
        (sum(teachers_trained_count) filter (where is_trained_known))::bigint
            as trained_count,
        (sum(teachers_count) filter (where is_trained_known))::bigint
            as trained_known_count,
    from schools
    cross join unit_levels
    group by all

),

teachers_published as (

    select
        ---------- ids
        unit_level,
        unit_code,
        year_bs,
        district_name,
        vdc_name,

        ---------- measures
        share_of(required_teachers_count - teacher_shortage_count, required_teachers_count)
            as teacher_adequacy,
        case
            when teacher_adequacy is not null then null
            when public_schools_count = 0 then 'NOT_APPLICABLE'
            when counted_schools_count = 0 then 'MISSING'
            else 'UNDEFINED'
        end as teacher_adequacy_reason,
        share_of(teacher_surplus_count, teachers_count) as surplus_share,
        share_of(pupils_count, teachers_count) as pupils_per_teacher,
        share_of(trained_count, trained_known_count) as trained_share,
        teachers_count,
        required_teachers_count,
        teacher_shortage_count,
        teacher_surplus_count,

        ---------- what it rests on
        pupils_count,
        schools_count,
        public_schools_count,
        counted_schools_count,
        short_schools_count,
        flags([
            'NO_UNCERTAINTY',
            if(counted_schools_count < public_schools_count, 'PARTIAL', null),
        ]) as flags,
    from schools_counted

)

select * from teachers_published
