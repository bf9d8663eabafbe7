-- One row per decision about a report.

with

records_judged as (

    select
        _record as decision_id,
        report_id,
        upper(decision) as decision,
        decided_by,
        clean_date(decided_on) as decided_on,
        fold_text(reason) as decision_reason,
        _file, _record,
        case
            when report_id is null then 'NO_REPORT'
            when decision is null or decision not in ('accepted', 'rejected', 'withdrawn')
                then 'UNKNOWN_DECISION'
        end as _set_aside,
    from raw.school_report_decisions

)

select * from records_judged
