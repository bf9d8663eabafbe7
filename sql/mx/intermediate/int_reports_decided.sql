-- One row per report of a school community: what it says and how it stands.

with

decisions_last as (

    select report_id, decision, decided_on
    from staging.stg_school_report_decisions__decisions
    qualify row_number() over (partition by report_id order by decision_id desc) = 1

),

reports_decided as (

    select
        reports.report_id, reports.cct, reports.shift, reports.item,
        coalesce(decisions.decision, 'PENDING') as status,
        reports.reported_value, reports.is_present, reports.reported_count,
        reports.observed_on, reports.reporter_role, reports.recorded_at,
        decisions.decided_on,
        reports._record as sequence_number,
    from staging.stg_school_reports__reports as reports
    left join decisions_last as decisions using (report_id)

)

select * from reports_decided
