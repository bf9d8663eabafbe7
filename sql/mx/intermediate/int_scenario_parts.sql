-- One row per scale, school and shift: the parts of the indices on that scale.
-- Ranks and z-scores are those among the schools that have a profile.

with

schools_profiled as (

    select
        cct, shift, state_code, pupils_count, profile,
        urgency_level, feasibility_level, learning_is_imputed, is_vetoed,
        if(profile is null, null, equity_factor) as factor,
        urgency_learning * factor as learning,
        urgency_household * factor as household,
        urgency_adults * factor as adults,
        if(profile is null, null, feasibility_wash) as wash,
        if(profile is null, null, feasibility_crowding) as crowding,
        if(profile is null, null, feasibility_epidemiology) as epidemiology,
    from intermediate.int_profile_schools

),

parts_measured as (

    select
        mean_of_decimals(learning) as learning_mean,
        mean_of_decimals(household) as household_mean,
        mean_of_decimals(adults) as adults_mean,
        mean_of_decimals(wash) as wash_mean,
        mean_of_decimals(crowding) as crowding_mean,
        mean_of_decimals(epidemiology) as epidemiology_mean,
        spread_of_decimals(learning) as learning_spread,
        spread_of_decimals(household) as household_spread,
        spread_of_decimals(adults) as adults_spread,
        spread_of_decimals(wash) as wash_spread,
        spread_of_decimals(crowding) as crowding_spread,
        spread_of_decimals(epidemiology) as epidemiology_spread,
    from schools_profiled

),

scales_stacked as (

    select
        'none' as normalisation,
        cct, shift, state_code, pupils_count, profile, urgency_level, feasibility_level,
        learning_is_imputed, is_vetoed, equity_factor,
        urgency_learning, urgency_household, urgency_adults,
        feasibility_wash, feasibility_crowding,
        feasibility_epidemiology,
    from intermediate.int_profile_schools
    union all
    select
        'rank',
        cct, shift, state_code, pupils_count, profile, urgency_level, feasibility_level,
        learning_is_imputed, is_vetoed, cast(1 as double),
        mid_rank_share(learning),
        mid_rank_share(household),
        mid_rank_share(adults),
        mid_rank_share(wash),
        mid_rank_share(crowding),
        mid_rank_share(epidemiology),
    from schools_profiled
    union all
    select
        'zscore',
        cct, shift, state_code, pupils_count, profile, urgency_level, feasibility_level,
        learning_is_imputed, is_vetoed, cast(1 as double),
        score_of(learning, learning_mean, learning_spread),
        score_of(household, household_mean, household_spread),
        score_of(adults, adults_mean, adults_spread),
        score_of(wash, wash_mean, wash_spread),
        score_of(crowding, crowding_mean, crowding_spread),
        score_of(epidemiology, epidemiology_mean, epidemiology_spread),
    from schools_profiled
    cross join parts_measured

)

select * from scales_stacked
