-- One row per municipality: its urban AGEBs taken together.

with

agebs_summed as (

    select
        municipality_code,
        count(*) as ageb_count,
        share_with(internet_count, dwellings_count) as internet_share,
        share_with(computer_count, dwellings_count) as computer_share,
        share_with(television_count, dwellings_count) as television_share,
        share_with(cellphone_count, dwellings_count) as cellphone_share,
        weighted_mean(
            mean_schooling_years, population_count, ageb_code
        ) as mean_schooling_years,
        flags(flatten(list(flags order by ageb_code))) as flags,
    from staging.stg_census_ageb__agebs
    group by municipality_code

),

municipalities_scored as (

    select
        municipality_code,
        ageb_count,
        clamp_unit(1 - internet_share) as no_internet_share,
        clamp_unit(1 - computer_share) as no_computer_share,
        clamp_unit(1 - television_share) as no_television_share,
        clamp_unit(1 - cellphone_share) as no_cellphone_share,
        mean_of_known(
            [
                no_internet_share, no_computer_share, no_television_share,
                no_cellphone_share,
            ],
            urgency.min_household_items
        ) as urgency_household,
        mean_schooling_years,
        clamp_unit(
            (urgency.full_schooling_years - mean_schooling_years)
            / urgency.full_schooling_years
        ) as urgency_adults,
        flags,
    from agebs_summed
    cross join method.urgency

)

select * from municipalities_scored
