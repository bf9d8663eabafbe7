-- One row per school, year, grade and group of pupils in the enrolment files.

with

words as (select dimension, spelling, word from reference.words),

spellings as (select spelling, district_name from reference.district_spellings),

records as (

    select
        read_count(files.year_bs) as year_bs,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        word_or_written(null, files.vdc) as vdc_name,
        fold_text(files.school_code) as school_code,
        read_count(files.grade) as grade,
        word_or_written(sexes.word, files.sex) as sex,
        word_or_written(castes.word, files.caste) as caste,
        word_or_written(disabilities.word, files.disability) as disability,
        word_or_written(locations.word, files.location) as location,
        coalesce(fold_text(files.enrolled), '') as enrolled,
        coalesce(fold_text(files.repeaters_next), '') as repeaters_next,
        files._file,
        files._record,
    from raw.enrolment as files
    left join spellings on spellings.spelling = district_spelling(files.district)
    left join words as sexes
        on sexes.dimension = 'gender' and sexes.spelling = spelling_of(files.sex)
    left join words as castes
        on castes.dimension = 'caste' and castes.spelling = spelling_of(files.caste)
    left join words as disabilities
        on disabilities.dimension = 'disability'
        and disabilities.spelling = spelling_of(files.disability)
    left join words as locations
        on locations.dimension = 'location'
        and locations.spelling = spelling_of(files.location)

),

-- Only keys that stand there more than once are looked at more closely: they are few.
repeated as (

    select year_bs, school_code, grade, sex, caste, disability, location
    from records
    group by all
    having count(*) > 1

),

copies as (

    select
        _file,
        _record,
        min([district_name, vdc_name, enrolled, repeaters_next]) over copies
            <> max([district_name, vdc_name, enrolled, repeaters_next]) over copies
            as is_contradicted,
        row_number() over (copies order by _file, _record) as copy_number,
    from records
    semi join repeated using (
        year_bs, school_code, grade, sex, caste, disability, location
    )
    window copies as (
        partition by year_bs, school_code, grade, sex, caste, disability, location
    )

),

records_judged as (

    select
        year_bs,
        district_name,
        district_written,
        vdc_name,
        school_code,
        grade,
        sex,
        caste,
        disability,
        location,
        coalesce(copies.is_contradicted, false) as is_contested,
        case when not is_contested then read_count(enrolled) end as pupils_count,
        case when is_contested then 'UNDEFINED' else count_missing_reason(enrolled) end
            as pupils_count_reason,
        case when not is_contested then read_count(repeaters_next) end
            as repeaters_count,
        case
            when is_contested then 'UNDEFINED'
            when repeaters_next = '' and disability = 'yes' then 'NOT_AVAILABLE'
            else count_missing_reason(repeaters_next)
        end as repeaters_count_reason,
        _file,
        _record,
        case
            when (year_bs between 1970 and 2200) is not true then 'UNREADABLE_YEAR'
            when (grade between 1 and 12) is not true then 'UNREADABLE_GRADE'
            when district_name is null then 'MISSING_DISTRICT'
            when school_code is null then 'MISSING_SCHOOL'
            when coalesce(copies.copy_number, 1) = 1 then null
            when is_contested then 'CONFLICTING_DUPLICATE'
            else 'DUPLICATE'
        end as _set_aside,
    from records
    left join copies using (_file, _record)

)

select * from records_judged
