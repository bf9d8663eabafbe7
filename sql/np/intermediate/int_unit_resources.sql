-- One row per unit, level and school year: the conditions that its schools meet on average.

with

schools as (

    select
        unit_level, unit_code, level, year_bs, district_name, vdc_name, school_type,
        is_public, is_earthquake_affected, pupils_count, conditions_count,
        -- Exact in decimals: a score may be a third of a condition.
        condition_score::decimal(18, 12) as condition_score,
    from intermediate.int_unit_schools

),

schools_counted as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        min(district_name) as district_name,
        min(vdc_name) as vdc_name,
        count(*) as schools_count,
        count(*) filter (where is_public) as public_schools_count,
        count(*) filter (where is_earthquake_affected) as earthquake_schools_count,
        sum(pupils_count)::bigint as pupils_count,
        coalesce(sum(pupils_count) filter (where is_public), 0)::bigint
            as public_pupils_count,
        coalesce(sum(pupils_count) filter (where school_type = 'institutional'), 0)::bigint
            as private_pupils_count,
        (sum(pupils_count) filter (where school_type <> 'unknown'))::bigint
            as typed_pupils_count,
        max(conditions_count) as conditions_count,
        count(condition_score) filter (where is_public) as scored_count,
        count(*) filter (where is_public and condition_score = 0) as zero_count,
        sum(condition_score) filter (where is_public) as score_sum,
    from schools
    group by all

),

indices_computed as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        district_name,
        vdc_name,
        schools_count,
        public_schools_count,
        scored_count as scored_schools_count,
        share_of(earthquake_schools_count, schools_count) as earthquake_share,
        pupils_count,
        public_pupils_count,
        share_of(private_pupils_count, typed_pupils_count) as private_share,
        conditions_count,
        share_of(score_sum, scored_count) as resource_index,
        share_of(score_sum, scored_count - zero_count) as resource_index_seed_literal,
        share_of(zero_count, scored_count) as zero_share,
        share_of(resource_index, conditions_count) as resource_share,
    from schools_counted

)

select * from indices_computed
