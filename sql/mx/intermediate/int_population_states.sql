-- One row per state and year of CONAPO's population.

with

sexes_joined as (

    select
        ---------- ids
        state_code,
        year,

        ---------- measures
        count(*) as sex_count,
        max(population_mid_count) filter (where sex = 'MEN') as population_men_count,
        max(population_mid_count) filter (where sex = 'WOMEN')
            as population_women_count,
        population_men_count + population_women_count as population_count,
    from staging.stg_population__states
    group by state_code, year

)

select * from sexes_joined
