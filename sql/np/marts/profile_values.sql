-- One row per district, school year and fact of the profile: its value, and how it is told.

with

lines as (

    select district_name, year_bs, fact, position, measure, level, absent_reason
    from intermediate.int_profile_lines

),

measures as (

    select * from marts.profile_results

    union all by name
    select
        unit_code as district_name, year_bs, level,
        unnest([told_plain('out_of_school', if(out_of_school_rate < 0, 'too_many', 'known'),
            out_of_school_rate, ei_reason)], recursive := true),
    from marts.out_of_school
    where unit_level = 'district'

    union all by name
    select
        district_name, year_bs,
        unnest([
            told_plain('slc_pass_rate', 'known', pass_rate, ei_reason),
            told_plain('slc_passed', 'known', adjusted_pass_rate,
                coalesce(ei_reason, 'MISSING')),
        ], recursive := true),
    from marts.learning
    where exam = 'SLC'

    union all by name
    select
        unit_code as district_name, year_bs, resources.level,
        unnest([
            told_with('resource_index', 'known', resource_index, conditions_count,
                resource_index_reason),
            told('most_lacking', if(most_lacking_share is null, 'none', 'known'),
                if(resource_index is null, null, coalesce(most_lacking_share, 0)), null, null,
                most_lacking_condition, title_en, title_ne, resource_index_reason),
        ], recursive := true),
    from marts.resources
    left join method.conditions as conditions
        on conditions.level = resources.level and condition = most_lacking_condition
    where unit_level = 'district'

    union all by name
    select
        unit_code as district_name, year_bs,
        unnest([told_with('teachers_short', if(teacher_shortage_count = 0, 'none', 'known'),
            teacher_shortage_count, short_schools_count, teacher_adequacy_reason
        )], recursive := true),
    from marts.teachers
    where unit_level = 'district'

    union all by name
    select
        district_name, year_bs, level,
        unnest([
            told_with('expected', 'known', expected_coverage,
                shown_number(national_coverage, 'of_100'), context_reason),
            told_plain('value_added', direction_of(value_added, 0.005), value_added,
                value_added_reason),
        ], recursive := true),
    from marts.context

    union all by name
    select
        district_name, year_bs,
        unnest([told_with('amount_' || formula, 'known', amount,
            shown_number(amount_per_pupil, 'whole'), amount_reason)], recursive := true),
    from marts.allocation

    union all by name
    select
        district_name, year_bs,
        unnest([told_with('amount_last', 'known', previous_amount, previous_year_bs,
            'NOT_AVAILABLE')], recursive := true),
    from intermediate.int_previous_amounts
    where level = 'basic'

),

values_told as (

    select
        lines.district_name, lines.year_bs, lines.fact,
        measures.value, measures.low, measures.high,
        measures.detail, measures.detail_en, measures.detail_ne,
        if(measures.value is null, coalesce(measures.reason, absent_reason), null) as reason,
        if(
            measures.value is null, coalesce(measures.reason, absent_reason),
            measures.telling
        ) as telling,
    from lines
    left join measures
        on measures.district_name = lines.district_name
        and measures.year_bs = lines.year_bs
        and measures.measure = lines.measure
        and measures.level is not distinct from lines.level

)

select * from values_told
