-- One row per year, school, examination and sex of the result files.

with

spellings as (select spelling, district_name from reference.district_spellings),

words as (select dimension, spelling, word from reference.words),

records as (

    select
        read_count(files.year_bs) as year_bs,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        fold_text(files.school_code) as school_code,
        exams.word as exam,
        sexes.word as sex,
        coalesce(fold_text(files.appeared), '') as appeared,
        coalesce(fold_text(files.passed), '') as passed,
        spellings.district_name is null as is_unknown,
        files._file,
        files._record,
        case
            when (read_count(files.year_bs) between 1970 and 2200) is not true
                then 'UNREADABLE_YEAR'
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
            when fold_text(files.school_code) is null then 'MISSING_SCHOOL'
            when exams.word is null then 'UNKNOWN_EXAM'
            when sexes.word is null then 'UNKNOWN_SEX'
        end as unfit_reason,
    from raw.exams as files
    left join spellings on spellings.spelling = district_spelling(files.district)
    left join words as exams
        on exams.dimension = 'exam' and exams.spelling = spelling_of(files.exam)
    left join words as sexes
        on sexes.dimension = 'gender' and sexes.spelling = spelling_of(files.sex)

),

records_counted as (

    select
        *,
        coalesce(read_count(passed) > read_count(appeared), false) as is_impossible,
    from records

),

records_judged as (

    select
        year_bs,
        district_name,
        district_written,
        school_code,
        exam,
        sex,
        read_count(appeared) as appeared_count,
        count_missing_reason(appeared) as appeared_count_reason,
        case when not is_impossible then read_count(passed) end as passed_count,
        if(is_impossible, 'UNDEFINED', count_missing_reason(passed))
            as passed_count_reason,
        flags([
            if(is_unknown, 'UNKNOWN_DISTRICT', null),
            if(is_impossible, 'IMPOSSIBLE_COUNT', null),
        ]) as flags,
        _file,
        _record,
        coalesce(unfit_reason, duplicate_reason(
            min([district_name, appeared, passed]) over copies,
            max([district_name, appeared, passed]) over copies,
            row_number() over (copies order by _file, _record)
        )) as _set_aside,
    from records_counted
    window copies as (
        partition by unfit_reason is null, year_bs, district_name, school_code, exam, sex
    )

)

select * from records_judged
