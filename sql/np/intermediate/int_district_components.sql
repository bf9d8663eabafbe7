-- One row per district, school year and component of the composite: its index.

with

components as (select component, level, exam from method.composite),

standings as (

    select district_name, level, year_bs, ei from intermediate.int_district_standings

),

-- Of all pupils of the grade: the pass rate alone rewards keeping weak pupils away.
learning as (

    select district_name, exam, year_bs, adjusted_ei
    from intermediate.int_district_learning

),

participation as (

    select unit_code as district_name, level, year_bs, ei
    from intermediate.int_unit_participation
    where unit_level = 'district'

),

components_joined as (

    select
        standings.district_name, standings.year_bs, components.component,
        standings.ei as component_index,
        1::bigint as standings_count,
    from standings
    inner join components
        on components.component = 'survival' and components.level = standings.level
    union all
    select
        learning.district_name, learning.year_bs, components.component,
        learning.adjusted_ei, 0::bigint,
    from learning
    inner join components
        on components.component = 'learning' and components.exam = learning.exam
    union all
    select
        participation.district_name, participation.year_bs, components.component,
        participation.ei, 0::bigint,
    from participation
    inner join components
        on components.component = 'participation'
        and components.level = participation.level

)

select * from components_joined
