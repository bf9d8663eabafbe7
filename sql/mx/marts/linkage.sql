-- One row per link and state: how many records of one source found their like in another.

with

records_stacked as (

    select
        state_code, cct as record_key,
        unnest([
            {'link': 'registry_to_municipality', 'is_matched': has_municipality},
            {'link': 'registry_to_locality', 'is_matched': has_locality},
            {'link': 'registry_to_ageb', 'is_matched': has_ageb},
        ], recursive := true),
    from intermediate.int_links_registry

    union all

    select state_code, cct, link, is_matched,
    from intermediate.int_links_results

    union all

    select
        state_code, record_key,
        unnest(case source
            when 'school_coordinates' then [
                {'link': 'coordinates_to_ageb_polygon', 'is_matched': has_ageb},
                {
                    'link': if(has_ageb, 'coordinates_to_census_ageb', null),
                    'is_matched': is_in_census,
                },
                {
                    'link': if(has_ageb, 'coordinates_to_marginalization_ageb', null),
                    'is_matched': is_in_marginalization,
                },
            ]
            when 'ageb_polygons' then [
                {'link': 'ageb_polygon_to_census_ageb', 'is_matched': is_in_census},
                {
                    'link': 'ageb_polygon_to_marginalization_ageb',
                    'is_matched': is_in_marginalization,
                },
            ]
            else [{
                'link': 'census_ageb_to_marginalization_ageb',
                'is_matched': is_in_marginalization,
            }]
        end, recursive := true),
    from intermediate.int_links_places

),

records_counted as (

    select
        link, state_code,
        count(*) as rows_count,
        count(*) filter (where is_matched) as matched_count,
        count(*) - count(distinct record_key) as duplicate_count,
        min(distinct record_key, 5) filter (where not is_matched) as unmatched_sample,
    from records_stacked
    where link is not null
    group by all

),

targets_anywhere as (

    select distinct source from intermediate.int_links_targets

),

links_judged as (

    select
        ---------- ids
        links.link, counted.state_code,

        ---------- words
        links.target,
        coalesce(unmatched_sample, []) as unmatched_sample,

        ---------- measures
        rows_count, matched_count,
        rows_count - matched_count as unmatched_count,
        duplicate_count,
        if(links.is_first, rows_count, 0) as source_rows_count,
        coalesce(targets.target_count, 0) as target_rows_count,
        case
            when targets.target_count > 0
                or (holds and anywhere.source is not null)
                then share_of(matched_count, rows_count)
        end as matched_share,
        known_or(matched_share) as matched_reason,
        links.threshold,

        ---------- booleans
        coalesce(matched_share < links.threshold, false) as is_below,
        links.holds,
    from records_counted as counted
    inner join method.links as links using (link)
    left join intermediate.int_links_targets as targets
        on targets.source = links.target and targets.state_code = counted.state_code
    left join targets_anywhere as anywhere on anywhere.source = links.target

)

select * from links_judged
