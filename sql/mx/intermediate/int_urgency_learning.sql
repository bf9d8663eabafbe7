-- One row per school and shift: U1, observed, of another year, or imputed, and how sure.

with

schools_joined as (

    select
        observed.cct, observed.shift, observed.scale, observed.level,
        observed.observed_share, observed.observed_year, observed.edition_year,
        observed.other_year, observed.subject_count, observed.is_published,
        observed.is_reliable, observed.is_unreliable,
        if(
            imputed.method = 'OWN_YEAR', observed.is_other_shared, observed.is_shared
        ) as is_shared,
        units.can_receive,
        imputed.method, imputed.value, imputed.low, imputed.high, imputed.donors,
        imputed.stratum, imputed.draws,
    from intermediate.int_learning_observed as observed
    inner join intermediate.int_imputation_units as units using (cct, shift)
    left join intermediate.int_learning_imputed as imputed using (cct, shift)

),

schools_chosen as (

    select
        cct, shift, level,
        if(is_reliable, observed_share, value) as urgency_learning,
        case
            when urgency_learning is not null then null
            when is_unreliable then 'UNDEFINED'
            when is_published then 'MISSING'
            else 'NOT_AVAILABLE'
        end as learning_reason,
        if(urgency_learning is null and not is_published, null, scale) as learning_scale,
        case
            when is_reliable then observed_year
            when method = 'OWN_YEAR' then other_year
            when method is not null then edition_year
            else observed_year
        end as learning_year,
        observed_share as observed_urgency_learning,
        not is_reliable and method is not null as learning_is_imputed,
        if(is_reliable, 'OBSERVED', method) as learning_method,
        if(learning_is_imputed, low, null) as learning_low,
        if(learning_is_imputed, high, null) as learning_high,
        if(learning_is_imputed, len(donors), null) as learning_donor_count,
        if(learning_is_imputed, stratum, null) as learning_stratum,
        if(learning_is_imputed, donors, null) as learning_donors,
        if(learning_is_imputed, draws, null) as learning_draws,
        flags([
            if(learning_is_imputed, 'IMPUTED', null),
            if(urgency_learning is null, 'NO_LEARNING', null),
            if(is_unreliable, 'UNRELIABLE', null),
            if(subject_count = 1, 'ONE_SUBJECT', null),
            if(is_shared, 'SHIFT_SHARED', null),
        ]) as flags,
    from schools_joined

)

select * from schools_chosen
