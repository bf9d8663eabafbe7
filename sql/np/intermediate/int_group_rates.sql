-- One row per variant, district, level, school year and group: its coverage, borrowed if small.

with

pools as (

    select
        variant, district_name, level, year_bs, dropped_count, pool_gender, pool_caste,
        pool_location, pool_disability, pupils_count, entry_pupils_count, survival,
        survival_se, is_estimated, is_small,
    from intermediate.int_pool_survival

),

steps as (

    select
        variant,
        dropped_count,
        drops_gender,
        drops_caste,
        drops_location,
        drops_disability,
        dropped_count = max(dropped_count) over (partition by variant)
            as is_last_step,
    from intermediate.int_backoff_steps

),

limits as (select cell_weights from method.equity),

-- A group takes the first pool on its way that is not small, else the last.
lenders_ranked as (

    select
        ---------- ids
        groups.variant,
        groups.district_name,
        groups.level,
        groups.year_bs,
        groups.pool_gender as gender,
        groups.pool_caste as caste,
        groups.pool_location as location,
        groups.pool_disability as disability,

        ---------- measures
        1::bigint as group_count,
        groups.pupils_count,
        if(cell_weights = 'entry', groups.entry_pupils_count, groups.pupils_count)
            as weight_count,
        pools.dropped_count as backoff,
        pools.pupils_count as pool_pupils_count,
        pools.survival,
        clamp_unit(pools.survival) as coverage,
        pools.survival_se as coverage_se,
        pools.is_estimated,
    from pools as groups
    inner join steps using (variant)
    cross join limits
    inner join pools
        on pools.variant = groups.variant
        and pools.district_name = groups.district_name
        and pools.level = groups.level
        and pools.year_bs = groups.year_bs
        and pools.dropped_count = steps.dropped_count
        and pools.pool_gender = if(drops_gender, 'any', groups.pool_gender)
        and pools.pool_caste = if(drops_caste, 'any', groups.pool_caste)
        and pools.pool_location = if(drops_location, 'any', groups.pool_location)
        and pools.pool_disability = if(drops_disability, 'any', groups.pool_disability)
    where groups.dropped_count = 0 and (not pools.is_small or steps.is_last_step)
    qualify row_number() over (
        partition by
            groups.variant, groups.district_name, groups.level, groups.year_bs,
            groups.pool_gender, groups.pool_caste, groups.pool_location, groups.pool_disability
        order by pools.dropped_count
    ) = 1

)

select * from lenders_ranked
