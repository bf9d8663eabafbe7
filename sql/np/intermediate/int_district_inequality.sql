-- One row per variant, district, level and school year: how unequally its groups are covered.

with

groups as (

    select
        variant, district_name, level, year_bs, gender, caste, location, disability,
        weight_count, coverage, coverage_se,
    from intermediate.int_group_rates
    where coverage is not null and weight_count > 0

),

districts as (

    select
        variant, district_name, level, year_bs,
        known_group_count, known_weight_count, c_bar,
    from intermediate.int_district_coverage

),

pooled as (

    select
        'index' as variant, unit_code as district_name, level, year_bs,
        survival as c_pool,
        flags_reason(flags, survival) as c_pool_reason,
    from intermediate.int_unit_survival
    where unit_level = 'district' and pair_count = 1

),

limits as (select cpool_gap, noise_factor from method.equity),

groups_weighed as (

    select
        groups.variant, groups.district_name, groups.level, groups.year_bs,
        groups.gender, groups.caste, groups.location, groups.disability,
        groups.weight_count / districts.known_weight_count as weight,
        groups.coverage - districts.c_bar as gap,
        weight * abs(gap) as deviation,
        weight * abs(groups.coverage - clamp_unit(pooled.c_pool)) as seed_deviation,
        weight * sqrt(2 / pi() * (1 - weight)) * groups.coverage_se as noise,
    from groups
    inner join districts using (variant, district_name, level, year_bs)
    left join pooled using (variant, district_name, level, year_bs)

),

groups_summed as (

    select
        variant, district_name, level, year_bs,
        sum(deviation order by gender, caste, location, disability) as deviation,
        sum(seed_deviation order by gender, caste, location, disability)
            as seed_deviation,
        sum(noise order by gender, caste, location, disability) as noise,
        min(struct_pack(
            reach := weight * gap,
            name := concat_ws(', ', gender, caste, location, disability),
            gap := gap
        )) as disadvantaged,
    from groups_weighed
    group by all

),

districts_measured as (

    select
        districts.variant, districts.district_name, districts.level, districts.year_bs,
        case
            when districts.known_group_count = 1 and c_bar > 0 then 0.0
            else share_of(deviation, 2 * c_bar)
        end as dissimilarity,
        if(c_bar = 0, 0.0, c_bar * (1 - dissimilarity)) as ei,
        share_of(noise, 2 * c_bar) as noise_floor,
        pooled.c_pool,
        pooled.c_pool_reason,
        share_of(seed_deviation, 2 * clamp_unit(pooled.c_pool)) as d_seed_literal,
        clamp_unit(pooled.c_pool) * (1 - d_seed_literal) as ei_seed_literal,
        abs(pooled.c_pool - c_bar) > limits.cpool_gap as has_gap,
        dissimilarity < limits.noise_factor * noise_floor as is_within_noise,
        if(disadvantaged.reach < -1e-12, disadvantaged.name, null) as disadvantaged_group,
        if(disadvantaged.reach < -1e-12, disadvantaged.gap, null) as disadvantaged_group_gap,
    from districts
    left join groups_summed using (variant, district_name, level, year_bs)
    left join pooled using (variant, district_name, level, year_bs)
    cross join limits

)

select * from districts_measured
