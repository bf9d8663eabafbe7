-- One row per district, school year, grade and group of pupils ("unknown" included).

with

cells as (

    select
        district_name,
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

codes as (select dimension, word, group_code from method.group_coding),

cells_coded as (

    select
        ---------- ids
        cells.district_name,
        cells.year_bs,
        cells.grade,
        coalesce(genders.group_code, 'unknown') as gender,
        coalesce(castes.group_code, 'unknown') as caste,
        coalesce(locations.group_code, 'unknown') as location,
        coalesce(disabilities.group_code, 'unknown') as disability,

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
        genders.word is not null
            and castes.word is not null
            and locations.word is not null
            and disabilities.word is not null as is_group_known,
    from cells
    left join codes as genders
        on genders.dimension = 'gender' and genders.word = cells.sex
    left join codes as castes
        on castes.dimension = 'caste' and castes.word = cells.caste
    left join codes as locations
        on locations.dimension = 'location' and locations.word = cells.location
    left join codes as disabilities
        on disabilities.dimension = 'disability'
        and disabilities.word = cells.disability
    group by all

)

select * from cells_coded
