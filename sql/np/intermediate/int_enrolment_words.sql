-- One row per district, school year, grade, type of school and words of the pupils.

with

cells as (

    select
        district_name,
        school_code,
        year_bs,
        grade,
        sex,
        caste,
        location,
        disability,
        pupils_count,
        repeaters_count,
        is_flow_known(pupils_count, repeaters_count, disability) as is_flow_known,
    from staging.stg_enrolment__cells

),

types as (select word from reference.words where dimension = 'school_type'),

-- A school has one type in all years, the last that is known: one that changes hands
-- would else leave pupils on one side of the flows.
schools as (

    select
        school_code,
        max(struct_pack(year_bs := year_bs, school_type := school_type)).school_type
            as school_type,
    from staging.stg_schools__schools
    where school_type in (select word from types)
    group by school_code

),

words_counted as (

    select
        ---------- ids
        cells.district_name,
        cells.year_bs,
        cells.grade,
        coalesce(schools.school_type, 'unknown') as school_type,
        cells.sex,
        cells.caste,
        cells.location,
        cells.disability,

        ---------- counts
        count(*) as row_count,
        count(*) filter (where cells.is_flow_known) as flow_row_count,
        count(if(cells.is_flow_known, cells.repeaters_count, null)) as repeaters_row_count,
        count(*) filter (where cells.pupils_count is not null) as read_row_count,
        sum(cells.pupils_count)::bigint as pupils_count,
        (sum(cells.pupils_count) filter (where cells.is_flow_known))::bigint
            as flow_pupils_count,
        (sum(cells.repeaters_count) filter (where cells.is_flow_known))::bigint
            as repeaters_count,
    from cells
    left join schools using (school_code)
    group by all

)

select * from words_counted
