-- One row per school and shift: the published result that may stand for it, and another
-- year's result where that one is missing or unreliable.

with

results_spread as (

    select
        schools.cct, schools.shift, schools.level, editions.scale,
        editions.year as edition_year,
        results.year, results.level_1_share, results.subject_count,
        results.tested_count, results.participation,
        results.is_reliable, results.is_unreliable,
        links.source_shift <> links.shift as is_shared,
        links.result_count > 0 as is_counted_here,
        results.year >= editions.year as is_of_edition,
        editions.year - results.year <= max_years_apart as is_near,
        other_years.slope, other_years.intercept, other_years.spread,
    from intermediate.int_schools_described as schools
    left join intermediate.int_learning_years as editions
        on editions.level = schools.level and editions.is_edition
    left join intermediate.int_learning_schools as links
        on
            links.cct = schools.cct and links.shift = schools.shift
            and links.level = editions.level and links.scale = editions.scale
    left join intermediate.int_learning_reliability as results
        on
            results.cct = links.cct and results.shift = links.source_shift
            and results.scale = links.scale and results.year = links.year
            and results.level = links.level
    left join intermediate.int_learning_years as other_years
        on
            other_years.level = links.level and other_years.scale = links.scale
            and other_years.year = links.year
    cross join method.imputation

),

schools_summed as (

    select
        cct, shift, level, scale, edition_year,
        first({
            'year': year, 'share': level_1_share, 'subject_count': subject_count,
            'tested_count': tested_count, 'participation': participation,
            'is_reliable': is_reliable, 'is_unreliable': is_unreliable,
            'is_shared': is_shared, 'is_counted_here': is_counted_here,
        } order by is_reliable desc, level_1_share is null, year desc)
            filter (where is_of_edition) as own,
        first({
            'year': year,
            'value': clamp_unit(intercept + slope * level_1_share),
            'spread': spread,
            'is_shared': is_shared,
        } order by year desc)
            filter (where not is_of_edition and is_near and is_reliable and slope > 0)
            as other,
    from results_spread
    group by all

),

schools_named as (

    select
        cct, shift, level, scale, edition_year,
        own.share as observed_share,
        own.year as observed_year,
        own.subject_count, own.tested_count, own.participation,
        own.year is not null as is_published,
        coalesce(own.is_reliable, false) as is_reliable,
        coalesce(own.is_unreliable, false) as is_unreliable,
        coalesce(own.is_shared, false) as is_shared,
        is_reliable and own.is_counted_here as is_giver,
        if(is_reliable, null, other.year) as other_year,
        if(is_reliable, null, other.value) as other_value,
        if(is_reliable, null, other.spread) as other_spread,
        not is_reliable and coalesce(other.is_shared, false) as is_other_shared,
    from schools_summed

)

select * from schools_named
