-- One row per district, level and school year: the coverage to expect of its pupils.

with

districts as (

    select district_name, level, year_bs, c_bar from intermediate.int_district_standings

),

groups as (

    select
        district_name, level, year_bs,
        context_gender, context_caste, context_location, context_disability, pupils_count,
    from intermediate.int_context_groups

),

national as (

    select
        level, year_bs,
        context_gender, context_caste, context_location, context_disability,
        pupils_count, coverage,
    from intermediate.int_national_groups
    where coverage is not null

),

nation as (

    select
        level,
        year_bs,
        share_of(
            sum(
                pupils_count * coverage
                order by context_gender, context_caste, context_location, context_disability
            ),
            sum(pupils_count)
        ) as national_coverage,
    from national
    group by all

),

expectations as (

    select
        groups.district_name,
        level,
        year_bs,
        share_of(
            sum(
                groups.pupils_count * national.coverage
                order by context_gender, context_caste, context_location, context_disability
            ),
            sum(groups.pupils_count)
        ) as expected_coverage,
    from groups
    inner join national using (
        level, year_bs,
        context_gender, context_caste, context_location, context_disability
    )
    group by all

),

contexts as (

    select
        districts.district_name,
        districts.level,
        districts.year_bs,
        nation.national_coverage,
        expectations.expected_coverage,
        1 - expected_coverage / nullif(national_coverage, 0) as context_raw,
        districts.c_bar - expected_coverage as value_added,
        share_of(
            context_raw - min(context_raw) over places,
            max(context_raw) over places - min(context_raw) over places
        ) as context_index,
    from districts
    left join nation using (level, year_bs)
    left join expectations using (district_name, level, year_bs)
    window places as (partition by districts.level, districts.year_bs)

)

select * from contexts
