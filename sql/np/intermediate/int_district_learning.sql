-- One row per district, school year and examination: passes, and how equal they are.

with

groups as (

    select
        district_name, year_bs, exam, gender, result_count, unread_count,
        appeared_count, passed_count, pupils_count,
    from intermediate.int_learning_groups

),

exams as (select exam, is_comparable, gpa_min, gpa_from_year_bs from method.exams),

limits as (select max_left_out_share from method.flows),

names as (select district_name, district_name as known_name from reference.districts),

districts_summed as (

    select
        district_name, year_bs, exam,
        count(*) as group_count,
        sum(result_count)::bigint as result_count,
        sum(unread_count)::bigint as unread_count,
        sum(appeared_count)::bigint as appeared_count,
        sum(passed_count)::bigint as passed_count,
        known_sum(pupils_count) as pupils_count,
        list(appeared_count order by gender) as candidates,
        list(passed_count / nullif(appeared_count, 0) order by gender) as pass_rates,
        list(pupils_count order by gender) as pupils,
        list(clamp_unit(passed_count / nullif(pupils_count, 0)) order by gender)
            as adjusted_rates,
        sum(groups.unread_count) / sum(groups.result_count) > max(max_left_out_share) as is_missing,
    from groups
    cross join limits
    group by all

),

districts_measured as (

    select
        district_name,
        year_bs,
        exam,
        names.known_name is null as is_district_unknown,
        exams.is_comparable,
        case when year_bs >= gpa_from_year_bs::bigint then gpa_min::double end as gpa_min,
        group_count,
        result_count,
        unread_count,
        appeared_count,
        passed_count,
        pupils_count,
        is_missing,
        if(is_missing, null, mean_rate(candidates, pass_rates)) as pass_rate,
        rates_dissimilarity(candidates, pass_rates, pass_rate) as dissimilarity,
        if(pass_rate = 0, 0, pass_rate * (1 - dissimilarity)) as ei,
        if(is_missing or pupils_count is null, null, mean_rate(pupils, adjusted_rates))
            as adjusted_pass_rate,
        if(
            adjusted_pass_rate = 0, 0,
            adjusted_pass_rate
            * (1 - rates_dissimilarity(pupils, adjusted_rates, adjusted_pass_rate))
        ) as adjusted_ei,
    from districts_summed
    inner join exams using (exam)
    left join names using (district_name)

)

select * from districts_measured
