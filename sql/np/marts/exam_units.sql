-- One row per school or VDC of a district, examination and school year: its passes, its place.

with

units as (

    select
        unit_level, unit_code, district_name, vdc_name, exam, year_bs, schools_count,
        result_count, unread_count, appeared_count, passed_count, pupils_count,
        unread_row_count,
    from intermediate.int_exam_units

),

limits as (select max_left_out_share from method.flows),

exams as (select exam, min_candidates from method.exams),

units_measured as (

    select
        units.*,
        appeared_count < min_candidates as is_small,
        unread_count > max_left_out_share * result_count as is_missing,
        case when not is_missing then share_of(passed_count, appeared_count) end
            as pass_rate,
        case when not is_missing then clamp_unit(share_of(passed_count, pupils_count)) end
            as adjusted_pass_rate,
        adjusted_pass_rate is not null and not is_small as is_ranked,
    from units
    inner join exams using (exam)
    cross join limits

),

units_published as (

    select
        ---------- ids and words
        unit_level,
        unit_code,
        district_name,
        vdc_name,
        exam,
        year_bs,

        ---------- measures
        pass_rate,
        case when pass_rate is null then if(is_missing, 'MISSING', 'UNDEFINED') end
            as pass_rate_reason,
        adjusted_pass_rate,
        case
            when adjusted_pass_rate is not null then null
            when is_missing then 'MISSING'
            when pupils_count is null then 'NOT_AVAILABLE'
            else 'UNDEFINED'
        end as adjusted_pass_rate_reason,
        case
            when is_ranked
                then rank() over (
                    partition by unit_level, district_name, exam, year_bs, is_ranked
                    order by adjusted_pass_rate desc
                )
        end as rank_in_district,
        case
            when is_ranked then null
            when is_small then 'NOT_APPLICABLE'
            else 'NOT_AVAILABLE'
        end as rank_in_district_reason,

        ---------- what it rests on
        schools_count,
        appeared_count,
        passed_count,
        pupils_count,
        flags([
            'NO_UNCERTAINTY',
            if(is_missing, 'MISSING', null),
            if(unread_count + unread_row_count > 0, 'PARTIAL', null),
        ]) as flags,
    from units_measured

)

select * from units_published
