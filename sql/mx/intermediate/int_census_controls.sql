-- One row per urban AGEB of the census: a figure that CONAPO computed too, beside our own.

with

agebs_compared as (

    select
        census.ageb_code,
        100 * census.not_attending_6_14_share as census_not_attending_pct,
        marginalization.not_attending_6_14_pct as conapo_not_attending_pct,
        conapo_not_attending_pct - census_not_attending_pct as difference_points,
        abs(difference_points) < 1e-6 as is_equal,
    from staging.stg_census_ageb__agebs as census
    left join staging.stg_marginalization_ageb__agebs as marginalization
        using (ageb_code)

)

select * from agebs_compared
