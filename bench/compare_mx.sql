-- One row per column that the yardstick and the pipeline both give: the schools whose values differ, bit for bit.
-- The yardstick imputes nothing: what depends on learning is compared where the pipeline imputes nothing either. Nor
-- does it know the fortnight before: the advice is compared where the profile has not worsened.
-- Variables that the runner sets: output (the yardstick's folder) and marts (the snapshot's).
with
made as (from read_parquet(getvariable('output') || '/schools.parquet')),
profiles as (from read_parquet(getvariable('marts') || '/profiles.parquet')),
published as (
    select *, not learning_is_imputed and not list_contains(flags, 'UNRELIABLE') as as_published,
    from read_parquet(getvariable('marts') || '/urgency.parquet')
),
context as (from read_parquet(getvariable('marts') || '/context.parquet')),
schools as (from read_parquet(getvariable('marts') || '/schools.parquet')),
counted as (
    select
        count(*) filter (where made.cct is null or profiles.cct is null) as rows_on_one_side,
        count(*) filter (where as_published and made.profile is distinct from profiles.profile) as profile,
        count(*) filter (where as_published and not has_worsened and made.advice_es is distinct from profiles.advice_es) as advice_es,
        count(*) filter (where as_published and not has_worsened and made.advice_en is distinct from profiles.advice_en) as advice_en,
        count(*) filter (where as_published and made.urgency is distinct from profiles.urgency) as urgency,
        count(*) filter (where as_published and made.urgency_learning is distinct from profiles.urgency_learning) as urgency_learning,
        count(*) filter (where made.urgency_household is distinct from profiles.urgency_household) as urgency_household,
        count(*) filter (where made.urgency_adults is distinct from profiles.urgency_adults) as urgency_adults,
        count(*) filter (where made.feasibility is distinct from profiles.feasibility) as feasibility,
        count(*) filter (where made.feasibility_wash is distinct from profiles.feasibility_wash) as feasibility_wash,
        count(*) filter (where made.feasibility_crowding is distinct from profiles.feasibility_crowding)
            as feasibility_crowding,
        count(*) filter (where made.feasibility_epidemiology is distinct from profiles.feasibility_epidemiology)
            as feasibility_epidemiology,
        count(*) filter (where as_published and made.learning_year is distinct from published.learning_year) as learning_year,
        count(*) filter (where made.household_level is distinct from published.household_match_level) as household_level,
        count(*) filter (where made.is_disadvantaged is distinct from published.is_disadvantaged) as is_disadvantaged,
        count(*) filter (where made.marginalization_grade is distinct from context.marginalization_grade)
            as marginalization_grade,
        count(*) filter (where made.marginalization_index is distinct from context.marginalization_index)
            as marginalization_index,
        count(*) filter (where made.pupils_count is distinct from schools.pupils_count) as pupils_count,
        count(*) filter (where made.ageb_code is distinct from schools.ageb_code) as ageb_code,
        count(*) filter (where made.locality_code is distinct from schools.locality_code) as locality_code,
        count(*) filter (where made.type is distinct from schools.type) as type,
    from made
    full join profiles using (cct, shift)
    left join published using (cct, shift)
    left join context using (cct, shift)
    left join schools using (cct, shift)
)
unpivot counted on columns(*) into name column_name value differences
