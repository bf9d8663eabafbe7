-- One row per municipality that the census gives a total of: by localities, else by AGEB.

with

totals_stacked as (

    select
        municipality_code,
        'census_localities' as source,
        1 as locality_total_count,
        dwellings_count, internet_count, computer_count, television_count,
        cellphone_count, mean_schooling_years, flags,
    from staging.stg_census_localities__totals
    where municipality_code is not null and localities_kind = 'ALL'

    union all

    select
        municipality_code,
        'census_ageb',
        0,
        dwellings_count, internet_count, computer_count, television_count,
        cellphone_count, mean_schooling_years, flags,
    from staging.stg_census_ageb__totals
    where municipality_code is not null and locality_code is null

),

totals_ranked as (

    select
        municipality_code, source, locality_total_count, dwellings_count,
        internet_count, computer_count, television_count, cellphone_count,
        mean_schooling_years, flags,
        row_number() over (
            partition by municipality_code
            order by dwellings_count is null, source = 'census_ageb'
        ) as place,
        sum(locality_total_count) over (partition by municipality_code)
            as all_locality_total_count,
    from totals_stacked

),

totals_chosen as (

    select
        municipality_code,
        source as total_source,
        cast(all_locality_total_count as bigint) as locality_total_count,
        dwellings_count,
        internet_count,
        computer_count,
        television_count,
        cellphone_count,
        mean_schooling_years,
        flags,
    from totals_ranked
    where place = 1

)

select * from totals_chosen
