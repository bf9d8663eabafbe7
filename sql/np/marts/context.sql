-- One row per district, level and school year: how hard its context is, and what it adds.

with

contexts as (

    select
        district_name, level, year_bs, national_coverage, expected_coverage,
        context_raw, context_index, value_added,
    from intermediate.int_district_context

),

contexts_published as (

    select
        ---------- ids
        district_name,
        level,
        year_bs,

        ---------- measures
        expected_coverage,
        national_coverage,
        context_raw,
        context_index,
        if(context_index is null, 'UNDEFINED', null) as context_reason,
        value_added,
        case
            when value_added is not null then null
            when expected_coverage is null then 'UNDEFINED'
            else 'MISSING'
        end as value_added_reason,
        ['NO_UNCERTAINTY'] as flags,
    from contexts

)

select * from contexts_published
