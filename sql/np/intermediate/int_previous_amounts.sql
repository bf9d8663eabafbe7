-- One row per district, level and school year: its last amount on file.

with

districts as (

    select district_name, level, year_bs from intermediate.int_district_standings

),

allocations as (

    select district_name, year_bs, amount
    from staging.stg_allocations__districts
    where amount is not null

),

-- The last by the year to which the pupils are followed.
amounts as (

    select
        districts.district_name,
        districts.level,
        districts.year_bs,
        count(allocations.year_bs) as amounts_count,
        first(amount order by allocations.year_bs desc) as previous_amount,
        max(allocations.year_bs) as previous_year_bs,
    from districts
    left join allocations
        on allocations.district_name = districts.district_name
        and allocations.year_bs <= districts.year_bs + 1
    group by all

)

select * from amounts
