-- One row per district, level, school year and group with a rate: its raw survival.

with

groups as (

    select
        district_name, level, year_bs, gender, caste, location, disability,
        pool_id, weight, group_count,
    from intermediate.int_index_groups

),

transitions as (

    select district_name, level, year_bs, pool_id, grade, transition
    from intermediate.int_index_transitions

),

limits as (select reference_rule from method.gaps),

-- A group that borrows a rate went on from every grade as its wider pool did.
groups_followed as (

    select
        groups.district_name,
        groups.level,
        groups.year_bs,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,
        groups.pool_id,
        groups.weight,
        groups.group_count,
        product(transition order by grade) as survival,
    from groups
    inner join transitions using (district_name, level, year_bs, pool_id)
    group by all

),

groups_ranked as (

    select
        district_name,
        level,
        year_bs,
        gender,
        caste,
        location,
        disability,
        pool_id,
        survival,
        group_count,
        row_number() over (
            partition by district_name, level, year_bs
            order by
                if(reference_rule = 'largest', weight, survival) desc,
                weight desc, gender, caste, location, disability
        ) = 1 as is_reference,
    from groups_followed
    cross join limits

)

select * from groups_ranked
