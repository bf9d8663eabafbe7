-- One row per figure that the snapshot must show: what it is, the figure, and whether it is as it must be.
-- Variables that the runner sets: marts (the snapshot's folder), folder (the sample's) and schools.
with
indices as (
    select *, not list_contains(flags, 'UNKNOWN_DISTRICT') as is_known,
    from read_parquet(getvariable('marts') || '/district_index.parquet')
),
known as (select * from indices where is_known),
pupils as (
    select year_bs, sum(try_cast(enrolled as bigint)) as pupils, count(distinct school_code) as schools,
    from read_csv(getvariable('folder') || '/enrolment/*.csv', all_varchar = true)
    group by all
),
groups as (
    select count(distinct (gender, caste, location, disability)) as cells,
    from read_parquet(getvariable('marts') || '/district_groups.parquet')
),
years as (
    select
        level, year_bs, count(*) as districts, count(ei) as with_index,
        count(*) filter (where ei is null and ei_reason is not null) as with_reason,
    from known
    group by all
),
drivers as (
    select district_name, level, year_bs, sum(shapley) as parts, any_value(dissimilarity) as whole
    from read_parquet(getvariable('marts') || '/district_drivers.parquet')
    group by all
),
progress as (
    select composition + scale + equalisation as parts, ei_change as whole
    from read_parquet(getvariable('marts') || '/progress.parquet')
    where ei_change is not null
),
allocations as (
    select year_bs, formula, sum(amount) as shared_out, any_value(budget) as budget,
        any_value(unallocated_amount) as unallocated, bool_and(amount = floor(amount)) as is_whole
    from read_parquet(getvariable('marts') || '/allocation.parquet')
    where budget is not null
    group by all
),
figures as (
    select 0 as place, 'pupils of the sample in ' || year_bs as figure, pupils::double as value,
        pupils >= 7e6 or getvariable('schools') < 36000 as holds
    from pupils
    union all
    select 0, 'schools of the sample in ' || year_bs, schools, schools = getvariable('schools') from pupils
    union all
    select 0, 'school years', count(*), count(*) = 3 from pupils
    union all
    select 0, 'groups of pupils (gender, caste, location, disability)', cells, cells = 16 from groups
    union all
    select 1 as place, 'districts of ' || level || ' education in ' || year_bs as figure, districts::double as value,
        if(level = 'basic', districts = 77, districts <= 77) as holds
    from years
    union all
    select 2, 'of them with an Equity Index, ' || level || ', ' || year_bs, with_index,
        with_index >= 70 or getvariable('schools') < 36000
    from years
    union all
    select 3, 'of them without, and with no reason, ' || level || ', ' || year_bs, districts - with_index - with_reason,
        districts = with_index + with_reason
    from years
    union all
    select 4, 'largest |sum of drivers - D|, of ' || count(whole), max(abs(parts - whole)), max(abs(parts - whole)) <= 1e-12
    from drivers
    union all
    select 5, 'largest |sum of progress parts - change|, of ' || count(whole), max(abs(parts - whole)),
        max(abs(parts - whole)) <= 1e-12
    from progress
    union all
    select 6, 'largest |sum of amounts + unallocated - budget|, of ' || count(*),
        max(abs(shared_out + unallocated - budget)), bool_and(is_whole and shared_out + unallocated = budget)
    from allocations
)
select figure, printf('%.15g', value), coalesce(holds, false)
from figures
order by place, figure
