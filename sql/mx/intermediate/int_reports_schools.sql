-- One row per school and shift with an accepted report: what the reports say.

with

reports_gathered as (

    select
        cct,
        shift,
        bool_or(is_present) filter (where item = 'water') as has_water,
        bool_or(is_present) filter (where item = 'drainage') as has_drainage,
        bool_or(is_present) filter (where item = 'toilets') as has_toilets,
        bool_or(is_present) filter (where item = 'handwashing') as has_handwashing,
        max(reported_count) filter (where item = 'classrooms') as classrooms_count,
        max(reported_count) filter (where item = 'teachers') as teachers_count,
        flags([
            if(classrooms_count is not null, 'classrooms', null),
            if(has_drainage is not null, 'drainage', null),
            if(has_handwashing is not null, 'handwashing', null),
            if(teachers_count is not null, 'teachers', null),
            if(has_toilets is not null, 'toilets', null),
            if(has_water is not null, 'water', null),
        ]) as reported_items,
        count(*) as item_count,
    from intermediate.int_reports_accepted
    group by cct, shift

)

select * from reports_gathered
