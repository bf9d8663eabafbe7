-- One row per school, level and school year: its coverage, which is all that it may have.

with

units as (

    select
        unit_code, level, year_bs, district_name, vdc_name,
        survival, survival_capped, survival_reason, survival_se, survival_low,
        survival_high, survival_k2, apparent_survival, pair_count, left_out_share, flags,
    from marts.survival
    where unit_level = 'school'

),

changes as (

    select unit_code, level, year_bs, survival_change, survival_change_se,
        is_change_clear,
    from marts.progress
    where unit_level = 'school'

),

schools as (

    select school_code, year_bs, school_name, location, school_type
    from staging.stg_schools__schools

),

units_published as (

    select
        ---------- ids and words
        units.unit_code as school_code,
        units.level,
        units.year_bs,
        units.district_name,
        units.vdc_name,
        schools.school_name,
        schools.location,
        schools.school_type,

        ---------- measures
        1::bigint as unit_count,
        units.survival_capped as c_pool,
        units.survival_reason as c_pool_reason,
        clamp_unit(units.survival_low) as c_pool_low,
        clamp_unit(units.survival_high) as c_pool_high,
        units.survival_se as c_pool_se,
        clamp_unit(units.survival_k2) as c_pool_k2,
        units.apparent_survival,
        units.pair_count,
        units.left_out_share,
        changes.survival_change as c_pool_change,
        changes.survival_change_se as c_pool_change_se,
        changes.is_change_clear,
        flags(list_concat(units.flags, [
            'COVERAGE_ONLY',
            if(not changes.is_change_clear, 'NO_CLEAR_CHANGE', null),
        ])) as flags,
    from units
    left join changes using (unit_code, level, year_bs)
    left join schools
        on schools.school_code = units.unit_code and schools.year_bs = units.year_bs

)

select * from units_published
