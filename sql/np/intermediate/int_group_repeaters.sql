-- One row per variant, district, school year, grade and group: its repeaters, totals preserved.

with

groups as (

    select
        variant,
        district_name,
        year_bs,
        grade,
        gender,
        caste,
        location,
        disability,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
        next_pupils_count,
        total_repeaters_count,
        is_reported,
        is_uncounted,
        estimate,
    from intermediate.int_group_estimates

),

estimates_summed as (

    select
        variant,
        district_name,
        year_bs,
        grade,
        gender,
        caste,
        location,
        count(*) = count(estimate) as is_known,
        sum(estimate order by disability) as estimate,
    from groups
    where is_uncounted
    group by all

),

repeaters_shared as (

    select
        ---------- ids
        groups.variant,
        groups.district_name,
        groups.year_bs,
        groups.grade,
        groups.gender,
        groups.caste,
        groups.location,
        groups.disability,

        ---------- measures
        groups.pupils_count,
        groups.flow_pupils_count,
        groups.next_pupils_count,
        case
            when groups.is_uncounted then groups.estimate
            when estimates_summed.is_known is null or groups.repeaters_count = 0
                then groups.repeaters_count::double
            when estimates_summed.is_known
                then groups.repeaters_count - estimates_summed.estimate
                    * groups.repeaters_count / groups.total_repeaters_count
        end as repeaters_count,
        groups.is_reported,
        estimates_summed.is_known is not null as is_estimated,
    from groups
    left join estimates_summed
        using (variant, district_name, year_bs, grade, gender, caste, location)

)

select * from repeaters_shared
