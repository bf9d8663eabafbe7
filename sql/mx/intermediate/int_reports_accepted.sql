-- One row per school, shift and item: the accepted report that holds.

with

reports_ranked as (

    select
        cct, shift, item, report_id,
        reported_value, is_present, reported_count, observed_on,
        count(*) over (partition by cct, shift, item) as accepted_count,
    from intermediate.int_reports_decided
    where status = 'ACCEPTED'
    qualify
        row_number() over (
            partition by cct, shift, item order by observed_on desc, sequence_number desc
        ) = 1

)

select * from reports_ranked
