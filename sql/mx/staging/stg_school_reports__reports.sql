-- One row per report of a school community.

with

records_cleaned as (

    select
        report_id,
        cct_key(reports.cct) as cct,
        shift_or_unknown(shifts.shift, reports.shift) as shift,
        items.item,
        fold_text(reports.value) as reported_value,
        items.is_count,
        cast(
            case when not is_count then
                case reported_value when 'yes' then true when 'no' then false end
            end as boolean
        ) as is_present,
        case when is_count then clean_count(reports.value) end as reported_count,
        clean_date(observed_on) as observed_on,
        reporter_role,
        try_cast(recorded_at as timestamp) as recorded_at,
        cct_clean(reports.cct) is null as is_no_cct,
        _file, _record,
    from raw.school_reports as reports
    left join reference.shifts on shifts.word = fold_word(reports.shift)
    left join reference.report_items as items on items.item = reports.item

),

records_judged as (

    select
        report_id, cct, shift, item,
        reported_value, is_present, reported_count,
        observed_on, reporter_role, recorded_at,
        _file, _record,
        case
            when is_no_cct then 'INVALID_CCT'
            when item is null then 'UNKNOWN_ITEM'
            when is_present is null and reported_count is null then 'INVALID_VALUE'
            when observed_on is null then 'INVALID_DATE'
        end as _set_aside,
    from records_cleaned

)

select * from records_judged
