-- One row per variant, district, school year, grade and group ("unknown" included).

with

cells as (

    select
        district_name, year_bs, grade, school_type, sex, caste, location, disability,
        row_count, flow_row_count, repeaters_row_count, read_row_count,
        pupils_count, flow_pupils_count, repeaters_count,
    from intermediate.int_enrolment_words

),

variants as (select variant, caste_coding, school_type from method.variants),

codes as (select dimension, coding, word, group_code from method.group_coding),

cells_coded as (

    select
        ---------- ids
        variants.variant,
        cells.district_name,
        cells.year_bs,
        cells.grade,
        coalesce(genders.group_code, 'unknown') as gender,
        coalesce(castes.group_code, 'unknown') as caste,
        coalesce(locations.group_code, 'unknown') as location,
        coalesce(disabilities.group_code, 'unknown') as disability,

        ---------- counts
        count(*) filter (where variants.variant = 'index') as cell_count,
        sum(row_count)::bigint as row_count,
        sum(flow_row_count)::bigint as flow_row_count,
        sum(repeaters_row_count)::bigint as repeaters_row_count,
        sum(read_row_count)::bigint as read_row_count,
        sum(pupils_count)::bigint as pupils_count,
        sum(flow_pupils_count)::bigint as flow_pupils_count,
        sum(repeaters_count)::bigint as repeaters_count,

        -- Where types count, a school without one belongs to no group: its rows are left out.
        (variants.school_type is null or cells.school_type <> 'unknown')
            and genders.word is not null
            and castes.word is not null
            and locations.word is not null
            and disabilities.word is not null as is_group_known,
    from cells
    inner join variants
        on variants.school_type is null
        or cells.school_type in (variants.school_type, 'unknown')
    left join codes as genders
        on genders.dimension = 'gender' and genders.word = cells.sex
    left join codes as castes
        on castes.dimension = 'caste'
        and castes.coding = variants.caste_coding
        and castes.word = cells.caste
    left join codes as locations
        on locations.dimension = 'location' and locations.word = cells.location
    left join codes as disabilities
        on disabilities.dimension = 'disability'
        and disabilities.word = cells.disability
    group by all

)

select * from cells_coded
