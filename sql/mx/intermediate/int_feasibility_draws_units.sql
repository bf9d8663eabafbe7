-- One row per school and shift: its feasibility as the transform level_draws takes it.

with

schools_listed as (

    select
        cct || '|' || shift as unit_id,
        'feasibility' as index_name,
        [feasibility_wash, feasibility_crowding, feasibility_epidemiology] as parts,
        cast(null as double[]) as first_draws,
        cast(1 as double) as factor,
        feasibility_level as nominal_level,
        list_contains(flags, 'EPI_VETO') as is_forced,
    from intermediate.int_feasibility_schools

)

select * from schools_listed
