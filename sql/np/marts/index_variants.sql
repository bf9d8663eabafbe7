-- One row per district, level, school year and variant of the index beside the headline.

with

variants as (

    select variant, caste_coding, title_en, title_ne from method.variants

),

districts as (

    select
        coverage.variant, coverage.district_name, coverage.level, coverage.year_bs,
        variants.caste_coding, variants.title_en, variants.title_ne,
        coverage.pupils_count, coverage.group_count, coverage.known_group_count,
        coverage.backoff_weight, coverage.left_out_share,
        coverage.is_partial, coverage.is_missing, coverage.is_estimated,
        coverage.is_coverage_only and not coverage.is_missing as is_withheld,
        not coverage.is_coverage_only and not coverage.is_missing as is_open,
        if(is_missing, null, coverage.c_bar) as c_bar,
        index_reason(coverage.c_bar, is_missing, false) as c_bar_reason,
        if(is_open, inequality.ei, null) as ei,
        index_reason(inequality.ei, is_missing, is_withheld) as ei_reason,
        if(is_open, inequality.dissimilarity, null) as dissimilarity,
        index_reason(inequality.dissimilarity, is_missing, is_withheld)
            as dissimilarity_reason,
        if(is_open, inequality.noise_floor, null) as d0,
        is_open and inequality.is_within_noise as is_within_noise,
    from intermediate.int_district_coverage as coverage
    inner join intermediate.int_district_inequality as inequality
        using (variant, district_name, level, year_bs)
    inner join variants using (variant)

),

headline as (select * from districts where variant = 'index'),

variants_compared as (

    select
        ---------- ids
        districts.district_name, districts.level, districts.year_bs, districts.variant,
        districts.title_en, districts.title_ne,

        ---------- the variant
        districts.ei,
        districts.ei_reason,
        districts.c_bar,
        districts.c_bar_reason,
        districts.dissimilarity,
        districts.dissimilarity_reason,
        districts.d0,

        ---------- less the headline; never across partitions
        districts.caste_coding = headline.caste_coding as is_same_partition,
        if(is_same_partition, districts.ei - headline.ei, null) as ei_difference,
        case
            when ei_difference is not null then null
            when not is_same_partition then 'NOT_APPLICABLE'
            else coalesce(districts.ei_reason, headline.ei_reason)
        end as ei_difference_reason,
        if(is_same_partition, districts.dissimilarity - headline.dissimilarity, null)
            as dissimilarity_difference,
        case
            when dissimilarity_difference is not null then null
            when not is_same_partition then 'NOT_APPLICABLE'
            else coalesce(districts.dissimilarity_reason, headline.dissimilarity_reason)
        end as dissimilarity_difference_reason,
        districts.c_bar - headline.c_bar as c_bar_difference,
        case
            when c_bar_difference is null
                then coalesce(districts.c_bar_reason, headline.c_bar_reason)
        end as c_bar_difference_reason,

        ---------- what it rests on
        districts.pupils_count,
        districts.group_count,
        districts.backoff_weight,
        districts.left_out_share,
        flags([
            if(districts.is_open, 'NO_UNCERTAINTY', null),
            if(districts.is_missing, 'MISSING', null),
            if(districts.is_partial, 'PARTIAL', null),
            if(districts.is_withheld, 'COVERAGE_ONLY', null),
            if(districts.is_estimated, 'DIS_REPEATERS_ESTIMATED', null),
            if(districts.is_open and districts.c_bar = 0, 'ALL_ZERO', null),
            if(districts.is_open and districts.known_group_count = 1, 'ONE_GROUP', null),
            if(districts.is_within_noise, 'D_WITHIN_NOISE', null),
        ]) as flags,
    from districts
    inner join headline using (district_name, level, year_bs)
    where districts.variant <> 'index'

)

select * from variants_compared
