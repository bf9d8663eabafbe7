-- One row per unit (district, VDC, school), level and school year: its change since the last.

with

units as (

    select
        unit_level, unit_code, level, year_bs, has_earlier,
        survival_before, survival, survival_change, survival_change_se,
        survival_change_reason,
    from intermediate.int_unit_progress

),

districts as (

    select
        'district' as unit_level,
        district_name as unit_code,
        level, year_bs, is_missing, is_open,
        index_before, index_after, coverage_before, coverage_after,
        dissimilarity_before, dissimilarity_after,
        composition, scale, equalisation, is_merged, index_change_se,
    from intermediate.int_district_progress

),

limits as (select interval_z from method.flows),

progress_published as (

    select
        ---------- ids
        units.unit_level,
        units.unit_code,
        units.level,
        units.year_bs,
        1::bigint as unit_count,

        ---------- the index of districts, both years on the same groups
        if(is_open, districts.index_before, null) as ei_before,
        if(is_open, districts.index_after, null) as ei,
        ei - ei_before as ei_change,
        if(is_open, districts.composition, null) as composition,
        if(is_open, districts.scale, null) as scale,
        if(is_open, districts.equalisation, null) as equalisation,
        if(is_open, districts.index_change_se, null) as ei_change_se,
        if(is_open, districts.coverage_before, null) as c_bar_before,
        if(is_open, districts.coverage_after, null) as c_bar,
        if(is_open, districts.dissimilarity_before, null) as dissimilarity_before,
        if(is_open, districts.dissimilarity_after, null) as dissimilarity,
        case
            when ei_change is not null then null
            when units.unit_level <> 'district' then 'NOT_APPLICABLE'
            when districts.is_missing then 'MISSING'
            else 'NOT_AVAILABLE'
        end as ei_change_reason,

        ---------- survival, for all units
        units.survival_before,
        units.survival,
        units.survival_change,
        units.survival_change_se,
        units.survival_change_reason,
        coalesce(
            abs(ei_change) >= limits.interval_z * ei_change_se,
            abs(survival_change) >= limits.interval_z * survival_change_se
        ) as is_change_clear,
        flags([
            if(is_open and districts.is_merged, 'MERGED', null),
            if(not is_change_clear, 'NO_CLEAR_CHANGE', null),
            if(units.unit_level <> 'district', 'COVERAGE_ONLY', null),
        ]) as flags,
    from units
    left join districts using (unit_level, unit_code, level, year_bs)
    cross join limits
    where units.has_earlier

)

select * from progress_published
