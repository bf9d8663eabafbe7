-- One row per school and school year: the minimum conditions that it lacks, in words.

with

schools as (

    select
        school_code, level, year_bs, district_name, school_type, are_met_in_index,
        conditions_count, condition_score,
    from intermediate.int_school_conditions

),

conditions as (

    select level, condition, position, title_en, title_ne
    from method.conditions
    where is_in_index

),

titles as (

    select
        level,
        list(condition order by position) as conditions,
        list(title_en order by position) as titles_en,
        list(title_ne order by position) as titles_ne,
    from conditions
    group by all

),

-- Of a school with several levels the first counts: basic before secondary.
schools_ranked as (

    select
        schools.*,
        count(*) over school as level_count,
    from schools
    inner join method.levels as levels using (level)
    window school as (partition by school_code, year_bs)
    qualify row_number() over (
        partition by school_code, year_bs order by levels.first_grade
    ) = 1

),

lacks_named as (

    select
        school_code,
        year_bs,
        district_name,
        level,
        level_count,
        school_type = 'community' as is_counted,
        conditions_count,
        if(is_counted, condition_score, null) as condition_score,
        case
            when not is_counted then 'NOT_APPLICABLE'
            when schools_ranked.condition_score is null then 'MISSING'
        end as condition_score_reason,
        named_where(conditions, are_met_in_index, false, ';') as lacking,
        named_where(titles_en, are_met_in_index, false, ', ') as lacking_en,
        named_where(titles_ne, are_met_in_index, false, ', ') as lacking_ne,
        named_where(titles_en, are_met_in_index, null, ', ') as unanswered_en,
        named_where(titles_ne, are_met_in_index, null, ', ') as unanswered_ne,
    from schools_ranked
    left join titles using (level)

)

select * from lacks_named
