-- One row per part of the two indices: its index and its weight.

with

weights_listed as (

    select
        components.position,
        components.component as part,
        case when components.position <= 3 then 'urgency' else 'feasibility' end
            as index_name,
        [
            urgency.learning_weight, urgency.household_weight, urgency.adults_weight,
            feasibility.wash_weight, feasibility.crowding_weight,
            feasibility.epidemiology_weight,
        ][components.position] as weight,
    from method.components
    cross join method.urgency
    cross join method.feasibility

)

select * from weights_listed
