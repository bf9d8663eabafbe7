-- One row per district, school year and fact of the profile: the lines that it has.

with

levels as (

    select unit_code as district_name, year_bs, level
    from intermediate.int_unit_progress
    where unit_level = 'district'

),

facts as (

    select fact, position, measure, level, absent_reason from reference.profile_facts

),

districts as (

    select district_name, year_bs, count(*) as level_count
    from levels
    group by all

),

lines as (

    select
        districts.district_name,
        districts.year_bs,
        facts.fact,
        facts.position,
        facts.measure,
        facts.level,
        facts.absent_reason,
        if(facts.position = 1, level_count, 0)::bigint as level_count,
    from districts
    cross join facts

)

select * from lines
