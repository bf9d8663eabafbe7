-- One row per source and school year.

with

rows_counted as (

    select
        'enrolment' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(pupils_count) as unknown_values_count,
    from staging.stg_enrolment__cells
    group by all

    union all by name

    select
        'schools' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(teachers_count) as unknown_values_count,
    from staging.stg_schools__schools
    group by all

    union all by name

    select
        'population' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(population_count) as unknown_values_count,
    from staging.stg_population__cells
    group by all

    union all by name

    select
        'exams' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(passed_count) as unknown_values_count,
    from staging.stg_exams__results
    group by all

    union all by name

    select
        'allocations' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(amount) as unknown_values_count,
    from staging.stg_allocations__districts
    group by all

    union all by name

    select
        'census' as source_name, year_bs, district_name,
        count(*) as rows_count, count(*) - count(in_school_count) as unknown_values_count,
    from staging.stg_census__children
    group by all

),

rows_placed as (

    select
        rows_counted.*,
        districts.district_name is not null as is_known,
        districts.district_75,
    from rows_counted
    left join reference.districts as districts
        on districts.district_name = rows_counted.district_name

),

years_counted as (

    select
        source_name,
        year_bs,
        cast(sum(rows_count) as bigint) as rows_count,
        cast(sum(unknown_values_count) as bigint) as unknown_values_count,
        count(distinct district_name) filter (where is_known) as districts_count,
        count(distinct district_75) as districts_75_count,
        count(distinct district_name) filter (where not is_known)
            as unknown_districts_count,
        share_of(
            cast(sum(unknown_values_count) as bigint), cast(sum(rows_count) as bigint)
        ) as unknown_values_share,
    from rows_placed
    group by all

),

districts_total as (

    select count(distinct district_75) as districts_75_count
    from reference.districts

),

years_judged as (

    select
        years_counted.*,
        districts_total.districts_75_count - years_counted.districts_75_count
            as missing_districts_75_count,
    from years_counted
    cross join districts_total

)

select * from years_judged
