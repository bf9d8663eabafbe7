-- One row per unit (nation, part, district, VDC), level and school year: its resources.

with

units as (

    select
        unit_level, unit_code, level, year_bs, district_name, vdc_name,
        schools_count, public_schools_count, scored_schools_count, earthquake_share,
        pupils_count, private_share, conditions_count, resource_index,
        resource_index_seed_literal, zero_share, resource_share,
    from intermediate.int_unit_resources

),

conditions as (

    select
        unit_level, unit_code, level, year_bs, condition, position, lacking_share,
    from intermediate.int_unit_conditions
    where is_in_index

),

most_lacking as (

    select
        unit_level, unit_code, level, year_bs,
        condition as most_lacking_condition,
        lacking_share as most_lacking_share,
    from conditions
    where lacking_share > 0
    qualify row_number() over (
        partition by unit_level, unit_code, level, year_bs
        order by lacking_share desc, position
    ) = 1

),

resources_published as (

    select
        ---------- ids
        units.unit_level,
        units.unit_code,
        units.level,
        units.year_bs,
        units.district_name,
        units.vdc_name,

        ---------- measures
        units.resource_index,
        case
            when resource_index is not null then null
            when public_schools_count = 0 then 'NOT_APPLICABLE'
            else 'MISSING'
        end as resource_index_reason,
        units.resource_index_seed_literal,
        units.zero_share,
        units.resource_share,
        units.conditions_count,
        most_lacking.most_lacking_condition,
        most_lacking.most_lacking_share,

        ---------- what it rests on
        units.schools_count,
        units.public_schools_count,
        units.scored_schools_count,
        units.pupils_count,
        units.private_share,
        units.earthquake_share,
        flags([
            'NO_UNCERTAINTY',
            if(scored_schools_count < public_schools_count, 'PARTIAL', null),
            if(earthquake_share > 0, 'EARTHQUAKE_AFFECTED', null),
        ]) as flags,
    from units
    left join most_lacking using (unit_level, unit_code, level, year_bs)

)

select * from resources_published
