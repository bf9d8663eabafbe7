-- One row per year, district, age and sex of the population files.

with

spellings as (select spelling, district_name from reference.district_spellings),

words as (select spelling, word from reference.words where dimension = 'gender'),

records as (

    select
        read_count(files.year_bs) as year_bs,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        read_count(files.age) as age,
        words.word as sex,
        coalesce(fold_text(files.population), '') as population,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        files._file,
        files._record,
        case
            when (read_count(files.year_bs) between 1970 and 2200) is not true
                then 'UNREADABLE_YEAR'
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
            when (read_count(files.age) between 0 and 120) is not true
                then 'UNREADABLE_AGE'
            when words.word is null then 'UNKNOWN_SEX'
        end as unfit_reason,
    from raw.population as files
    left join spellings on spellings.spelling = district_spelling(files.district)
    left join words on words.spelling = spelling_of(files.sex)

),

records_judged as (

    select
        year_bs,
        district_name,
        district_written,
        age,
        sex,
        read_count(population) as population_count,
        count_missing_reason(population) as population_reason,
        flags,
        _file,
        _record,
        coalesce(unfit_reason, duplicate_reason(
            min(population) over copies, max(population) over copies,
            row_number() over (copies order by _file, _record)
        )) as _set_aside,
    from records
    window copies as (
        partition by unfit_reason is null, year_bs, district_name, age, sex
    )

)

select * from records_judged
