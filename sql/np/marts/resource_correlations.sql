-- One row per level, school year and pair of conditions: how far they go together.

with

conditions as (

    select level, condition, position from method.conditions where is_in_index

),

schools as (

    select level, year_bs, are_met
    from intermediate.int_school_conditions
    where school_type = 'community'

),

pairs as (

    select
        level,
        one.condition,
        others.condition as other_condition,
        one.position,
        others.position as other_position,
        row_number() over (partition by level order by one.position, others.position)
            as pair_number,
    from conditions as one
    inner join conditions as others using (level)
    where one.position < others.position

),

school_pairs as (

    select
        schools.level,
        schools.year_bs,
        pairs.condition,
        pairs.other_condition,
        pairs.pair_number,
        are_met[position] as is_met,
        are_met[other_position] as is_other_met,
        is_met is not null and is_other_met is not null as is_known,
    from schools
    inner join pairs using (level)

),

schools_counted as (

    select
        level,
        year_bs,
        condition,
        other_condition,
        count(*) filter (where pair_number = 1) as school_row_count,
        count(*) filter (where is_known) as schools_count,
        count(*) filter (where is_known and is_met) as met_count,
        count(*) filter (where is_known and is_other_met) as other_met_count,
        count(*) filter (where is_known and is_met and is_other_met) as both_met_count,
    from school_pairs
    group by all

),

-- Pearson's correlation of two yes-or-no variables, from whole numbers.
correlations_computed as (

    select
        level,
        year_bs,
        condition,
        other_condition,
        (schools_count * both_met_count - met_count * other_met_count)
        / nullif(
            sqrt(met_count * (schools_count - met_count))
            * sqrt(other_met_count * (schools_count - other_met_count)),
            0
        ) as correlation,
        if(correlation is null, 'UNDEFINED', null) as correlation_reason,
        schools_count,
        met_count,
        other_met_count,
        both_met_count,
        school_row_count,
        flags(['NO_UNCERTAINTY', if(correlation is null, 'NO_VARIANCE', null)]) as flags,
    from schools_counted

)

select * from correlations_computed
