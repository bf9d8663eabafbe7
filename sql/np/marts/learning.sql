-- One row per district, school year and examination: passes, and how equally they are spread.

with

districts as (

    select
        district_name, year_bs, exam, is_district_unknown, is_comparable, gpa_min,
        group_count, unread_count, appeared_count, passed_count, pupils_count,
        is_missing, pass_rate, dissimilarity, ei, adjusted_pass_rate, adjusted_ei,
        is_comparable and not is_district_unknown and adjusted_ei is not null as is_ranked,
    from intermediate.int_district_learning

),

districts_published as (

    select
        district_name, year_bs, exam, gpa_min,
        if(gpa_min is null, 'NOT_APPLICABLE', null) as gpa_min_reason,
        group_count, appeared_count, passed_count, pupils_count,
        pass_rate, dissimilarity, ei, adjusted_pass_rate, adjusted_ei,
        case when ei is null then if(is_missing, 'MISSING', 'UNDEFINED') end
            as ei_reason,
        case
            when is_ranked
                then rank() over (
                    partition by year_bs, exam, is_ranked order by adjusted_ei desc
                )
        end as rank,
        case
            when not is_comparable then 'EXAM_NOT_COMPARABLE'
            when is_district_unknown then 'NOT_APPLICABLE'
            when not is_ranked then 'NOT_AVAILABLE'
        end as rank_reason,
        flags([
            'NO_UNCERTAINTY',
            if(not is_comparable, 'EXAM_NOT_COMPARABLE', null),
            if(is_missing, 'MISSING', null), if(unread_count > 0, 'PARTIAL', null),
            if(is_district_unknown, 'UNKNOWN_DISTRICT', null),
        ]) as flags,
    from districts

)

select * from districts_published
