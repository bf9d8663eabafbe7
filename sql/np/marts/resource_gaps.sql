-- One row per unit, level, school year and condition: the share of pupils without it.

with

conditions as (

    select
        unit_level, unit_code, level, year_bs, condition, is_in_index,
        district_name, vdc_name, public_schools_count, known_schools_count,
        lacking_schools_count, lacking_share, lacking_schools_share,
    from intermediate.int_unit_conditions

),

words as (select level, condition, title_en, title_ne from method.conditions),

gaps_published as (

    select
        ---------- ids and words
        conditions.unit_level,
        conditions.unit_code,
        conditions.level,
        conditions.year_bs,
        conditions.condition,
        conditions.district_name,
        conditions.vdc_name,
        words.title_en,
        words.title_ne,
        conditions.is_in_index,

        ---------- measures
        conditions.lacking_share,
        if(lacking_share is null, 'MISSING', null) as lacking_share_reason,
        conditions.lacking_schools_share,
        conditions.lacking_schools_count,
        conditions.known_schools_count,
        conditions.public_schools_count,
        flags([
            'NO_UNCERTAINTY',
            if(known_schools_count < public_schools_count, 'PARTIAL', null),
        ]) as flags,
    from conditions
    inner join words using (level, condition)

)

select * from gaps_published
