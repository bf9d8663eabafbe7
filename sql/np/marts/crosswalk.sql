-- One row per spelling of a district: those that are known, and those that the files have.

with

spellings_seen as (

    select
        spelling,
        list_distinct(
            list(district_written order by district_written, source_name)
        ) as written,
        list_distinct(
            list(source_name order by source_name, district_written)
        ) as seen_in,
        count(*) as writings_count,
        cast(sum(rows_count) as bigint) as rows_count,
    from intermediate.int_district_spellings
    group by spelling

),

spellings_joined as (

    select
        coalesce(known.spelling, seen.spelling) as spelling,
        list_sort(coalesce(written, [])) as written,
        known.district_name,
        known.source as spelling_source,
        list_sort(coalesce(seen_in, [])) as seen_in,
        coalesce(writings_count, 0) as writings_count,
        coalesce(rows_count, 0) as rows_count,
    from reference.district_spellings as known
    full join spellings_seen as seen on seen.spelling = known.spelling

),

spellings_placed as (

    select
        spelling,
        written,
        district_name,
        district_name_ne,
        district_75,
        district_77,
        province,
        belt,
        is_earthquake_affected,
        spelling_source,
        seen_in,
        writings_count,
        rows_count,
        flags([
            unknown_district_flag(joined.district_name),
            if(district_75 is not null and district_77 is null, 'UNDIVIDED_DISTRICT', null),
        ]) as flags,
    from spellings_joined as joined
    left join reference.districts using (district_name)

)

select * from spellings_placed
