-- One row per unit, year and grade: the pupils of its schools, the rows unread.

with

schools as (

    select
        unit_level,
        unit_code,
        district_name,
        vdc_name,
        year_bs,
        grade,
        row_count,
        unread_row_count,
        unread_flow_row_count,
        new_row_count,
        gone_row_count,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
    from intermediate.int_school_units

),

schools_summed as (

    select
        ---------- ids
        unit_level,
        unit_code,
        year_bs,
        grade,

        ---------- words
        min(district_name) as district_name,
        case when unit_level <> 'district' then min(vdc_name) end as vdc_name,

        ---------- counts
        count(*) as school_count,
        sum(row_count)::bigint as row_count,
        sum(unread_row_count)::bigint as unread_row_count,
        sum(unread_flow_row_count)::bigint as unread_flow_row_count,
        sum(new_row_count)::bigint as new_row_count,
        sum(gone_row_count)::bigint as gone_row_count,
        sum(pupils_count)::bigint as pupils_count,
        sum(flow_pupils_count)::bigint as flow_pupils_count,
        sum(repeaters_count)::bigint as repeaters_count,
    from schools
    group by unit_level, unit_code, year_bs, grade

)

select * from schools_summed
