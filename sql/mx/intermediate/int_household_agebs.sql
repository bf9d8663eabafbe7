-- One row per urban AGEB: what homes lack for learning, and adults' schooling.

with

agebs_scored as (

    select
        ageb_code,
        locality_code,
        municipality_code,
        lacking_share(internet_count, dwellings_count) as no_internet_share,
        lacking_share(computer_count, dwellings_count) as no_computer_share,
        lacking_share(television_count, dwellings_count) as no_television_share,
        lacking_share(cellphone_count, dwellings_count) as no_cellphone_share,
        mean_of_known(
            [
                no_internet_share, no_computer_share, no_television_share,
                no_cellphone_share,
            ],
            urgency.min_household_items
        ) as urgency_household,
        case
            when urgency_household is not null then null
            when dwellings_count = 0 then 'UNDEFINED'
            else coalesce(
                dwellings_reason, internet_reason, computer_reason, television_reason,
                cellphone_reason
            )
        end as household_reason,
        mean_schooling_years,
        clamp_unit(
            (urgency.full_schooling_years - mean_schooling_years)
            / urgency.full_schooling_years
        ) as urgency_adults,
        schooling_reason as adults_reason,
        agebs.flags,
    from staging.stg_census_ageb__agebs as agebs
    cross join method.urgency

)

select * from agebs_scored
