-- One row per district, census year and group by the circumstances that method names.

with

children as (

    select
        district_name, year_bs, _file, _record, in_school_count, out_of_school_count,
        to_json(circumstances) as circumstances,
    from staging.stg_census__children as circumstances
    where in_school_count + out_of_school_count > 0

),

dimensions as (select dimension from method.census_dimensions),

children_grouped as (

    select
        district_name, year_bs, _file, _record, in_school_count, out_of_school_count,
        list(
            coalesce(json_extract_string(circumstances, dimension), 'unknown')
            order by dimension
        ) as dimensions,
    from children
    cross join dimensions
    group by all

),

groups_summed as (

    select
        ---------- ids
        district_name as unit_id,
        year_bs as period,
        dimensions,

        ---------- measures
        'census' as pool_id,
        count(*) as record_count,
        sum(in_school_count + out_of_school_count)::double as weight,
        sum(in_school_count) / sum(in_school_count + out_of_school_count) as rate,
    from children_grouped
    group by all

)

select * from groups_summed
