-- The yardstick: what one DuckDB process needs, tuned by hand, for what the pipeline mx gives to a school.
-- It reads the plain text files of a synthetic sample (views, so that everything streams), joins them, and writes one
-- wide row per school and shift of the register, sorted, and beside it the weekly deaths. Against the pipeline it is
-- let off: imputation (a school without a published result has no learning here), draws, scenarios, the rule of coverage
-- (it is told that primary and secondary enter), flags and reasons, rows set aside,
-- schools that only another source names, ENLACE, checks, and any proof.
-- The runner gives the variables folder, output and <source>_columns (the explicit schema, {'title': 'VARCHAR', …}),
-- and the table method.profiles, which holds the texts of the advice.

create macro whole(cell) as try_cast(replace(cell, ',', '') as bigint);
create macro share(cell) as try_cast(replace(cell, '%', '') as double) / 100;
create macro unit(value) as case when value < 0 then 0.0 when value > 1 then 1.0 else value end;
create macro known(value) as if(value is null, 0.0, 1.0);
create macro level_at(value, medium_from, high_from) as
    case when value < medium_from then 'L' when value < high_from then 'M' when value is not null then 'H' end;
create macro mean_of_two(a, b) as
    (coalesce(a, 0.0::double) + coalesce(b, 0.0::double)) / nullif(known(a) + known(b), 0);
create macro mean_of_four(a, b, c, d) as case
    when known(a) + known(b) + known(c) + known(d) >= 2
        then (coalesce(a, 0.0::double) + coalesce(b, 0.0) + coalesce(c, 0.0) + coalesce(d, 0.0))
            / (known(a) + known(b) + known(c) + known(d))
end;
create macro weighted_mean_of_three(a, b, c, wa, wb, wc) as case
    when known(a) * wa + known(b) * wb + known(c) * wc >= 0.5 - 1e-12
        then (coalesce(a * wa, 0.0::double) + coalesce(b * wb, 0.0) + coalesce(c * wc, 0.0))
            / (known(a) * wa + known(b) * wb + known(c) * wc)
end;
create macro spare(pupils, places) as case
    when pupils > 0 and places = 0 then 0.0
    when pupils > 0 then unit((40.0::double - pupils / places) / (40.0::double - 15.0))
end;
create macro shift_of(cell) as case
    when cell in ('MATUTINO', 'VESPERTINO', 'NOCTURNO', 'DISCONTINUO', 'MIXTO', 'COMPLEMENTARIO') then cell
    when cell in (
        'CONTINUO', 'CONTINUO (JORNADA AMPLIADA)', 'CONTINUO (TIEMPO COMPLETO)', 'JORNADA AMPLIADA', 'TIEMPO COMPLETO'
    ) then 'CONTINUO'
    when cell is null then 'UNKNOWN' else 'OTHER'
end;
create macro grade_of(cell) as case upper(cell)
    when 'MUY BAJO' then 'VERY_LOW' when 'BAJO' then 'LOW' when 'MEDIO' then 'MEDIUM'
    when 'ALTO' then 'HIGH' when 'MUY ALTO' then 'VERY_HIGH'
end;

create view registry_read as
select
    "CLAVE CT" as cct, shift_of("NOM TURNO") as shift, "NOMBRE CT" as school_name,
    left("CLAVE CT", 2) as state_code,
    state_code || nullif(lpad("MUNICIPIO", 3, '0'), '000') as municipality_code,
    "NOMBRE MUNICIPIO" as municipality_name,
    municipality_code || nullif(lpad("LOCALIDAD INEGI", 4, '0'), '0000') as locality_code,
    " NOMBRE LOCALIDAD" as locality_name,
    case "NIVEL"
        when 'PRIMARIA' then 'PRIMARY' when 'PREESCOLAR' then 'PRESCHOOL'
        when 'SECUNDARIA' then 'SECONDARY' when 'TELESECUNDARIA' then 'SECONDARY' else 'UPPER_SECONDARY'
    end as level,
    if("SOSTENIMIENTO" in ('PARTICULAR', 'SUBSIDIADO'), 'PRIVATE', 'PUBLIC') as control,
    case
        when control = 'PRIVATE' then 'PRIVATE' when "PROGRAMA" = 'GENERAL' then 'GENERAL'
        when "PROGRAMA" in ('INDIGENA', 'INDÍGENA') then 'INDIGENOUS' when "PROGRAMA" = 'TELESECUNDARIA' then 'TELESECONDARY'
        when "PROGRAMA" in ('CONAFE', 'COMUNITARIA') then 'COMMUNITY' when "PROGRAMA" in ('TECNICA', 'TÉCNICA') then 'TECHNICAL'
    end as type,
    whole("TOTAL 1°") as pupils_grade_1_count, whole("TOTAL 2°") as pupils_grade_2_count,
    whole("TOTAL 3°") as pupils_grade_3_count, whole("TOTAL 4°") as pupils_grade_4_count,
    whole("TOTAL 5°") as pupils_grade_5_count, whole("TOTAL 6°") as pupils_grade_6_count,
    whole("HOMBRES TOTAL") as pupils_men_count, whole("MUJERES TOTAL") as pupils_women_count,
    whole("MATRICULA TOTAL") as pupils_count, whole("DOCENTES") as teachers_count, whole("GRUPOS") as groups_count,
from read_csv(
    getvariable('folder') || '/registry/*.csv', columns = getvariable('registry_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
);

create view buildings_read as
select
    "CLAVE_CT" as cct, shift_of("TURNO") as shift,
    lpad("CVE_ENT", 2, '0') || nullif(lpad("CVE_MUN", 3, '0'), '000') || nullif(lpad("CVE_LOC", 4, '0'), '0000')
    || nullif(lpad(replace("CVE_AGEB", '-', ''), 4, '0'), '0000') as ageb_code,
    try_cast("AGUA" as double) as has_water, try_cast("DRENAJE" as double) as has_drainage,
    try_cast("SANITARIOS" as double) as has_toilets, try_cast("LAVAMANOS" as double) as has_handwashing,
    whole("AULAS") as classrooms_count,
    mean_of_four(has_water, has_drainage, has_toilets, has_handwashing) as feasibility_wash,
from read_csv(
    getvariable('folder') || '/buildings/*.csv', columns = getvariable('buildings_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
);

create view planea_read as
select
    "CLAVE DE LA ESCUELA" as cct, shift_of("TURNO") as shift, whole("AÑO") as year,
    share("PORCENTAJE LENGUAJE NIVEL I") as language_level_1_share,
    share("PORCENTAJE LENGUAJE NIVEL II") as language_level_2_share,
    share("PORCENTAJE LENGUAJE NIVEL III") as language_level_3_share,
    share("PORCENTAJE LENGUAJE NIVEL IV") as language_level_4_share,
    share("PORCENTAJE MATEMÁTICAS NIVEL I") as maths_level_1_share,
    share("PORCENTAJE MATEMÁTICAS NIVEL II") as maths_level_2_share,
    share("PORCENTAJE MATEMÁTICAS NIVEL III") as maths_level_3_share,
    share("PORCENTAJE MATEMÁTICAS NIVEL IV") as maths_level_4_share,
    whole("ALUMNOS PROGRAMADOS") as programmed_count,
    mean_of_two(language_level_1_share, maths_level_1_share) as urgency_learning,
from read_csv(
    getvariable('folder') || '/planea/*.csv', columns = getvariable('planea_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
)
where "NIVEL" in ('PRIMARIA', 'SECUNDARIA');

create view census_read as
select
    lpad("ENTIDAD", 2, '0') || lpad("MUN", 3, '0') as municipality_code,
    municipality_code || lpad("LOC", 4, '0') as locality_code,
    locality_code || lpad(replace("AGEB", '-', ''), 4, '0') as ageb_code,
    whole("POBTOT") as population, try_cast("GRAPROES" as double) as schooling,
    whole(coalesce("VIVPARH_CV", "TVIVHAB")) as dwellings,
    whole("VPH_INTER") as internet, whole("VPH_PC") as computer, whole("VPH_TV") as television, whole("VPH_CEL") as cellphone,
from read_csv(
    getvariable('folder') || '/census_ageb/*.csv', columns = getvariable('census_ageb_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
)
where
    lpad("MZA", 3, '0') = '000' and lpad("MUN", 3, '0') <> '000'
    and (lpad("LOC", 4, '0') = '0000') = (lpad("AGEB", 4, '0') = '0000');

-- Urban AGEBs and the totals of municipalities. Read four times below: the one table that is worth keeping.
create temp table areas as from census_read;
create view agebs as from areas where right(locality_code, 4) <> '0000';
create view municipalities as from areas where right(locality_code, 4) = '0000';

create macro at_level(match_level, ageb_value, locality_value, municipality_value) as case match_level
    when 'AGEB' then ageb_value when 'LOCALITY' then locality_value when 'MUNICIPALITY' then municipality_value
end;
create macro lacking(holders, homes) as unit(1 - if(homes > 0, holders / homes, null));
create macro lacking_of_all(holders, homes) as
    lacking(sum(holders) filter (where homes is not null), sum(homes) filter (where holders is not null));
create macro mean_by_people(value, people) as
    cast(sum(cast(value as decimal(12, 4)) * people) as double) / nullif(sum(people) filter (where value is not null), 0);

create view homes_by_ageb as
select
    ageb_code, lacking(internet, dwellings) as no_internet_share, lacking(computer, dwellings) as no_computer_share,
    lacking(television, dwellings) as no_television_share, lacking(cellphone, dwellings) as no_cellphone_share,
    mean_of_four(no_internet_share, no_computer_share, no_television_share, no_cellphone_share) as urgency_household,
    schooling as mean_schooling_years, unit((12.0::double - schooling) / 12.0::double) as urgency_adults,
from agebs;

create view homes_by_locality as
select
    locality_code, lacking_of_all(internet, dwellings) as no_internet_share,
    lacking_of_all(computer, dwellings) as no_computer_share, lacking_of_all(television, dwellings) as no_television_share,
    lacking_of_all(cellphone, dwellings) as no_cellphone_share,
    mean_of_four(no_internet_share, no_computer_share, no_television_share, no_cellphone_share) as urgency_household,
    mean_by_people(schooling, population) as mean_schooling_years,
    unit((12.0::double - mean_schooling_years) / 12.0::double) as urgency_adults,
from agebs group by locality_code;

-- A municipality's own total where the census gives one, else its AGEBs together.
create view homes_by_municipality as
with
summed as (
    select
        municipality_code,
        [
            lacking_of_all(internet, dwellings), lacking_of_all(computer, dwellings),
            lacking_of_all(television, dwellings), lacking_of_all(cellphone, dwellings),
        ] as lacks,
        mean_by_people(schooling, population) as schooling,
    from agebs group by municipality_code
)
select
    municipality_code,
    [
        lacking(internet, dwellings), lacking(computer, dwellings),
        lacking(television, dwellings), lacking(cellphone, dwellings),
    ] as own_lacks,
    if(list_count(own_lacks) >= 2, own_lacks, lacks) as lacks_found,
    lacks_found[1] as no_internet_share, lacks_found[2] as no_computer_share,
    lacks_found[3] as no_television_share, lacks_found[4] as no_cellphone_share,
    mean_of_four(no_internet_share, no_computer_share, no_television_share, no_cellphone_share) as urgency_household,
    coalesce(municipalities.schooling, summed.schooling) as mean_schooling_years,
    unit((12.0::double - mean_schooling_years) / 12.0::double) as urgency_adults,
from summed
full join municipalities using (municipality_code);

create view marginalization_by_ageb as
select
    "CVE_AGEB" as ageb_code, left("CVE_AGEB", 9) as locality_code, whole("POB_TOTAL") as population,
    grade_of("GM_2020") as grade, try_cast("IM_2020" as double) as index_value,
from read_csv(
    getvariable('folder') || '/marginalization_ageb/*.csv', columns = getvariable('marginalization_ageb_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
);

create view marginalization_by_locality as
select locality_code, grade, index_value
from (
    select
        locality_code,
        sum(index_value * population order by ageb_code)
            / nullif(sum(population) filter (where index_value is not null), 0) as index_value,
    from marginalization_by_ageb group by locality_code
)
left join (
    select locality_code, max_by(grade, (people, list_position(['VERY_LOW', 'LOW', 'MEDIUM', 'HIGH', 'VERY_HIGH'], grade))) as grade,
    from (select locality_code, grade, sum(population) as people from marginalization_by_ageb group by all)
    group by locality_code
) using (locality_code);

create view marginalization_by_municipality as
select lpad("CVE_MUN", 5, '0') as municipality_code, grade_of("GM_2020") as grade, try_cast("IM_2020" as double) as index_value,
from read_csv(
    getvariable('folder') || '/marginalization/*.csv', columns = getvariable('marginalization_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
);

-- Equal records of a school and shift count once; records that differ do not count.
create view schools_registered as
with
registry as materialized (from registry_read),
repeated as (select cct, shift from registry group by all having count(*) > 1)
from registry anti join repeated using (cct, shift)
union all
select * from (select distinct * from registry semi join repeated using (cct, shift))
qualify count(*) over (partition by cct, shift) = 1;

create view results_latest as
select
    cct, shift,
    arg_max(planea_read, {'is_known': urgency_learning is not null, 'year': year}) as result,
from planea_read
group by cct, shift;

create view deaths_read as
select 'INEGI' as source, lpad("CVE_ENT", 2, '0') as state_code, try_cast(fecha as date) as day, whole(def_registradas) as deaths,
from read_csv(
    getvariable('folder') || '/deaths_inegi/*.tsv', columns = getvariable('deaths_inegi_columns'),
    auto_detect = false, header = true, delim = '\t', quote = '"', escape = '"'
)
where lpad("CVE_ENT", 2, '0') <= '32'
union all
select 'SSA', lpad("CVE_ENT", 2, '0'), try_cast(fecha as date), whole(def_registradas),
from read_csv(
    getvariable('folder') || '/deaths_ssa/*.csv', columns = getvariable('deaths_ssa_columns'),
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"'
)
where lpad("CVE_ENT", 2, '0') <= '32';

create temp table deaths_weekly as
select
    state_code, isoyear(day) as iso_year, weekofyear(day) as iso_week, source,
    count(*) as day_count, cast(sum(deaths) as bigint) as deaths_registered_count,
from deaths_read group by all;

-- Epidemiology of the states in the last final fortnight at the sample's day, 2021-08-29: weeks 25 and 26 of 2021,
-- against the years 2015-2018 (2019 is not there), with the slope held in 2020. Every state of the sample has more than
-- 50 deaths a week. The sums run in the pipeline's order, so that their last bits are the same.
create temp table epidemiology_by_state as
with
whole_weeks as (
    select state_code, iso_year - 2015 as year, iso_week as week, cast(deaths_registered_count as double) as deaths
    from deaths_weekly where day_count = 7
),
means as (
    select state_code, week, count(*) as years, sum(year)::double / count(*) as year_mean, sum(deaths) / count(*) as deaths_mean,
    from whole_weeks where year between 0 and 4 and week <= 52 group by all
),
gaps as (
    select state_code, year * 52 + week as place, year - year_mean as year_gap, deaths - deaths_mean as deaths_gap,
    from whole_weeks inner join means using (state_code, week) where year between 0 and 4
),
slopes as (
    select
        state_code, sum(year_gap * year_gap order by place) as squares,
        sum(year_gap * deaths_gap order by place) / squares as slope,
    from gaps group by state_code
),
variances as (
    select state_code, sum((deaths_gap - slope * year_gap) * (deaths_gap - slope * year_gap) order by place) / (count(*) - 53) as variance,
    from gaps inner join slopes using (state_code) group by state_code
),
fortnight as (
    select
        state_code, sum(deaths_mean + slope * (5 - year_mean) order by week) as baseline, sum(deaths order by week) - baseline as excess,
        sum(1.0::double / years order by week) + sum(5 - year_mean order by week) ** 2 / any_value(squares) as spread,
        100 * excess / baseline as p_score,
    from whole_weeks inner join means using (state_code, week) inner join slopes using (state_code)
    where year = 6 and week in (25, 26) group by state_code
)
select
    state_code, p_score >= 30 and excess > 1.9755 * sqrt(greatest(variance, baseline / 2) * (2 + spread)) as is_red,
    if(p_score <= quantile_cont(p_score, 1.0 / 3) over (), 1, if(p_score <= quantile_cont(p_score, 2.0 / 3) over (), 2, 3)) as tercile,
    case
        when p_score < 10 then 1.0::double when is_red then 0.0
        else unit((30 - least(p_score, 30)) / 20 + (2 - tercile) * 0.15::double)
    end as feasibility_epidemiology,
from fortnight inner join variances using (state_code);

create view schools_joined as
select
    schools.*, buildings.ageb_code, classrooms_count, has_water, has_drainage, has_toilets, has_handwashing, feasibility_wash,
    if(
        own.result.urgency_learning is null and (own.cct is null or shared.result.urgency_learning is not null),
        shared.result, own.result
    ) as test,
    mean_of_two(spare(pupils_count, classrooms_count), spare(pupils_count, teachers_count)) as feasibility_crowding,
    pupils_count / nullif(classrooms_count, 0) as pupils_per_room,
    pupils_count / nullif(teachers_count, 0) as pupils_per_teacher,
    case
        when by_ageb.urgency_household is not null then 'AGEB' when by_locality.urgency_household is not null then 'LOCALITY'
        when by_municipality.urgency_household is not null then 'MUNICIPALITY'
    end as household_level,
    coalesce(by_ageb.urgency_household, by_locality.urgency_household, by_municipality.urgency_household) as urgency_household,
    at_level(household_level, by_ageb.no_internet_share, by_locality.no_internet_share, by_municipality.no_internet_share) as no_internet_share,
    at_level(household_level, by_ageb.no_computer_share, by_locality.no_computer_share, by_municipality.no_computer_share) as no_computer_share,
    at_level(household_level, by_ageb.no_television_share, by_locality.no_television_share, by_municipality.no_television_share)
        as no_television_share,
    at_level(household_level, by_ageb.no_cellphone_share, by_locality.no_cellphone_share, by_municipality.no_cellphone_share)
        as no_cellphone_share,
    coalesce(by_ageb.urgency_adults, by_locality.urgency_adults, by_municipality.urgency_adults) as urgency_adults,
    coalesce(by_ageb.mean_schooling_years, by_locality.mean_schooling_years, by_municipality.mean_schooling_years)
        as mean_schooling_years,
    coalesce(poor_ageb.ageb_code, poor_locality.locality_code, poor_municipality.municipality_code) as marginalization_area,
    case
        when poor_ageb.ageb_code is not null then poor_ageb.grade
        when poor_locality.locality_code is not null then poor_locality.grade
        else poor_municipality.grade
    end as marginalization_grade,
    case
        when poor_ageb.ageb_code is not null then poor_ageb.index_value
        when poor_locality.locality_code is not null then poor_locality.index_value
        else poor_municipality.index_value
    end as marginalization_index,
    coalesce(marginalization_grade in ('HIGH', 'VERY_HIGH') or type in ('INDIGENOUS', 'COMMUNITY'), false) as is_disadvantaged,
from schools_registered as schools
left join buildings_read as buildings using (cct, shift)
left join results_latest as own using (cct, shift)
left join results_latest as shared on shared.cct = schools.cct and shared.shift = 'UNKNOWN'
left join homes_by_ageb as by_ageb on by_ageb.ageb_code = buildings.ageb_code
left join homes_by_locality as by_locality on by_locality.locality_code = schools.locality_code
left join homes_by_municipality as by_municipality on by_municipality.municipality_code = schools.municipality_code
left join marginalization_by_ageb as poor_ageb on poor_ageb.ageb_code = buildings.ageb_code
left join marginalization_by_locality as poor_locality on poor_locality.locality_code = schools.locality_code
left join marginalization_by_municipality as poor_municipality
    on poor_municipality.municipality_code = schools.municipality_code;

create view schools_scored as
select
    schools.* exclude (test), feasibility_epidemiology, is_red,
    test.year as learning_year, test.programmed_count, test.urgency_learning,
    test.language_level_1_share, test.language_level_2_share, test.language_level_3_share, test.language_level_4_share,
    test.maths_level_1_share, test.maths_level_2_share, test.maths_level_3_share, test.maths_level_4_share,
    unit(weighted_mean_of_three(test.urgency_learning, urgency_household, urgency_adults, 0.5::double, 0.3::double, 0.2::double))
        as urgency,
    if(
        pupils_count = 0, null,
        weighted_mean_of_three(
            feasibility_wash, feasibility_crowding, feasibility_epidemiology, 0.4::double, 0.3::double, 0.3::double
        )
    ) as feasibility,
from schools_joined as schools
left join epidemiology_by_state using (state_code);

create view schools_ranked as
select
    *, level_at(urgency, 0.35, 0.55) as urgency_level,
    if(is_red and feasibility is not null, 'L', level_at(feasibility, 0.45, 0.65)) as feasibility_level,
    list_sort(list_filter(
        list_transform(
            [
                1 - urgency_learning, 1 - urgency_household, 1 - urgency_adults, feasibility_wash, feasibility_crowding,
                feasibility_epidemiology,
            ],
            lambda value, place: {'value': value, 'place': place}
        ),
        lambda part: part.value is not null
    ))[:2] as weakest,
from schools_scored;

create macro named(parts, names) as
    names[parts[1].place] || ' ' || format('{:.2f}', parts[1].value)
    || coalesce(', ' || names[parts[2].place] || ' ' || format('{:.2f}', parts[2].value), '');

create view schools_advised as
select
    schools.* exclude (weakest), profiles.profile,
    text_es || ' Lo más débil (0 peor, 1 mejor): ' || named(
        weakest, [
            'aprendizajes', 'medios en casa', 'escolaridad de los adultos', 'agua y sanitarios', 'espacio y docentes',
            'situación epidemiológica',
        ]
    ) || '.' as advice_es,
    text_en || ' Weakest (0 worst, 1 best): ' || named(
        weakest, [
            'learning', 'means at home', 'adults'' schooling', 'water and toilets', 'space and teachers', 'epidemiology',
        ]
    ) || '.' as advice_en,
from schools_ranked as schools
left join method.profiles
    on profiles.urgency_level = schools.urgency_level and profiles.feasibility_level = schools.feasibility_level
    and level in ('PRIMARY', 'SECONDARY');

copy (
    select state_code, iso_year, iso_week, source, day_count, deaths_registered_count from deaths_weekly order by all
) to (getvariable('output') || '/mortality.parquet') (format parquet, compression zstd);

copy (from schools_advised order by cct, shift) to (getvariable('output') || '/schools.parquet')
(format parquet, compression zstd);
