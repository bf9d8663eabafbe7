-- One row per comparison of two orders and district: its two values, if known.

with

standings as (

    select district_name, level, year_bs, ei from intermediate.int_district_standings

),

claims as (

    select allocation, unit_id, year_bs, formula, pupils_stake
    from intermediate.int_allocation_claims

),

amounts as (

    select allocation, unit_id, amount from intermediate.int_allocation_amounts

),

needs as (

    select district_name as unit_id, year_bs, need from intermediate.int_district_needs

),

-- The index of a level against that of the level after it in the alphabet.
levels as (

    select
        concat_ws('|', 'levels', concat_ws(' ', one.level, other.level), one.year_bs)
            as comparison,
        one.district_name as unit_id,
        one.ei as one_value,
        other.ei as other_value,
    from standings as one
    left join standings as other
        on other.district_name = one.district_name
        and other.year_bs = one.year_bs
        and other.level > one.level

),

-- The index of a year against that of the year before.
years as (

    select
        concat_ws('|', 'years', later.level, later.year_bs) as comparison,
        later.district_name as unit_id,
        earlier.ei as one_value,
        later.ei as other_value,
    from standings as later
    left join standings as earlier
        on earlier.district_name = later.district_name
        and earlier.level = later.level
        and earlier.year_bs = later.year_bs - 1

),

-- Whether the money goes where the need is.
money as (

    select
        concat_ws('|', 'money', formula, year_bs) as comparison,
        unit_id,
        amounts.amount / nullif(claims.pupils_stake, 0) as one_value,
        needs.need as other_value,
    from claims
    inner join needs using (unit_id, year_bs)
    left join amounts using (allocation, unit_id)

),

pairs as (

    select comparison, unit_id, one_value, other_value from levels
    union all
    select comparison, unit_id, one_value, other_value from years
    union all
    select comparison, unit_id, one_value, other_value from money

)

select * from pairs
