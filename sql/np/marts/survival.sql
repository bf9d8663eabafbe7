-- One row per unit (district, VDC, school), level and school year: its survival.

with

choices as (

    select unit_level, unit_code, level, year_bs, pair_count
    from intermediate.int_unit_choice

),

candidates as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        min_at_risk_count,
        survival,
        survival_se,
        survival_k0,
        survival_k2,
        apparent_survival,
        flags,
        survival is null and apparent_survival is not null as is_apparent_only,
    from intermediate.int_unit_survival

),

units as (

    select
        unit_level, unit_code, level, year_bs, district_name, vdc_name, left_out_share,
    from intermediate.int_unit_levels

),

limits as (select interval_z from method.flows),

survival_published as (

    select
        ---------- ids and words
        units.unit_level,
        units.unit_code,
        units.level,
        units.year_bs,
        units.district_name,
        units.vdc_name,

        ---------- measures
        candidates.survival,
        flags_reason(candidates.flags, candidates.survival) as survival_reason,
        clamp_unit(candidates.survival) as survival_capped,
        candidates.survival_se,
        survival - limits.interval_z * survival_se as survival_low,
        survival + limits.interval_z * survival_se as survival_high,
        candidates.survival_k0,
        candidates.survival_k2,
        candidates.apparent_survival,
        candidates.min_at_risk_count,
        choices.pair_count,
        units.left_out_share,
        flags(list_concat(candidates.flags, [
            case when choices.pair_count > 1 then concat('POOLED_', pair_count) end,
            case when candidates.is_apparent_only then 'METHOD_APPARENT' end,
        ])) as flags,
    from units
    inner join choices using (unit_level, unit_code, level, year_bs)
    inner join candidates using (unit_level, unit_code, level, year_bs, pair_count)
    cross join limits

)

select * from survival_published
