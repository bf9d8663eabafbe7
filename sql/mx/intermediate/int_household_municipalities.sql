-- One row per municipality: the whole of it, or its urban AGEBs together; and it without these.

with

municipalities_joined as (

    select
        municipality_code,
        if(urban.ageb_count is null, 0, 1) as source_count,
        coalesce(urban.ageb_count, 0) as ageb_count,
        [urban.internet, urban.computer, urban.television, urban.cellphone] as agebs,
        list_transform(
            [
                totals.internet_count, totals.computer_count, totals.television_count,
                totals.cellphone_count,
            ],
            lambda holders: {'holders': holders, 'dwellings': totals.dwellings_count}
        ) as whole,
        owning_shares(whole) as whole_shares,
        list_count(whole_shares) >= min_household_items as is_whole,
        if(is_whole, whole_shares, owning_shares(agebs)) as shares,
        case
            when len(list_concat(totals.flags, urban.flags)) = 0
                then rest_shares(whole, agebs, min_remainder_dwellings)
        end as rest,
        coalesce(totals.mean_schooling_years, urban.mean_schooling_years)
            as mean_schooling_years,
        urban.urgency_household_spread,
        if(is_whole, totals.flags, urban.flags) as flags,
    from intermediate.int_household_urban as urban
    full join intermediate.int_household_totals as totals using (municipality_code)
    cross join method.urgency
    cross join method.geography

),

municipalities_crossed as (

    select
        municipality_code, municipality_code as source_code, source_count,
        ageb_count, is_whole, shares, rest, mean_schooling_years,
        urgency_household_spread, flags,
    from municipalities_joined

    union all

    select
        changes.new_code, municipality_code, 0, 0, is_whole,
        shares, null, mean_schooling_years, urgency_household_spread,
        flags(list_append(flags, 'MUN_CROSSWALK')),
    from municipalities_joined as parents
    inner join reference.municipality_changes as changes
        on changes.parent_code = parents.municipality_code
    where changes.new_code not in (select municipality_code from municipalities_joined)

),

municipalities_scored as (

    select
        municipality_code, source_code, source_count, ageb_count, is_whole,
        1 - shares[1] as no_internet_share, 1 - shares[2] as no_computer_share,
        1 - shares[3] as no_television_share, 1 - shares[4] as no_cellphone_share,
        lacking_mean(shares, min_household_items) as urgency_household,
        mean_schooling_years,
        clamp_unit((full_schooling_years - mean_schooling_years) / full_schooling_years)
            as urgency_adults,
        urgency_household_spread,
        1 - rest[1] as rest_no_internet_share, 1 - rest[2] as rest_no_computer_share,
        1 - rest[3] as rest_no_television_share,
        1 - rest[4] as rest_no_cellphone_share,
        lacking_mean(rest, min_household_items) as rest_urgency_household,
        flags,
    from municipalities_crossed
    cross join method.urgency

)

select * from municipalities_scored
