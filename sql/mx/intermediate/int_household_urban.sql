-- One row per municipality with urban AGEBs: these taken together, and how much they differ.

with

agebs_joined as (

    select
        agebs.ageb_code, agebs.municipality_code,
        population_count, dwellings_count, internet_count, computer_count,
        television_count, cellphone_count, agebs.mean_schooling_years, agebs.flags,
        scored.urgency_household,
    from staging.stg_census_ageb__agebs as agebs
    inner join intermediate.int_household_agebs as scored using (ageb_code)

),

agebs_summed as (

    select
        municipality_code,
        count(*) as ageb_count,
        known_goods(internet_count, dwellings_count) as internet,
        known_goods(computer_count, dwellings_count) as computer,
        known_goods(television_count, dwellings_count) as television,
        known_goods(cellphone_count, dwellings_count) as cellphone,
        weighted_mean(mean_schooling_years, population_count) as mean_schooling_years,
        spread_of_decimals(urgency_household) as urgency_household_spread,
        if(
            bool_or(list_contains(flags, 'DWELLINGS_APPROXIMATE')),
            ['DWELLINGS_APPROXIMATE'], cast([] as varchar[])
        ) as flags,
    from agebs_joined
    group by municipality_code

)

select * from agebs_summed
