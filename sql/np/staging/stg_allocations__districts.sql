-- One row per year and district of the allocation files.

with

spellings as (select spelling, district_name from reference.district_spellings),

records as (

    select
        read_count(files.year_bs) as year_bs,
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        coalesce(fold_text(files.amount), '') as amount,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        files._file,
        files._record,
        case
            when (read_count(files.year_bs) between 1970 and 2200) is not true
                then 'UNREADABLE_YEAR'
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
        end as unfit_reason,
    from raw.allocations as files
    left join spellings on spellings.spelling = district_spelling(files.district)

),

records_judged as (

    select
        year_bs,
        district_name,
        district_written,
        read_amount(records.amount) as amount,
        amount_missing_reason(records.amount) as amount_reason,
        flags,
        _file,
        _record,
        coalesce(unfit_reason, duplicate_reason(
            min(records.amount) over copies, max(records.amount) over copies,
            row_number() over (copies order by _file, _record)
        )) as _set_aside,
    from records
    window copies as (partition by unfit_reason is null, year_bs, district_name)

)

select * from records_judged
