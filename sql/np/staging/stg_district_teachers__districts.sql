-- One row per district of the teacher posts.

with

spellings as (select spelling, district_name from reference.district_spellings),

records as (

    select
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        concat_ws(
            '|',
            files.approved_primary,
            files.approved_lower_secondary,
            files.approved_secondary,
            files.rahat_primary,
            files.rahat_lower_secondary,
            files.rahat_secondary
        ) as record_text,
        case
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
            when ends_with(spelling_of(files.district), 'total') then 'TOTAL_ROW'
        end as unfit_reason,
        files,
    from raw.district_teachers as files
    left join spellings on spellings.spelling = district_spelling(files.district)

),

records_judged as (

    select
        district_name,
        district_written,
        read_count(files.approved_primary) as approved_primary_count,
        read_count(files.approved_lower_secondary) as approved_lower_secondary_count,
        read_count(files.approved_secondary) as approved_secondary_count,
        read_count(files.rahat_primary) as rahat_primary_count,
        read_count(files.rahat_lower_secondary) as rahat_lower_secondary_count,
        read_count(files.rahat_secondary) as rahat_secondary_count,
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
