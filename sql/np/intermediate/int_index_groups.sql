-- One row per district, level, school year and group with a rate: as transforms take it.

with

groups as (

    select
        district_name, level, year_bs, gender, caste, location, disability,
        group_count, weight_count, backoff, coverage,
    from intermediate.int_group_rates
    where variant = 'index' and coverage is not null and weight_count > 0

),

steps as (

    select dropped_count, drops_gender, drops_caste, drops_location, drops_disability
    from intermediate.int_backoff_steps
    where variant = 'index'

),

-- The dimensions stand in the order of their names.
groups_named as (

    select
        ---------- ids
        groups.district_name,
        groups.level,
        groups.year_bs,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,

        ---------- what the transforms read
        district_level(groups.district_name, groups.level) as unit_id,
        groups.year_bs as period,
        [groups.caste, groups.disability, groups.gender, groups.location] as dimensions,
        concat_ws(
            '|',
            if(steps.drops_gender, 'any', groups.gender),
            if(steps.drops_caste, 'any', groups.caste),
            if(steps.drops_location, 'any', groups.location),
            if(steps.drops_disability, 'any', groups.disability)
        ) as pool_id,
        groups.weight_count::double as weight,
        groups.coverage as rate,
        groups.group_count,
    from groups
    left join steps on steps.dropped_count = groups.backoff

)

select * from groups_named
