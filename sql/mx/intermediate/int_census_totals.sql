-- One row per total of the census: what it says, and what its parts add up to.

with

parts_stacked as (

    select
        'census_localities' as source, municipality_code || '0000' as area_code,
        population_count, dwellings_count, internet_count,
    from staging.stg_census_localities__localities

    union all

    select
        'census_localities', municipality_code || '0000',
        0, dwellings_count, internet_count,
    from staging.stg_census_localities__totals
    where municipality_code is not null and localities_kind <> 'ALL'

    union all

    select
        'census_localities', state_code || '000' || right(area_code, 4),
        population_count, dwellings_count, internet_count,
    from staging.stg_census_localities__totals
    where municipality_code is not null

    union all

    select
        'census_ageb', locality_code, population_count, dwellings_count, internet_count,
    from staging.stg_census_ageb__agebs

    union all

    select
        'census_ageb', state_code || '0000000',
        population_count, dwellings_count, internet_count,
    from staging.stg_census_ageb__totals
    where municipality_code is not null and locality_code is null

),

parts_summed as (

    select
        source, area_code,
        sum_if_all_known(population_count) as population_count,
        case
            when source = 'census_localities' then cast(sum(dwellings_count) as bigint)
            else sum_if_all_known(dwellings_count)
        end as dwellings_count,
        case
            when source = 'census_localities' then cast(sum(internet_count) as bigint)
            else sum_if_all_known(internet_count)
        end as internet_count,
    from parts_stacked
    group by source, area_code

),

totals_stacked as (

    select
        'census_localities' as source, area_code, state_code,
        population_count, dwellings_count, internet_count,
    from staging.stg_census_localities__totals

    union all

    select
        'census_ageb', area_code, state_code,
        population_count, dwellings_count, internet_count,
    from staging.stg_census_ageb__totals

),

totals_compared as (

    select
        totals.source, totals.area_code, totals.state_code,
        totals.population_count as population_total_count,
        parts.population_count as population_parts_count,
        totals.dwellings_count as dwellings_total_count,
        parts.dwellings_count as dwellings_parts_count,
        totals.internet_count as internet_total_count,
        parts.internet_count as internet_parts_count,
    from totals_stacked as totals
    left join parts_summed as parts
        on parts.source = totals.source and parts.area_code = totals.area_code

)

select * from totals_compared
