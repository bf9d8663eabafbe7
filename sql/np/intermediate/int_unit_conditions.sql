-- One row per unit, level, school year and condition: the schools that lack it.

with

conditions as (select level, condition, position, is_in_index from method.conditions),

schools as (

    select
        unit_level, unit_code, level, year_bs, district_name, vdc_name, pupils_count, are_met,
    from intermediate.int_unit_schools
    where is_public

),

schools_counted as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        conditions.condition,
        position,
        is_in_index,
        min(district_name) as district_name,
        min(vdc_name) as vdc_name,
        count(*) as public_schools_count,
        count(*) filter (where position = 1) as school_row_count,
        count(are_met[position]) as known_schools_count,
        count(*) filter (where not are_met[position]) as lacking_schools_count,
        (sum(pupils_count) filter (where are_met[position] is not null))::bigint
            as known_pupils_count,
        coalesce(sum(pupils_count) filter (where not are_met[position]), 0)::bigint
            as lacking_pupils_count,
    from schools
    inner join conditions using (level)
    group by all

),

shares_computed as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        condition,
        position,
        is_in_index,
        district_name,
        vdc_name,
        public_schools_count,
        school_row_count,
        known_schools_count,
        lacking_schools_count,
        share_of(lacking_pupils_count, known_pupils_count) as lacking_share,
        share_of(lacking_schools_count, known_schools_count) as lacking_schools_share,
    from schools_counted

)

select * from shares_computed
