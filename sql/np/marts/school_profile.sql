-- One row per school and school year: its profile, in figures and in words.

with

texts as (

    select
        map_from_entries(list((part, text_en) order by part)) as texts_en,
        map_from_entries(list((part, text_ne) order by part)) as texts_ne,
    from reference.school_sentences

),

districts as (

    select district_name, level, year_bs, c_bar as district_coverage
    from marts.district_index

),

levels as (select level, first_grade, last_grade from method.levels),

-- The sentence of each level.
coverages as (

    select
        units.*, district_coverage, first_grade,
        [
            concat('coverage:', coalesce(
                c_pool_reason, if(pair_count > 1, 'pooled', 'known')
            )),
            if(c_pool is null or district_coverage is null, null, 'coverage:district'),
        ] as parts,
        [
            ['first', first_grade::varchar], ['last', last_grade::varchar],
            ['value', shown_number(c_pool, 'of_100')], ['pairs', pair_count::varchar],
            ['low', shown_number(c_pool_low, 'of_100')],
            ['high', shown_number(c_pool_high, 'of_100')],
            ['mean', shown_number(district_coverage, 'of_100')],
        ] as numbers,
        filled(texts_of(texts_en, parts), numbers) as coverage_en,
        devanagari_digits(filled(texts_of(texts_ne, parts), numbers)) as coverage_ne,
    from marts.school_index as units
    left join districts using (district_name, level, year_bs)
    left join levels using (level)
    cross join texts

),

schools as (

    select
        school_code, year_bs,
        count(*) as level_count,
        min(coalesce(school_name, school_code)) as school_name,
        min(district_name) as district_name,
        min(coalesce(nullif(vdc_name, 'unknown'), '–')) as vdc_name,
        min(location) as location,
        min(school_type) as school_type,
        min(c_pool) filter (where level = 'basic') as coverage_basic,
        min(c_pool_low) filter (where level = 'basic') as coverage_basic_low,
        min(c_pool_high) filter (where level = 'basic') as coverage_basic_high,
        min(c_pool_reason) filter (where level = 'basic') as basic_reason,
        min(district_coverage) filter (where level = 'basic') as district_coverage_basic,
        min(c_pool) filter (where level = 'secondary') as coverage_secondary,
        min(c_pool_low) filter (where level = 'secondary') as coverage_secondary_low,
        min(c_pool_high) filter (where level = 'secondary') as coverage_secondary_high,
        min(c_pool_reason) filter (where level = 'secondary') as secondary_reason,
        min(district_coverage) filter (where level = 'secondary')
            as district_coverage_secondary,
        flags(flatten(list(flags order by level))) as flags,
        string_agg(coverage_en, ' ' order by first_grade) as coverage_en,
        string_agg(coverage_ne, ' ' order by first_grade) as coverage_ne,
    from coverages
    group by all

),

schools_profiled as (

    select
        schools.* exclude (flags, coverage_en, coverage_ne, basic_reason, secondary_reason),
        if(coverage_basic is null, coalesce(basic_reason, 'NOT_APPLICABLE'), null)
            as coverage_basic_reason,
        if(coverage_secondary is null, coalesce(secondary_reason, 'NOT_APPLICABLE'), null)
            as coverage_secondary_reason,
        resources.* exclude (school_code, year_bs, resources_en, resources_ne),
        flags,
        concat_ws(' ',
            filled(filled(texts_en['head'], year_numbers(year_bs)), [['school', school_name],
                ['vdc', vdc_name], ['district', district_name]]),
            coverage_en, resources_en) as summary_en,
        concat_ws(' ',
            filled(devanagari_digits(filled(texts_ne['head'], year_numbers(year_bs))), [
                ['school', school_name], ['vdc', vdc_name],
                ['district', coalesce(district_name_ne, district_name)]]),
            coverage_ne, resources_ne) as summary_ne,
    from schools
    left join intermediate.int_school_resources as resources using (school_code, year_bs)
    left join reference.districts using (district_name)
    cross join texts

)

select * from schools_profiled
