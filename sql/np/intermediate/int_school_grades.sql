-- One row per school, year and grade that it reports (and VDC, if in two).

with

cells as (

    select
        district_name,
        vdc_name,
        school_code,
        year_bs,
        grade,
        disability,
        pupils_count,
        repeaters_count,
        is_flow_known(pupils_count, repeaters_count, disability) as is_flow_known,
    from staging.stg_enrolment__cells

),

cells_counted as (

    select
        district_name,
        vdc_name,
        school_code,
        year_bs,
        grade,
        count(*) as row_count,
        count(*) filter (where pupils_count is null) as unread_row_count,
        count(*) filter (where not is_flow_known) as unread_flow_row_count,
        sum(pupils_count)::bigint as pupils_count,
        (sum(pupils_count) filter (where is_flow_known))::bigint as flow_pupils_count,
        (sum(repeaters_count) filter (where is_flow_known))::bigint as repeaters_count,
    from cells
    group by all

),

years_reported as (select distinct school_code, grade, year_bs from cells),

cells_with_neighbours as (

    select
        cells_counted.district_name,
        cells_counted.vdc_name,
        cells_counted.school_code,
        cells_counted.year_bs,
        cells_counted.grade,
        cells_counted.row_count,
        cells_counted.unread_row_count,
        cells_counted.unread_flow_row_count,
        case when last_year.year_bs is null then cells_counted.row_count else 0 end
            as new_row_count,
        case when next_year.year_bs is null then cells_counted.row_count else 0 end
            as gone_row_count,
        cells_counted.pupils_count,
        cells_counted.flow_pupils_count,
        cells_counted.repeaters_count,
    from cells_counted
    left join years_reported as last_year
        on last_year.school_code = cells_counted.school_code
        and last_year.grade = cells_counted.grade
        and last_year.year_bs = cells_counted.year_bs - 1
    left join years_reported as next_year
        on next_year.school_code = cells_counted.school_code
        and next_year.grade = cells_counted.grade
        and next_year.year_bs = cells_counted.year_bs + 1

)

select * from cells_with_neighbours
