-- One row per unit (district, country), level and school year: children out of school.

with

units as (

    select
        unit_level, unit_code, level, year_bs, group_count, enrolled_count,
        population_count, out_of_school_rate_girls, out_of_school_rate_boys,
        is_above, is_partial, is_missing, is_adjusted, c_bar, dissimilarity, ei,
    from intermediate.int_unit_participation

),

units_published as (

    select
        unit_level, unit_code, level, year_bs,
        group_count, enrolled_count, population_count,
        1 - enrolled_count / nullif(population_count, 0) as out_of_school_rate,
        out_of_school_rate_girls, out_of_school_rate_boys, c_bar, dissimilarity, ei,
        case
            when ei is not null then null
            when is_missing then 'MISSING'
            when population_count is null then 'NOT_AVAILABLE'
            else 'UNDEFINED'
        end as ei_reason,
        flags([
            'AGE_PROXY', 'NO_UNCERTAINTY',
            if(is_missing, 'MISSING', null), if(is_partial, 'PARTIAL', null),
            if(is_adjusted, 'REPORTING_ADJ', null), if(is_above, 'ENROL_GT_POP', null),
            if(population_count = 0, 'ZERO_POP', null),
        ]) as flags,
    from units

)

select * from units_published
