-- One row per school and shift: its latest result that feeds urgency.

with

results_usable as (

    select
        links.cct, links.shift, links.scale, links.year, links.level,
        links.source_shift,
        results.level_1_share,
        results.subject_count,
    from intermediate.int_learning_schools as links
    inner join intermediate.int_learning_results as results
        on
            results.cct = links.cct
            and results.shift = links.source_shift
            and results.scale = links.scale
            and results.year = links.year
            and results.level = links.level
    inner join method.scales on scales.scale = links.scale and scales.feeds_urgency

),

results_ranked as (

    select
        cct, shift, scale, year, source_shift, level_1_share, subject_count,
    from results_usable
    qualify
        row_number() over (
            partition by cct, shift
            order by level_1_share is null, year desc, scale, level
        ) = 1

),

schools_joined as (

    select
        schools.cct,
        schools.shift,
        latest.scale as learning_scale,
        latest.year as learning_year,
        latest.level_1_share as urgency_learning,
        case
            when latest.level_1_share is not null then null
            when latest.cct is not null then 'MISSING'
            else 'NOT_AVAILABLE'
        end as learning_reason,
        flags([
            if(latest.level_1_share is null, 'NO_LEARNING', null),
            if(latest.subject_count = 1, 'ONE_SUBJECT', null),
            if(latest.source_shift <> schools.shift, 'SHIFT_SHARED', null),
        ]) as flags,
    from intermediate.int_schools_spine as schools
    left join results_ranked as latest
        on latest.cct = schools.cct and latest.shift = schools.shift

)

select * from schools_joined
