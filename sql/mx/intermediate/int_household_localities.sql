-- One row per locality, urban or rural: its own row in the census, else its urban AGEBs together.

with

agebs_summed as (

    select
        locality_code,
        count(*) as ageb_count,
        owning_shares([
            known_goods(internet_count, dwellings_count),
            known_goods(computer_count, dwellings_count),
            known_goods(television_count, dwellings_count),
            known_goods(cellphone_count, dwellings_count),
        ]) as ageb_shares,
        weighted_mean(mean_schooling_years, population_count) as ageb_schooling_years,
        if(
            bool_or(list_contains(flags, 'DWELLINGS_APPROXIMATE')),
            ['DWELLINGS_APPROXIMATE'], cast([] as varchar[])
        ) as ageb_flags,
    from staging.stg_census_ageb__agebs
    group by locality_code

),

localities_joined as (

    select
        locality_code,
        coalesce(agebs.ageb_count, 0) as ageb_count,
        coalesce(agebs.ageb_count, 0) + if(own.flags is null, 0, 1) as record_count,
        owning_shares(
            list_transform(
                [internet_count, computer_count, television_count, cellphone_count],
                lambda holders: {'holders': holders, 'dwellings': dwellings_count}
            )
        ) as own_shares,
        list_count(own_shares) >= min_household_items as is_own_row,
        if(is_own_row, own_shares, ageb_shares) as shares,
        first_reason([
            dwellings_reason, if(dwellings_count = 0, 'UNDEFINED', null),
            internet_reason, computer_reason, television_reason, cellphone_reason,
            'NOT_AVAILABLE',
        ]) as goods_reason,
        coalesce(own.mean_schooling_years, ageb_schooling_years)
            as mean_schooling_years,
        coalesce(schooling_reason, 'NOT_AVAILABLE') as years_reason,
        if(is_own_row, own.flags, coalesce(ageb_flags, own.flags)) as flags,
    from staging.stg_census_localities__localities as own
    full join agebs_summed as agebs using (locality_code)
    cross join method.urgency

),

localities_scored as (

    select
        locality_code,
        ageb_count,
        record_count,
        is_own_row,
        1 - shares[1] as no_internet_share,
        1 - shares[2] as no_computer_share,
        1 - shares[3] as no_television_share,
        1 - shares[4] as no_cellphone_share,
        lacking_mean(shares, min_household_items) as urgency_household,
        if(urgency_household is null, goods_reason, null) as household_reason,
        mean_schooling_years,
        clamp_unit((full_schooling_years - mean_schooling_years) / full_schooling_years)
            as urgency_adults,
        if(urgency_adults is null, years_reason, null) as adults_reason,
        flags,
    from localities_joined
    cross join method.urgency

)

select * from localities_scored
