-- One row per district, level, school year and gender: the children of its ages.

with

ages as (

    select
        year_bs, district_name, age,
        codes.group_code as gender,
        population_count,
    from staging.stg_population__cells
    inner join method.group_coding as codes
        on codes.dimension = 'gender' and codes.word = stg_population__cells.sex

),

years as (select year_bs from intermediate.int_years),

levels as (select level, first_age, last_age from method.levels),

children as (select distinct district_name, age, gender from ages),

-- Between two projections; in the year of one both are that one.
children_by_year as (

    select
        children.district_name, children.age, children.gender, years.year_bs,
        max([ages.year_bs, population_count])
            filter (where ages.year_bs <= years.year_bs) as earlier,
        min([ages.year_bs, population_count])
            filter (where ages.year_bs >= years.year_bs) as later,
    from children
    cross join years
    inner join ages using (district_name, age, gender)
    group by all

),

children_interpolated as (

    select
        district_name, age, gender, year_bs,
        interpolated_people(
            year_bs, earlier[1], earlier[2], later[1], later[2]
        ) as population_count,
        earlier[1] is distinct from year_bs as is_interpolated,
    from children_by_year

),

levels_summed as (

    select
        district_name,
        level,
        year_bs,
        gender,
        case
            when count(population_count) = max(last_age - first_age + 1)
                then sum(population_count order by age)
        end as population_count,
        count(*) filter (where not is_interpolated) as age_count,
        bool_or(is_interpolated) as is_interpolated,
    from children_interpolated
    inner join levels on age between first_age and last_age
    group by all

)

select * from levels_summed
