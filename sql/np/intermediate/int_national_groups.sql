-- One row per level, school year and group of the context: its coverage in the nation.

with

groups as (

    select
        district_name, level, year_bs,
        context_gender, context_caste, context_location, context_disability,
        pupils_count, known_pupils_count, covered_count,
    from intermediate.int_context_groups

),

groups_summed as (

    select
        level,
        year_bs,
        context_gender,
        context_caste,
        context_location,
        context_disability,
        count(*) as district_groups_count,
        sum(pupils_count)::bigint as pupils_count,
        share_of(
            sum(covered_count order by district_name), sum(known_pupils_count)
        ) as coverage,
    from groups
    group by all

)

select * from groups_summed
