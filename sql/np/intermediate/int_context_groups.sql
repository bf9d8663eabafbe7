-- One row per district, level, school year and group of the context: its pupils.

with

groups as (

    select
        district_name, level, year_bs, gender, caste, location, disability,
        group_count, weight_count, coverage,
    from intermediate.int_group_rates
    semi join reference.districts using (district_name)
    where variant = 'index'

),

dimensions as (

    select uses_gender, uses_caste, uses_location, uses_disability from method.context

),

groups_merged as (

    select
        district_name,
        level,
        year_bs,
        if(uses_gender, gender, 'any') as context_gender,
        if(uses_caste, caste, 'any') as context_caste,
        if(uses_location, location, 'any') as context_location,
        if(uses_disability, disability, 'any') as context_disability,
        sum(group_count)::bigint as group_count,
        sum(weight_count)::bigint as pupils_count,
        sum(if(coverage is null, 0, weight_count))::bigint as known_pupils_count,
        sum(
            weight_count * coverage order by gender, caste, location, disability
        ) as covered_count,
    from groups
    cross join dimensions
    group by all

)

select * from groups_merged
