-- One row per year and school of the school files.

with

spellings as (select spelling, district_name from reference.district_spellings),

words as (select dimension, spelling, word from reference.words),

records as (

    select
        read_count(files.year_bs) as year_bs,
        fold_text(files.school_code) as school_code,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        word_or_written(null, files.vdc) as vdc_name,
        word_or_written(locations.word, files.location) as location,
        word_or_written(belts.word, files.belt) as belt,
        word_or_written(types.word, files.type) as school_type,
        spellings.district_name is null as is_unknown,
        coalesce(read_count(files.teachers_trained) > read_count(files.teachers), false)
            as is_impossible,
        concat_ws(
            '|', files.district, vdc_name, location, belt, school_type,
            files.teachers, files.teachers_trained, files.classrooms, files.textbooks,
            files.book_corner, files.latrines, files.science_lab, files.funding_per_pupil
        ) as record_text,
        case
            when (read_count(files.year_bs) between 1970 and 2200) is not true
                then 'UNREADABLE_YEAR'
            when fold_text(files.school_code) is null then 'MISSING_SCHOOL'
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
        end as unfit_reason,
        files,
    from raw.schools as files
    left join spellings on spellings.spelling = district_spelling(files.district)
    left join words as locations
        on locations.dimension = 'location'
        and locations.spelling = spelling_of(files.location)
    left join words as belts
        on belts.dimension = 'belt' and belts.spelling = spelling_of(files.belt)
    left join words as types
        on types.dimension = 'school_type' and types.spelling = spelling_of(files.type)

),

records_judged as (

    select
        year_bs,
        school_code,
        fold_text(files.name) as school_name,
        district_name,
        district_written,
        vdc_name,
        location,
        belt,
        school_type,
        read_count(files.teachers) as teachers_count,
        count_missing_reason(files.teachers) as teachers_count_reason,
        case when not is_impossible then read_count(files.teachers_trained) end
            as teachers_trained_count,
        if(is_impossible, 'UNDEFINED', count_missing_reason(files.teachers_trained))
            as teachers_trained_count_reason,
        read_count(files.classrooms) as classrooms_count,
        count_missing_reason(files.classrooms) as classrooms_count_reason,
        read_answer(files.textbooks) as textbooks,
        answer_missing_reason(files.textbooks) as textbooks_reason,
        read_answer(files.book_corner) as book_corner,
        answer_missing_reason(files.book_corner) as book_corner_reason,
        read_answer(files.latrines) as latrines,
        answer_missing_reason(files.latrines) as latrines_reason,
        read_answer(files.desks) as desks,
        answer_missing_reason(files.desks) as desks_reason,
        read_answer(files.chairs) as chairs,
        answer_missing_reason(files.chairs) as chairs_reason,
        read_answer(files.computers) as computers,
        answer_missing_reason(files.computers) as computers_reason,
        read_answer(files.electricity) as electricity,
        answer_missing_reason(files.electricity) as electricity_reason,
        read_answer(files.internet) as internet,
        answer_missing_reason(files.internet) as internet_reason,
        read_answer(files.playground) as playground,
        answer_missing_reason(files.playground) as playground_reason,
        read_answer(files.science_lab) as science_lab,
        answer_missing_reason(files.science_lab) as science_lab_reason,
        read_amount(files.funding_per_pupil) as funding_per_pupil,
        amount_missing_reason(files.funding_per_pupil) as funding_per_pupil_reason,
        read_count(files.scholarships) as scholarships_count,
        count_missing_reason(files.scholarships) as scholarships_count_reason,
        read_answer(files.language_support) as language_support,
        answer_missing_reason(files.language_support) as language_support_reason,
        read_answer(files.earthquake_affected) as is_earthquake_affected,
        flags([
            if(is_unknown, 'UNKNOWN_DISTRICT', null),
            if(is_impossible, 'IMPOSSIBLE_COUNT', null),
        ]) as flags,
        files._file,
        files._record,
        coalesce(unfit_reason, duplicate_reason(
            min(record_text) over copies, max(record_text) over copies,
            row_number() over (copies order by files._file, files._record)
        )) as _set_aside,
    from records
    window copies as (partition by unfit_reason is null, year_bs, school_code)

)

select * from records_judged
