-- One row per variant and step of the back-off: the dimensions of the groups that are still kept.

with

cells as (

    select variant, gender, caste, location, disability
    from intermediate.int_group_cells
    where is_group_known

),

backoff_order as (select dimension, drop_order from method.backoff_order),

dimensions_counted as (

    select variant, 'gender' as dimension, count(distinct gender) as value_count
    from cells
    group by variant
    union all
    select variant, 'caste', count(distinct caste) from cells group by variant
    union all
    select variant, 'location', count(distinct location) from cells group by variant
    union all
    select variant, 'disability', count(distinct disability) from cells group by variant

),

dimensions_ranked as (

    select
        dimensions_counted.variant,
        dimensions_counted.dimension,
        row_number() over (
            partition by variant order by backoff_order.drop_order, dimension
        ) as dropped_at,
    from dimensions_counted
    inner join backoff_order using (dimension)
    where dimensions_counted.value_count > 1

),

steps as (

    select variant, 0 as dropped_count, count(*) as cell_count
    from cells
    group by variant
    union all
    select variant, dropped_at, 0 from dimensions_ranked

),

steps_spelled as (

    select
        steps.variant,
        steps.dropped_count::bigint as dropped_count,
        steps.cell_count,
        coalesce(bool_or(dimension = 'gender'), false) as drops_gender,
        coalesce(bool_or(dimension = 'caste'), false) as drops_caste,
        coalesce(bool_or(dimension = 'location'), false) as drops_location,
        coalesce(bool_or(dimension = 'disability'), false) as drops_disability,
    from steps
    left join dimensions_ranked
        on dimensions_ranked.variant = steps.variant
        and dimensions_ranked.dropped_at <= steps.dropped_count
    group by all

)

select * from steps_spelled
