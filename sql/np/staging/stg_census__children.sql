-- One row per district and group of children of the census files.

with

spellings as (select spelling, district_name from reference.district_spellings),

words as (select dimension, spelling, word from reference.words),

records as (

    select
        coalesce(read_count(files.year_bs), 0) as year_bs,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        word_or_written(null, plain_digits(files.wealth)) as wealth,
        word_or_written(null, lower(files.mother_education)) as mother_education,
        word_or_written(sexes.word, files.sex) as sex,
        word_or_written(castes.word, files.caste) as caste,
        word_or_written(locations.word, files.location) as location,
        coalesce(fold_text(files.in_school), '') as in_school,
        coalesce(fold_text(files.out_of_school), '') as out_of_school,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        files._file,
        files._record,
        case when fold_text(files.district) is null then 'MISSING_DISTRICT' end
            as unfit_reason,
    from raw.census as files
    left join spellings on spellings.spelling = district_spelling(files.district)
    left join words as sexes
        on sexes.dimension = 'gender' and sexes.spelling = spelling_of(files.sex)
    left join words as castes
        on castes.dimension = 'caste' and castes.spelling = spelling_of(files.caste)
    left join words as locations
        on locations.dimension = 'location'
        and locations.spelling = spelling_of(files.location)

),

records_judged as (

    select
        year_bs,
        district_name,
        district_written,
        wealth,
        mother_education,
        sex,
        caste,
        location,
        read_count(in_school) as in_school_count,
        count_missing_reason(in_school) as in_school_count_reason,
        read_count(out_of_school) as out_of_school_count,
        count_missing_reason(out_of_school) as out_of_school_count_reason,
        flags,
        _file,
        _record,
        coalesce(unfit_reason, duplicate_reason(
            min([in_school, out_of_school]) over copies,
            max([in_school, out_of_school]) over copies,
            row_number() over (copies order by _file, _record)
        )) as _set_aside,
    from records
    window copies as (
        partition by
            unfit_reason is null, year_bs, district_name, wealth, mother_education,
            sex, caste, location
    )

)

select * from records_judged
