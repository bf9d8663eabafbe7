-- One row per school and shift: what imputation may know of it, in general words.

with

units_described as (

    select
        concat(observed.cct, '|', observed.shift) as unit_id,
        observed.cct, observed.shift,
        observed.level || '|' || observed.scale as pool,
        coalesce(schools.type, 'UNKNOWN') as type,
        schools.state_code, schools.municipality_code, schools.locality_code,
        schools.ageb_code,
        coalesce(
            agebs.marginalization_grade, poor_localities.marginalization_grade,
            municipalities.marginalization_grade, 'UNKNOWN'
        ) as grade,
        observed.observed_share as score,
        cast(observed.tested_count as double) as score_count,
        observed.is_giver as can_give,
        pool is not null
            and not observed.is_reliable
            and crowding.pupils_count is distinct from 0 as can_receive,
        observed.other_value as own_year_value,
        observed.other_spread as own_year_spread,
        [
            household.urgency_household,
            household.urgency_adults,
            crowding.pupils_per_teacher,
            if(crowding.pupils_count > 0, ln(crowding.pupils_count), null),
            case
                when schools.ageb_code is not null or localities.ageb_count > 0 then 0
                when schools.locality_code is not null then 1
            end,
        ] as covariates,
    from intermediate.int_learning_observed as observed
    inner join intermediate.int_schools_described as schools using (cct, shift)
    inner join intermediate.int_household_schools as household using (cct, shift)
    inner join intermediate.int_crowding_schools as crowding using (cct, shift)
    left join intermediate.int_household_localities as localities
        on localities.locality_code = schools.locality_code
    left join staging.stg_marginalization_ageb__agebs as agebs
        on agebs.ageb_code = schools.ageb_code
    left join intermediate.int_marginalization_localities as poor_localities
        on poor_localities.locality_code = schools.locality_code
    left join staging.stg_marginalization__municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code

),

units_stratified as (

    select
        unit_id, cct, shift, municipality_code, locality_code, ageb_code, pool,
        [
            concat_ws('|', pool, type, state_code, grade),
            concat_ws('|', pool, type, state_code),
            concat_ws('|', pool, type),
        ] as strata,
        municipality_code as area, score, score_count, can_give, can_receive,
        own_year_value, own_year_spread, covariates,
    from units_described

)

select * from units_stratified
