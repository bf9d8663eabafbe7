-- One row per urban AGEB of the 2020 census.

with

records_cleaned as (

    select
        coalesce(
            cvegeo_ageb(state_code, municipality_code, locality_code, ageb),
            concat_ws('-', state_code, municipality_code, locality_code, ageb, block)
        ) as ageb_code,
        cvegeo_level(
            state_code, municipality_code, locality_code, ageb, block
        ) as area_level,
        fold_text(state_name) as state_name,
        fold_text(municipality_name) as municipality_name,
        clean_count(population) as population_count,
        clean_count(aged_15_17) as aged_15_17_count,
        clean_count(attending_15_17) as attending_15_17_count,
        share_of(
            clean_count(not_attending_6_11) + clean_count(not_attending_12_14),
            clean_count(aged_6_11) + clean_count(aged_12_14)
        ) as not_attending_6_14_share,
        clean_number(schooling_years) as mean_schooling_years,
        schooling_years as schooling_cell,
        case
            when fold_text(described_dwellings) is not null then described_dwellings
            when fold_text(private_dwellings) is not null then private_dwellings
            else inhabited_dwellings
        end as dwellings_cell,
        clean_count(internet) as internet_count,
        internet as internet_cell,
        clean_count(computer) as computer_count,
        computer as computer_cell,
        clean_count(television) as television_count,
        television as television_cell,
        clean_count(cellphone) as cellphone_count,
        cellphone as cellphone_cell,
        flags([
            if(fold_text(described_dwellings) is null, 'DWELLINGS_APPROXIMATE', null)
        ]) as flags,
        concat_ws(
            '|', population, aged_15_17, attending_15_17, schooling_years,
            dwellings_cell, internet, computer, television, cellphone, aged_6_11,
            not_attending_6_11, aged_12_14, not_attending_12_14
        ) as record_text,
        _file, _record,
    from raw.census_ageb

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where area_level = 'AGEB' and ageb_code in (
        select ageb_code
        from records_cleaned
        where area_level = 'AGEB'
        group by ageb_code
        having count(*) > 1
    )
    window same_key as (partition by ageb_code)

),

records_judged as (

    select
        ageb_code,
        left(ageb_code, 9) as locality_code,
        left(ageb_code, 5) as municipality_code,
        state_name, municipality_name,
        population_count, aged_15_17_count, attending_15_17_count,
        not_attending_6_14_share, mean_schooling_years,
        reason_unless(mean_schooling_years, schooling_cell) as schooling_reason,
        clean_count(dwellings_cell) as dwellings_count,
        reason_unless(dwellings_count, dwellings_cell) as dwellings_reason,
        internet_count, reason_unless(internet_count, internet_cell) as internet_reason,
        computer_count, reason_unless(computer_count, computer_cell) as computer_reason,
        television_count,
        reason_unless(television_count, television_cell) as television_reason,
        cellphone_count,
        reason_unless(cellphone_count, cellphone_cell) as cellphone_reason,
        flags,
        _file, _record,
        case
            when area_level is null then 'INVALID_CODE'
            when area_level = 'BLOCK' then 'BLOCK_ROW'
            when area_level <> 'AGEB' then 'TOTAL_ROW'
            else repeat_reason
        end as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged
