-- One row per district of the lists by district, among the 75.

with

districts as (select district_name, district_75 from reference.districts),

enrolments as (

    select
        coalesce(district_75, rows.district_name) as district_75,
        known_sum(grade_1_count + grade_2_count + grade_3_count + grade_4_count
            + grade_5_count + grade_6_count + grade_7_count + grade_8_count)
            as pupils_basic_count,
        known_sum(grade_9_count + grade_10_count + grade_11_count + grade_12_count)
            as pupils_secondary_count,
        count(*) as rows_count,
    from staging.stg_district_enrolment__districts as rows
    left join districts on districts.district_name = rows.district_name
    group by all

),

posts as (

    select
        coalesce(district_75, rows.district_name) as district_75,
        known_sum(approved_primary_count + approved_lower_secondary_count
            + approved_secondary_count) as posts_approved_count,
        known_sum(rahat_primary_count + rahat_lower_secondary_count
            + rahat_secondary_count) as posts_rahat_count,
        coalesce(
            bool_or(0 in (approved_primary_count, approved_lower_secondary_count)), false
        ) as is_partial,
        count(*) as rows_count,
    from staging.stg_district_teachers__districts as rows
    left join districts on districts.district_name = rows.district_name
    group by all

),

glances as (

    select
        coalesce(district_75, rows.district_name) as district_75,
        known_sum(population_count) as population_count,
        if(count(*) = 1, max(poverty_share), null) as poverty_share,
        if(count(*) = 1, max(literacy_share), null) as literacy_share,
        if(count(*) = 1, max(literacy_female_share), null) as literacy_female_share,
        if(count(*) = 1, max(literacy_male_share), null) as literacy_male_share,
        count(*) as rows_count,
    from staging.stg_district_glance__districts as rows
    left join districts on districts.district_name = rows.district_name
    group by all

),

facts_joined as (

    select
        coalesce(enrolments.district_75, posts.district_75, glances.district_75)
            as district_75,
        pupils_basic_count,
        known_or(pupils_basic_count) as pupils_basic_count_reason,
        pupils_secondary_count,
        known_or(pupils_secondary_count) as pupils_secondary_count_reason,
        posts_approved_count,
        known_or(posts_approved_count) as posts_approved_count_reason,
        posts_rahat_count,
        known_or(posts_rahat_count) as posts_rahat_count_reason,
        population_count,
        known_or(population_count) as population_count_reason,
        poverty_share,
        known_or(poverty_share) as poverty_share_reason,
        literacy_share,
        known_or(literacy_share) as literacy_share_reason,
        literacy_male_share,
        literacy_female_share,
        coalesce(enrolments.rows_count, 0) + coalesce(posts.rows_count, 0)
            + coalesce(glances.rows_count, 0) as rows_count,
        coalesce(posts.is_partial, false) as is_partial,
    from enrolments
    full join posts on posts.district_75 = enrolments.district_75
    full join glances
        on glances.district_75 = coalesce(enrolments.district_75, posts.district_75)

),

facts_told as (

    select
        facts.* exclude (is_partial),
        words.text_en as ei_en,
        words.text_ne as ei_ne,
        flags([if(is_partial, 'PARTIAL', null)]) as flags,
    from facts_joined as facts
    left join reference.not_computed as words on words.measure = 'ei'

)

select * from facts_told
