-- One row per school and shift: its parts and indices as the transform part_statistics takes them.

with

schools_listed as (

    select
        cct || '|' || shift as unit_id,
        if(
            is_in_scope,
            [
                urgency_learning, urgency_household, urgency_adults,
                feasibility_wash, feasibility_crowding, feasibility_epidemiology,
            ],
            null
        ) as parts,
        if(is_in_scope, [urgency, feasibility], null) as indices,
    from intermediate.int_profile_schools

)

select * from schools_listed
