-- One row per school and school year: its conditions and its teachers, in sentences.

with

texts as (

    select
        map_from_entries(list((part, text_en) order by part)) as texts_en,
        map_from_entries(list((part, text_ne) order by part)) as texts_ne,
    from reference.school_sentences

),

lacks as (

    select
        school_code, year_bs, district_name, level, is_counted, conditions_count,
        condition_score, condition_score_reason,
        lacking, lacking_en, lacking_ne, unanswered_en, unanswered_ne,
    from intermediate.int_school_lacks

),

teachers as (

    select
        school_code, year_bs, teachers_count, required_teachers_count,
        teacher_shortage_count, has_teachers,
    from intermediate.int_school_teachers

),

districts as (

    select unit_code as district_name, level, year_bs, resource_index
    from intermediate.int_unit_resources
    where unit_level = 'district'

),

schools_joined as (

    select
        lacks.*,
        resource_index as district_resource_index,
        teachers_count,
        required_teachers_count,
        teacher_shortage_count,
        if(has_teachers is null, 'MISSING', null) as teachers_reason,
        title_en,
        title_ne,
        [
            concat('resources:', coalesce(condition_score_reason, 'known')),
            if(condition_score is null or resource_index is null, null, 'resources:district'),
            if(is_counted and lacking is not null, 'lacking', null),
            if(is_counted and unanswered_en is not null, 'unanswered', null),
            case
                when has_teachers then 'teachers:enough'
                when not has_teachers then 'teachers:short'
                else 'teachers:MISSING'
            end,
        ] as parts,
        [
            ['count', conditions_count::varchar],
            ['score', shown_number(condition_score, 'tenths')],
            ['teachers', teachers_count::varchar],
            ['mean', shown_number(resource_index, 'tenths')],
            ['needed', required_teachers_count::varchar],
            ['short', teacher_shortage_count::varchar],
        ] as numbers,
    from lacks
    left join teachers using (school_code, year_bs)
    left join districts using (district_name, level, year_bs)
    left join reference.level_words using (level)

),

schools_worded as (

    select
        school_code,
        year_bs,
        level as resource_level,
        condition_score,
        condition_score_reason,
        conditions_count,
        lacking,
        lacking_en,
        lacking_ne,
        unanswered_en,
        unanswered_ne,
        district_resource_index,
        teachers_count,
        required_teachers_count,
        teacher_shortage_count,
        teachers_reason,
        filled(texts_of(texts_en, parts), list_concat(numbers, [
            ['level', title_en], ['lacking', lacking_en], ['unanswered', unanswered_en],
        ])) as resources_en,
        filled(devanagari_digits(texts_of(texts_ne, parts)), list_concat(
            list_transform(numbers, lambda pair: [pair[1], devanagari_digits(pair[2])]), [
                ['level', title_ne], ['lacking', lacking_ne], ['unanswered', unanswered_ne],
            ]
        )) as resources_ne,
    from schools_joined
    cross join texts

)

select * from schools_worded
