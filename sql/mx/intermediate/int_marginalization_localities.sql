-- One row per urban locality of the index of urban marginalization: its AGEBs together.

with

people_by_grade as (

    select
        agebs.locality_code,
        agebs.marginalization_grade,
        grades.grade_rank,
        cast(sum(population_count) as bigint) as people_count,
    from staging.stg_marginalization_ageb__agebs as agebs
    inner join reference.marginalization_grades as grades
        on grades.grade = agebs.marginalization_grade
    group by all

),

grades_of_most_people as (

    select
        locality_code,
        first(
            marginalization_grade order by people_count desc nulls last, grade_rank desc
        ) as marginalization_grade,
    from people_by_grade
    group by all

),

agebs_averaged as (

    select
        locality_code,
        count(*) as ageb_count,
        cast(sum(population_count) as bigint) as population_count,
        weighted_mean(marginalization_index, population_count, ageb_code)
            as marginalization_index,
        weighted_mean(marginalization_normalized_index, population_count, ageb_code)
            as marginalization_normalized_index,
        weighted_mean(no_basic_education_pct, population_count, ageb_code)
            as no_basic_education_pct,
        weighted_mean(no_health_service_pct, population_count, ageb_code)
            as no_health_service_pct,
        weighted_mean(no_drainage_pct, population_count, ageb_code)
            as no_drainage_pct,
        weighted_mean(no_electricity_pct, population_count, ageb_code)
            as no_electricity_pct,
        weighted_mean(no_piped_water_pct, population_count, ageb_code)
            as no_piped_water_pct,
        weighted_mean(dirt_floor_pct, population_count, ageb_code)
            as dirt_floor_pct,
        weighted_mean(overcrowded_pct, population_count, ageb_code)
            as overcrowded_pct,
        weighted_mean(no_refrigerator_pct, population_count, ageb_code)
            as no_refrigerator_pct,
        weighted_mean(no_internet_pct, population_count, ageb_code)
            as no_internet_pct,
        weighted_mean(no_cellphone_pct, population_count, ageb_code)
            as no_cellphone_pct,
    from staging.stg_marginalization_ageb__agebs
    group by locality_code

),

localities_joined as (

    select
        averages.locality_code, averages.ageb_count, averages.population_count,
        grades.marginalization_grade,
        marginalization_index, marginalization_normalized_index,
        no_basic_education_pct, no_health_service_pct, no_drainage_pct,
        no_electricity_pct, no_piped_water_pct, dirt_floor_pct, overcrowded_pct,
        no_refrigerator_pct, no_internet_pct, no_cellphone_pct,
    from agebs_averaged as averages
    left join grades_of_most_people as grades using (locality_code)

)

select * from localities_joined
