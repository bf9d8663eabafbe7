-- One row per source and spelling of a district in its rows.

with

spellings_counted as (

    select district_written, 'enrolment' as source_name, count(*) as rows_count
    from staging.stg_enrolment__cells
    group by all

    union all by name

    select district_written, 'schools' as source_name, count(*) as rows_count
    from staging.stg_schools__schools
    group by all

    union all by name

    select district_written, 'population' as source_name, count(*) as rows_count
    from staging.stg_population__cells
    group by all

    union all by name

    select district_written, 'exams' as source_name, count(*) as rows_count
    from staging.stg_exams__results
    group by all

    union all by name

    select district_written, 'allocations' as source_name, count(*) as rows_count
    from staging.stg_allocations__districts
    group by all

    union all by name

    select district_written, 'census' as source_name, count(*) as rows_count
    from staging.stg_census__children
    group by all

    union all by name

    select district_written, 'district_enrolment' as source_name, count(*) as rows_count
    from staging.stg_district_enrolment__districts
    group by all

    union all by name

    select district_written, 'district_teachers' as source_name, count(*) as rows_count
    from staging.stg_district_teachers__districts
    group by all

    union all by name

    select district_written, 'district_glance' as source_name, count(*) as rows_count
    from staging.stg_district_glance__districts
    group by all

),

spellings_folded as (

    select
        district_spelling(district_written) as spelling,
        district_written,
        source_name,
        rows_count,
    from spellings_counted

)

select * from spellings_folded
