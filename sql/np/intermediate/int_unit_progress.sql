-- One row per unit, level and school year: its survival beside that of the year before.

with

survival as (

    select
        unit_level, unit_code, level, year_bs,
        survival, survival_se,
        flags_reason(flags, survival) as survival_reason,
    from intermediate.int_unit_survival
    where pair_count = 1

),

survival_compared as (

    select
        ---------- ids
        later.unit_level,
        later.unit_code,
        later.level,
        later.year_bs,

        ---------- measures
        1::bigint as year_count,
        earlier.year_bs is not null as has_earlier,
        earlier.survival as survival_before,
        later.survival,
        clamp_unit(later.survival) - clamp_unit(earlier.survival) as survival_change,
        sqrt(power(later.survival_se, 2) + power(earlier.survival_se, 2))
            as survival_change_se,
        case
            when survival_change is null
                then coalesce(
                    later.survival_reason, earlier.survival_reason, 'NOT_AVAILABLE'
                )
        end as survival_change_reason,
    from survival as later
    left join survival as earlier
        on earlier.unit_level = later.unit_level
        and earlier.unit_code = later.unit_code
        and earlier.level = later.level
        and earlier.year_bs = later.year_bs - 1

)

select * from survival_compared
