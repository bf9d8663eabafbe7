-- One row per school and shift: its urgency as the transform level_draws takes it.

with

schools_listed as (

    select
        cct || '|' || shift as unit_id,
        'urgency' as index_name,
        [urgency_learning, urgency_household, urgency_adults] as parts,
        learning_draws as first_draws,
        equity_factor as factor,
        urgency_level as nominal_level,
        false as is_forced,
    from intermediate.int_urgency_schools

)

select * from schools_listed
