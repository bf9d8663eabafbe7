-- One row per district, school year and component of the composite: its index.

with

standings as (

    select district_name, level, year_bs, ei from intermediate.int_district_standings

),

components as (

    select component, level from method.composite where component = 'survival'

),

components_joined as (

    select
        standings.district_name,
        standings.year_bs,
        components.component,
        standings.ei as component_index,
        1::bigint as district_count,
    from standings
    inner join components using (level)

)

select * from components_joined
