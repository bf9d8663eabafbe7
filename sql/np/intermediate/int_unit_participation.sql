-- One row per unit (district, country), level and school year: who is at school.

with

groups as (

    select
        district_name, level, year_bs, gender,
        enrolled_count, population_count, is_partial, is_missing,
        reporting_rate < 1 as is_adjusted,
        enrolled_count is not null and population_count is not null as is_known,
    from intermediate.int_enrolment_levels
    left join intermediate.int_population_levels using (district_name, level, year_bs, gender)

),

-- The country's are raw sums over the districts that are known.
groups_of_units as (

    select
        'district' as unit_level, district_name as unit_code,
        level, year_bs, gender, enrolled_count, population_count,
        is_partial, is_missing, is_adjusted, is_known,
        1::bigint as group_count,
    from groups
    union all
    select
        'country', 'country', level, year_bs, gender,
        sum(enrolled_count order by district_name) filter (where is_known),
        sum(population_count order by district_name) filter (where is_known),
        not bool_and(is_known) or bool_or(is_partial),
        false, bool_or(is_adjusted), bool_or(is_known), 0::bigint,
    from groups
    group by level, year_bs, gender

),

groups_rated as (

    select *, 1 - enrolled_count / nullif(population_count, 0) as out_of_school_rate,
    from groups_of_units

),

units_summed as (

    select
        unit_level, unit_code, level, year_bs,
        sum(group_count)::bigint as group_count,
        case when bool_and(is_known) then sum(enrolled_count order by gender) end
            as enrolled_count,
        case when bool_and(is_known) then sum(population_count order by gender) end
            as population_count,
        list(population_count order by gender) as populations,
        list(clamp_unit(1 - out_of_school_rate) order by gender) as rates,
        max(out_of_school_rate) filter (where gender = 'F') as out_of_school_rate_girls,
        max(out_of_school_rate) filter (where gender = 'M') as out_of_school_rate_boys,
        bool_or(enrolled_count > population_count) as is_above,
        bool_or(is_partial) as is_partial, bool_or(is_missing) as is_missing,
        bool_or(is_adjusted) as is_adjusted,
    from groups_rated
    group by all

),

units_measured as (

    select
        unit_level, unit_code, level, year_bs, group_count, enrolled_count,
        population_count, out_of_school_rate_girls, out_of_school_rate_boys,
        is_above, is_partial, is_missing, is_adjusted,
        if(population_count is null, null, mean_rate(populations, rates)) as c_bar,
        rates_dissimilarity(populations, rates, c_bar) as dissimilarity,
        if(c_bar = 0, 0, c_bar * (1 - dissimilarity)) as ei,
    from units_summed

)

select * from units_measured
