-- One row per variant, district, school year, grade and group: the repeaters to expect.

with

base_years as (

    select
        variant, district_name, year_bs, grade, gender, caste, location, disability,
        pupils_count, flow_pupils_count, repeaters_count, is_uncounted, is_reported,
    from intermediate.int_group_grades

),

next_years as (

    select
        variant, district_name, year_bs - 1 as year_bs, grade,
        gender, caste, location, disability,
        pupils_count as next_pupils_count,
    from intermediate.int_group_grades

),

variants as (select variant, disability_phi from method.variants),

-- What the disabled and the others of one gender, caste and location have together.
totals as (

    select
        variant, district_name, year_bs, grade, gender, caste, location,
        sum(repeaters_count)::bigint as total_repeaters_count,
        share_of(sum(repeaters_count), sum(flow_pupils_count)) as repetition_share,
    from base_years
    group by all

),

groups_estimated as (

    select
        base_years.variant, base_years.district_name,
        base_years.year_bs, base_years.grade,
        base_years.gender, base_years.caste, base_years.location, base_years.disability,
        base_years.pupils_count,
        base_years.flow_pupils_count,
        base_years.repeaters_count,
        base_years.is_reported,
        base_years.is_uncounted,
        next_years.next_pupils_count,
        totals.total_repeaters_count,
        case
            when not base_years.is_uncounted then null
            when base_years.flow_pupils_count = 0 then 0
            when totals.repetition_share is not null
                and next_years.next_pupils_count is not null
                then least(
                    disability_phi * totals.repetition_share * flow_pupils_count,
                    base_years.flow_pupils_count,
                    next_years.next_pupils_count
                )
        end as estimate,
    from base_years
    inner join variants using (variant)
    inner join totals
        using (variant, district_name, year_bs, grade, gender, caste, location)
    left join next_years using (
        variant, district_name, year_bs, grade, gender, caste, location, disability
    )

)

select * from groups_estimated
