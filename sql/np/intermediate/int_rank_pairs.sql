-- One row per comparison of two orders and district: its two values, if known.

with

standings as (

    select district_name, level, year_bs, ei from intermediate.int_district_standings

),

-- An examination whose papers differ between districts orders none of them; nor has a
-- spelling that names no district a place among them.
indices as (

    select 'years' as kind, level as subject, year_bs, district_name as unit_id, ei
    from standings
    union all
    select
        'exams', exam, year_bs, district_name,
        case when is_comparable and not is_district_unknown then adjusted_ei end,
    from intermediate.int_district_learning

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
        concat_ws('|', later.kind, later.subject, later.year_bs) as comparison,
        later.unit_id,
        earlier.ei as one_value,
        later.ei as other_value,
    from indices as later
    left join indices as earlier
        on earlier.kind = later.kind
        and earlier.subject = later.subject
        and earlier.unit_id = later.unit_id
        and earlier.year_bs = later.year_bs - 1

),

-- Whether the money goes where the need is: that of each formula, and the actual.
money as (

    select
        concat_ws('|', 'money', formula, year_bs) as comparison,
        district_name as unit_id,
        amount / pupils_count as one_value,
        need as other_value,
    from intermediate.int_targeting_funds

),

pairs as (

    select comparison, unit_id, one_value, other_value from levels
    union all
    select comparison, unit_id, one_value, other_value from years
    union all
    select comparison, unit_id, one_value, other_value from money

)

select * from pairs
