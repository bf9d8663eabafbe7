-- One row per district, school year, examination and gender: who sat it, and who passed.

with

results as (

    select
        results.district_name, results.year_bs, results.exam,
        codes.group_code as gender,
        count(*) as result_count,
        count(*) filter (where appeared_count is null or passed_count is null)
            as unread_count,
        (sum(appeared_count) filter (where passed_count is not null))::bigint
            as appeared_count,
        (sum(passed_count) filter (where appeared_count is not null))::bigint
            as passed_count,
    from staging.stg_exams__results as results
    inner join method.group_coding as codes
        on codes.dimension = 'gender' and codes.word = results.sex
    group by all

),

exams as (select exam, grade from method.exams),

pupils as (

    select
        district_name, year_bs, grade, gender,
        sum(pupils_count)::bigint as pupils_count,
    from intermediate.int_group_cells
    where variant = 'index'
    group by all

),

groups_joined as (

    select
        ---------- ids
        results.district_name,
        results.year_bs,
        results.exam,
        results.gender,

        ---------- measures
        results.result_count,
        results.unread_count,
        results.appeared_count,
        results.passed_count,
        pupils.pupils_count,
    from results
    inner join exams using (exam)
    left join pupils using (district_name, year_bs, grade, gender)

)

select * from groups_joined
