-- One row per school and shift: pupils per room and per teacher.

with

schools_counted as (

    select
        schools.cct, schools.shift,
        registry.pupils_count,
        if(registry.cct is null, 'NOT_AVAILABLE', registry.pupils_reason)
            as pupils_reason,
        coalesce(reports.teachers_count, registry.teachers_count) as teachers_count,
        value_source(reports.teachers_count, registry.teachers_count, 'REGISTRY')
            as teachers_source,
        registry.teachers_count as registered_teachers_count,
        buildings.classrooms_count,
        coalesce(buildings.classrooms_source = 'REPORT', false) as is_room_reported,
    from intermediate.int_schools_spine as schools
    left join staging.stg_registry__schools as registry
        on registry.cct = schools.cct and registry.shift = schools.shift
    left join intermediate.int_buildings_schools as buildings
        on buildings.cct = schools.cct and buildings.shift = schools.shift
    left join intermediate.int_reports_schools as reports
        on reports.cct = schools.cct and reports.shift = schools.shift

),

schools_scored as (

    select
        cct,
        shift,
        pupils_count,
        pupils_reason,
        share_of(pupils_count, classrooms_count) as pupils_per_room,
        share_of(pupils_count, teachers_count) as pupils_per_teacher,
        room_to_spare(
            pupils_count, classrooms_count, pupils_per_room_low, pupils_per_room_high
        ) as room_score,
        room_to_spare(
            pupils_count, teachers_count,
            pupils_per_teacher_low, pupils_per_teacher_high
        ) as teacher_score,
        mean_of_known([room_score, teacher_score], 1) as feasibility_crowding,
        case
            when feasibility_crowding is not null then null
            when pupils_count = 0 then 'NOT_APPLICABLE'
            else coalesce(pupils_reason, 'NOT_AVAILABLE')
        end as crowding_reason,
        teachers_source,
        registered_teachers_count,
        list_concat(
            if(is_room_reported, ['classrooms'], []),
            if(teachers_source = 'REPORT', ['teachers'], [])
        ) as reported_items,
        flags([
            if(len(reported_items) > 0, 'REPORTED', null),
            if(pupils_count = 0, 'NO_STUDENTS', null),
            if(pupils_count > 0 and classrooms_count = 0, 'NO_CLASSROOM', null),
            if(pupils_count > 0 and teachers_count = 0, 'NO_TEACHER', null),
        ]) as flags,
    from schools_counted
    cross join method.crowding

)

select * from schools_scored
