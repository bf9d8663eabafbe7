-- One row per district, level, school year, group and grade: where its gap arises.

with

groups as (

    select
        district_name, level, year_bs, gender, caste, location, disability,
        pool_id, survival, is_reference,
    from intermediate.int_group_survival

),

transitions as (

    select district_name, level, year_bs, pool_id, grade, transition
    from intermediate.int_index_transitions

),

levels as (select level, first_grade from method.levels),

districts as (

    select
        district_name, level, year_bs,
        is_missing, is_partial, is_coverage_only, is_estimated,
    from intermediate.int_district_coverage
    where variant = 'index'

),

-- A transition of 0 has no logarithm, and leaves the other grades nothing to add up to.
grades_compared as (

    select
        ---------- ids
        groups.district_name,
        groups.level,
        groups.year_bs,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,
        own.grade,

        ---------- the group that it is measured against
        groups.is_reference,
        concat_ws(
            ', ', leaders.gender, leaders.caste, leaders.location, leaders.disability
        ) as reference_group,

        ---------- measures
        if(is_missing or is_coverage_only, null, own.transition) as transition,
        if(is_missing or is_coverage_only, null, beside.transition)
            as reference_transition,
        case
            when is_missing or is_coverage_only then null
            when groups.survival > 0 and leaders.survival > 0
                then ln(own.transition) - ln(beside.transition)
        end as gap_term,
        case
            when is_missing or is_coverage_only then null
            when groups.survival > 0 and leaders.survival > 0
                then ln(groups.survival) - ln(leaders.survival)
        end as gap,
        index_reason(gap_term, is_missing, is_coverage_only) as gap_reason,
        if(own.grade = levels.first_grade, 1, 0)::bigint as group_count,
        flags([
            if(is_missing, 'MISSING', null),
            if(is_partial, 'PARTIAL', null),
            if(is_coverage_only and not is_missing, 'COVERAGE_ONLY', null),
            if(is_estimated, 'DIS_REPEATERS_ESTIMATED', null),
        ]) as flags,
    from groups
    inner join groups as leaders
        using (district_name, level, year_bs)
    inner join levels using (level)
    inner join districts using (district_name, level, year_bs)
    inner join transitions as own
        on own.district_name = groups.district_name
        and own.level = groups.level
        and own.year_bs = groups.year_bs
        and own.pool_id = groups.pool_id
    inner join transitions as beside
        on beside.district_name = groups.district_name
        and beside.level = groups.level
        and beside.year_bs = groups.year_bs
        and beside.pool_id = leaders.pool_id
        and beside.grade = own.grade
    where leaders.is_reference

)

select * from grades_compared
