-- One row per school year, formula (or actual) and district: its money and its place.

with

claims as (

    select allocation, unit_id as district_name, year_bs, formula
    from intermediate.int_allocation_claims

),

amounts as (

    select
        allocation, unit_id as district_name, amount::double as amount,
        coalesce(amount_reason = 'FLOOR_EXCEEDS_BUDGET', false) as is_over_budget,
    from intermediate.int_allocation_amounts

),

-- A spelling that names no district has no place among them.
needs as (

    select
        district_name, year_bs, previous_amount, previous_year_bs, need, is_ei_unknown,
        case when not is_district_unknown and pupils_count > 0 then pupils_count end
            as pupils_count,
        case when not is_district_unknown and pupils_count > 0 then ei_used end
            as ei_used,
    from intermediate.int_district_needs

),

limits as (select lowest_share from method.rank_stability),

-- The lowest by the index, in whole districts; ties by name.
districts_placed as (

    select
        district_name, year_bs, pupils_count, need, ei_used, is_ei_unknown,
        previous_amount, previous_year_bs,
        ei_used is not null and row_number() over (
            partition by year_bs order by ei_used nulls last, district_name
        ) <= floor(lowest_share * count(ei_used) over (partition by year_bs)) as is_lowest,
    from needs
    cross join limits

),

funds as (

    select
        year_bs, formula, district_name, pupils_count, need, ei_used, is_ei_unknown,
        is_lowest, amount, null::bigint as amount_year_bs, is_over_budget,
    from claims
    inner join amounts using (allocation, district_name)
    inner join districts_placed using (district_name, year_bs)
    union all
    select
        year_bs, 'actual', district_name, pupils_count, need, ei_used, is_ei_unknown,
        is_lowest, previous_amount, previous_year_bs, false,
    from districts_placed

)

select * from funds
