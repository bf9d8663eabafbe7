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

agebs_grouped as (

    select
        locality_code,
        count(*) as ageb_count,
        cast(sum(population_count) as bigint) as population_count,
        list(
            [
                marginalization_index * population_count,
                marginalization_normalized_index * population_count,
                no_basic_education_pct * population_count,
                no_health_service_pct * population_count,
                no_drainage_pct * population_count,
                no_electricity_pct * population_count,
                no_piped_water_pct * population_count,
                dirt_floor_pct * population_count,
                overcrowded_pct * population_count,
                no_refrigerator_pct * population_count,
                no_internet_pct * population_count,
                no_cellphone_pct * population_count,
            ]
            order by ageb_code
        ) as weighted,
        [
            sum(population_count) filter (where marginalization_index is not null),
            sum(population_count) filter (where marginalization_normalized_index is not null),
            sum(population_count) filter (where no_basic_education_pct is not null),
            sum(population_count) filter (where no_health_service_pct is not null),
            sum(population_count) filter (where no_drainage_pct is not null),
            sum(population_count) filter (where no_electricity_pct is not null),
            sum(population_count) filter (where no_piped_water_pct is not null),
            sum(population_count) filter (where dirt_floor_pct is not null),
            sum(population_count) filter (where overcrowded_pct is not null),
            sum(population_count) filter (where no_refrigerator_pct is not null),
            sum(population_count) filter (where no_internet_pct is not null),
            sum(population_count) filter (where no_cellphone_pct is not null),
        ] as people,
    from staging.stg_marginalization_ageb__agebs
    group by locality_code

),

agebs_averaged as (

    select
        locality_code, ageb_count, population_count,
        mean_at(1, weighted, people) as marginalization_index,
        mean_at(2, weighted, people) as marginalization_normalized_index,
        mean_at(3, weighted, people) as no_basic_education_pct,
        mean_at(4, weighted, people) as no_health_service_pct,
        mean_at(5, weighted, people) as no_drainage_pct,
        mean_at(6, weighted, people) as no_electricity_pct,
        mean_at(7, weighted, people) as no_piped_water_pct,
        mean_at(8, weighted, people) as dirt_floor_pct,
        mean_at(9, weighted, people) as overcrowded_pct,
        mean_at(10, weighted, people) as no_refrigerator_pct,
        mean_at(11, weighted, people) as no_internet_pct,
        mean_at(12, weighted, people) as no_cellphone_pct,
    from agebs_grouped

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
