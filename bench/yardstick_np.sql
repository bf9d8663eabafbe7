-- The yardstick of the pipeline np: what one DuckDB process needs, tuned by hand, for every district's coverage,
-- dissimilarity and Equity Index, with the back-off of small groups (METHODS 1.1 and 1.2). It reads the plain enrolment
-- file of a synthetic sample and writes one row per district, level and school year. Against the pipeline it is let
-- off: intervals, drivers, progress, resources, VDCs and schools, rows left out beyond a share, flags, checks, proof.
-- The runner gives the variables folder, output and enrolment_columns, and the tables of the configuration named here.

create macro whole(cell) as try_cast(translate(cell, '०१२३४५६७८९,', '0123456789') as bigint);

-- The file is read once; a row that stands in it twice counts once.
create table records as
select
    hash(year_bs, school_code, district, vdc, grade, sex, caste, disability, location, enrolled, repeaters_next) as id,
    district, whole(year_bs)::usmallint as year, whole(grade)::utinyint as grade, sex = 'F' as sex,
    caste = 'Dalit' as caste, location = 'urban' as location, disability = 'yes' as disability,
    whole(enrolled)::integer as enrolled, whole(repeaters_next)::integer as repeaters,
    whole(enrolled) is not null and (whole(repeaters_next) is not null or disability = 'yes') as is_known,
from read_csv(
    getvariable('folder') || '/enrolment/*.csv', columns = getvariable('enrolment_columns'), header = true,
    auto_detect = false, delim = ',', quote = '"', escape = '"'
);

delete from records
where rowid in (
    with repeated as (select id from records group by id having count(*) > 1)
    select unnest(list(rowid order by rowid)[2:]) from records semi join repeated using (id) group by id
);

create table cells as
select
    coalesce(spellings.district_name, trim(district)) as district, year::bigint as year, grade::bigint as grade, sex,
    caste, location, disability,
    sum(enrolled) as pupils,
    sum(enrolled) filter (where is_known) as flow_pupils,
    sum(repeaters) filter (where is_known) as repeaters,
    count(*) filter (where is_known) > 0
    and count(repeaters) filter (where is_known) = 0 as is_uncounted,
from (
    select
        district, year, grade, sex, caste, location, disability, is_known,
        sum(enrolled) as enrolled, sum(repeaters) as repeaters,
    from records
    group by all
)
left join reference.district_spellings as spellings
    on spellings.spelling = translate(lower(trim(district)), ' _-.()', '')
group by all;

-- Every group in every grade that its district reports, with next year's pupils.
create table filled as
with
places as (select distinct district, year, grade from cells),
groups as (select distinct district, sex, caste, location, disability from cells)
select
    district, year, grade, sex, caste, location, disability,
    if(cells.grade is null, 0, pupils) as pupils,
    if(cells.grade is null, 0, flow_pupils) as flow_pupils,
    if(cells.grade is null, 0, repeaters) as repeaters,
    coalesce(is_uncounted, false) as is_uncounted,
from places
inner join groups using (district)
left join cells using (district, year, grade, sex, caste, location, disability);

-- The disabled repeat as their group does: those repeaters are theirs, and not the others'.
create table flows as
with
paired as (
    select
        now.*, later.pupils as next_pupils,
        sum(now.repeaters) over pairs as both_repeaters, sum(now.flow_pupils) over pairs as both_pupils,
    from filled as now
    left join filled as later
        on later.district = now.district and later.year = now.year + 1 and later.grade = now.grade
        and later.sex = now.sex and later.caste = now.caste and later.location = now.location
        and later.disability = now.disability
    window pairs as (partition by now.district, now.year, now.grade, now.sex, now.caste, now.location)
),
guessed as (
    select
        *,
        case
            when flow_pupils = 0 then 0
            when next_pupils is not null and both_pupils > 0
                then least(both_repeaters / both_pupils * flow_pupils, flow_pupils, next_pupils)
        end as estimate,
    from paired
),
estimated as (
    select
        *,
        bool_or(is_uncounted) over pairs as has_uncounted,
        sum(if(is_uncounted, estimate, 0)) over pairs as taken,
        bool_and(not is_uncounted or estimate is not null) over pairs as is_estimable,
    from guessed
    window pairs as (partition by district, year, grade, sex, caste, location)
),
shared as (
    select
        *,
        case
            when is_uncounted then estimate
            when not has_uncounted or repeaters = 0 then repeaters
            when is_estimable then repeaters - taken * repeaters / both_repeaters
        end as repeating,
    from estimated
)
select
    here.district, levels.level, here.year, here.grade, here.grade = levels.last_grade as is_last,
    here.sex, here.caste, here.location, here.disability,
    here.pupils, here.flow_pupils, here.flow_pupils - here.repeating as at_risk,
    above.next_pupils - above.repeating as promoted,
from shared as here
inner join method.levels as levels on here.grade between levels.first_grade and levels.last_grade
left join shared as above
    on above.district = here.district and above.year = here.year and above.grade = here.grade + 1
    and above.grade <= levels.last_grade and above.sex = here.sex and above.caste = here.caste
    and above.location = here.location and above.disability = here.disability
where here.year < (select max(year) from cells);

-- Five pools of each group: its own, then without disability, location, caste and sex.
create table pools as
with
pooled as (
    select
        district, level, year, step, grade, is_last,
        if(step >= 4, 'any', sex::varchar) as sex, if(step >= 3, 'any', caste::varchar) as caste,
        if(step >= 2, 'any', location::varchar) as location, if(step >= 1, 'any', disability::varchar) as disability,
        sum(pupils) as pupils, sum(flow_pupils) as flow_pupils,
        sum(at_risk order by flows.sex, flows.caste, flows.location, flows.disability) as at_risk,
        sum(promoted order by flows.sex, flows.caste, flows.location, flows.disability) as promoted,
    from flows
    cross join range(5) as steps (step)
    group by all
),
rated as (
    select *, if(not is_last and flow_pupils > 0 and at_risk > 0 and promoted >= 0, promoted / at_risk, null) as rate,
    from pooled
)
select
    district, level, year, step, sex, caste, location, disability,
    coalesce(sum(pupils), 0) as pupils,
    if(count(rate) = max(last_grade - first_grade), product(rate order by grade), null) as survival,
    survival is null or coalesce(sum(pupils), 0) < 30 or min(at_risk) filter (where not is_last) < 10 as is_small,
from rated
inner join method.levels using (level)
group by all;

copy (
    with
    borrowed as (
        select
            own.district, own.level, own.year, own.sex, own.caste, own.location, own.disability, own.pupils as weight,
            wider.step, least(wider.survival, 1) as rate,
        from pools as own
        inner join pools as wider
            on wider.district = own.district and wider.level = own.level and wider.year = own.year
            and wider.sex = if(wider.step >= 4, 'any', own.sex) and wider.caste = if(wider.step >= 3, 'any', own.caste)
            and wider.location = if(wider.step >= 2, 'any', own.location)
            and wider.disability = if(wider.step >= 1, 'any', own.disability)
        where own.step = 0 and (not wider.is_small or wider.step = 4)
        qualify row_number() over (
            partition by own.district, own.level, own.year, own.sex, own.caste, own.location, own.disability
            order by wider.step
        ) = 1
    ),
    means as (
        select
            district, level, year,
            sum(weight) as pupils,
            sum(if(rate is null, 0, weight)) as known,
            sum(weight * rate order by sex, caste, location, disability) / nullif(known, 0) as c_bar,
            sum(if(step > 0, weight, 0)) / nullif(pupils, 0) as backoff_weight,
            coalesce(
                c_bar is null or pupils < 100 or backoff_weight > 0.5 or 1 - known / pupils > 0.05, true
            ) as is_coverage_only,
        from borrowed
        group by all
    ),
    deviations as (
        select
            district, level, year,
            sum(weight / known * abs(rate - c_bar) order by sex, caste, location, disability) as deviation,
        from borrowed
        inner join means using (district, level, year)
        where weight > 0
        group by all
    )
    select
        district as district_name, level, year as year_bs, c_bar, backoff_weight,
        if(is_coverage_only or c_bar = 0, null, deviation / (2 * c_bar)) as dissimilarity,
        if(is_coverage_only, null, if(c_bar = 0, 0, c_bar * (1 - deviation / (2 * c_bar)))) as ei,
    from means
    left join deviations using (district, level, year)
    order by all
) to (getvariable('output') || '/districts.parquet');
