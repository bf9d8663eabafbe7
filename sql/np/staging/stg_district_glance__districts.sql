-- One row per district of the list at a glance.

with

spellings as (select spelling, district_name from reference.district_spellings),

records as (

    select
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        concat_ws(
            '|',
            files.population,
            files.poverty,
            files.literacy,
            files.literacy_male,
            files.literacy_female,
            files.pupils_per_teacher
        ) as record_text,
        case
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
            when ends_with(spelling_of(files.district), 'total') then 'TOTAL_ROW'
        end as unfit_reason,
        files,
    from raw.district_glance as files
    left join spellings on spellings.spelling = district_spelling(files.district)

),

records_judged as (

    select
        district_name,
        district_written,
        read_count(files.population) as population_count,
        percent_as_share(files.poverty) as poverty_share,
        percent_as_share(files.literacy) as literacy_share,
        percent_as_share(files.literacy_male) as literacy_male_share,
        percent_as_share(files.literacy_female) as literacy_female_share,
        read_amount(files.pupils_per_teacher) as pupils_per_teacher,
        flags,
        files._file,
        files._record,
        coalesce(unfit_reason, duplicate_reason(
            min(record_text) over copies, max(record_text) over copies,
            row_number() over (copies order by files._file, files._record)
        )) as _set_aside,
    from records
    window copies as (partition by unfit_reason is null, district_name)

)

select * from records_judged
