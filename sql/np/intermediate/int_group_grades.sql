-- One row per variant, district, school year, grade that it reports, and group that it ever had.

with

cells as (

    select
        variant,
        district_name,
        year_bs,
        grade,
        gender,
        caste,
        location,
        disability,
        flow_row_count,
        repeaters_row_count,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
    from intermediate.int_group_cells
    where is_group_known

),

grades_reported as (

    select distinct variant, district_name, year_bs, grade from cells

),

groups_seen as (

    select distinct variant, district_name, gender, caste, location, disability
    from cells

),

groups_filled as (

    select
        ---------- ids
        grades_reported.variant,
        grades_reported.district_name,
        grades_reported.year_bs,
        grades_reported.grade,
        groups_seen.gender,
        groups_seen.caste,
        groups_seen.location,
        groups_seen.disability,

        ---------- measures
        if(cells.grade is null, 0, cells.pupils_count) as pupils_count,
        if(cells.grade is null, 0, cells.flow_pupils_count) as flow_pupils_count,
        if(cells.grade is null, 0, cells.repeaters_count) as repeaters_count,
        coalesce(cells.flow_row_count > 0 and cells.repeaters_row_count = 0, false)
            as is_uncounted,
        cells.grade is not null as is_reported,
    from grades_reported
    inner join groups_seen using (variant, district_name)
    left join cells using (
        variant, district_name, year_bs, grade, gender, caste, location, disability
    )

)

select * from groups_filled
