-- One row per district and school year: survival, learning and participation as one.

with

components as (

    select district_name, year_bs, component, component_index
    from intermediate.int_district_components

),

weights as (select component, weight from method.composite),

limits as (select min_components from method.composite_limits),

districts as (

    select district_name, year_bs, count(*) as component_rows_count
    from components
    group by all

),

-- Every district has every component, known or not.
components_weighted as (

    select
        districts.district_name,
        districts.year_bs,
        districts.component_rows_count,
        weights.component,
        weights.weight,
        components.component_index,
        if(component_index is null, null, weights.weight) as known_weight,
        -- The power is taken of the logarithm, which 0 does not have.
        if(component_index > 0, weights.weight * ln(component_index), 0) as log_term,
    from districts
    cross join weights
    left join components using (district_name, year_bs, component)

),

composites as (

    select
        district_name,
        year_bs,
        component_rows_count,
        count(*) as all_count,
        count(component_index) as components_count,
        coalesce(
            list(component order by component, weight)
            filter (where component_index is null),
            []
        ) as missing_components,
        bool_or(component_index = 0) as has_zero,
        sum(known_weight order by component) as known_weight,
        sum(log_term order by component) as log_sum,
        sum(known_weight * component_index order by component) as weighted_sum,
    from components_weighted
    group by all

),

composites_published as (

    select
        district_name,
        year_bs,
        case
            when components_count < min_components then null
            when has_zero then 0
            else exp(log_sum / known_weight)
        end as composite_index,
        if(components_count < min_components, 'NOT_AVAILABLE', null)
            as composite_index_reason,
        if(components_count < min_components, null, weighted_sum / known_weight)
            as arithmetic_composite,
        components_count,
        missing_components,
        component_rows_count,
        flags([
            'NO_UNCERTAINTY',
            if(
                components_count between min_components and all_count - 1,
                'PARTIAL_COMPOSITE',
                null
            ),
        ]) as flags,
    from composites
    cross join limits

)

select * from composites_published
