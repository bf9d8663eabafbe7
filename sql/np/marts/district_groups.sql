-- One row per district, level, school year and group: its weight, coverage and gap.

with

groups as (

    select
        district_name, level, year_bs, gender, caste, location, disability,
        pupils_count, weight_count, backoff, pool_pupils_count, coverage, coverage_se,
        is_estimated,
    from intermediate.int_group_rates
    where variant = 'index'

),

districts as (

    select
        district_name, level, year_bs, known_weight_count, c_bar, is_missing,
        is_partial, is_coverage_only,
    from intermediate.int_district_coverage
    where variant = 'index'

),

inequality as (

    select district_name, level, year_bs, dissimilarity
    from intermediate.int_district_inequality
    where variant = 'index'

),

groups_published as (

    select
        ---------- ids
        groups.district_name,
        groups.level,
        groups.year_bs,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,

        ---------- measures
        groups.pupils_count,
        case
            when groups.coverage is not null and not districts.is_missing
                then share_of(groups.weight_count, districts.known_weight_count)
        end as weight,
        if(districts.is_missing, null, groups.coverage) as coverage,
        index_reason(groups.coverage, districts.is_missing, false) as coverage_reason,
        if(districts.is_missing, null, groups.coverage_se) as coverage_se,
        if(districts.is_missing, null, groups.coverage - districts.c_bar) as gap,
        groups.backoff,
        groups.pool_pupils_count,
        case
            when not districts.is_missing and not districts.is_coverage_only
                then share_of(
                    weight * abs(gap), 2 * districts.c_bar * inequality.dissimilarity
                )
        end as contribution,
        case
            when contribution is null
                then coalesce(
                    index_reason(groups.coverage, is_missing, is_coverage_only),
                    'UNDEFINED'
                )
        end as contribution_reason,
        flags([
            if(districts.is_missing, 'MISSING', null),
            if(districts.is_partial, 'PARTIAL', null),
            if(groups.is_estimated, 'DIS_REPEATERS_ESTIMATED', null),
            if(districts.is_coverage_only and not is_missing, 'COVERAGE_ONLY', null),
        ]) as flags,
    from groups
    inner join districts using (district_name, level, year_bs)
    inner join inequality using (district_name, level, year_bs)

)

select * from groups_published
