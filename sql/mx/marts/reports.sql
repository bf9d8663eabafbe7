-- One row per accepted or pending report, with the value of the source beside it.

with

reports_compared as (

    select
        reports.report_id, reports.cct, reports.shift, reports.item, reports.status,
        coalesce(reports.report_id = accepted.report_id, false) as is_in_use,
        reports.reported_value,
        case reports.item
            when 'water' then yes_or_no(buildings.registered_has_water)
            when 'drainage' then yes_or_no(buildings.registered_has_drainage)
            when 'toilets' then yes_or_no(buildings.registered_has_toilets)
            when 'handwashing' then yes_or_no(buildings.registered_has_handwashing)
            when 'classrooms'
                then cast(buildings.registered_classrooms_count as varchar)
            when 'teachers' then cast(crowding.registered_teachers_count as varchar)
        end as registered_value,
        if(reports.item = 'teachers', 'REGISTRY', 'BUILDINGS') as registered_source,
        reports.observed_on, reports.reporter_role, reports.recorded_at,
        reports.decided_on,
        1 as report_count,
        flags([
            if(buildings.cct is null, 'SCHOOL_UNKNOWN', null),
            if(is_in_use, 'REPORTED', null),
            if(reports.status = 'ACCEPTED' and not is_in_use, 'SUPERSEDED', null),
        ]) as flags,
    from intermediate.int_reports_decided as reports
    left join intermediate.int_reports_accepted as accepted using (cct, shift, item)
    left join intermediate.int_buildings_schools as buildings using (cct, shift)
    left join intermediate.int_crowding_schools as crowding using (cct, shift)
    where reports.status in ('ACCEPTED', 'PENDING')

)

select * from reports_compared
