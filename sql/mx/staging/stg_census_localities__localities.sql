-- One row per locality of the 2020 census (ITER), urban or rural.

with

records_read as (

    select
        census_area(state_code, municipality_code, locality_code) as area_code,
        fold_text(locality_name) as locality_title,
        fold_text(municipality_name) as municipality_title,
        clean_count(population) as population_count,
        clean_count(aged_15_17) as aged_15_17_count,
        clean_count(attending_15_17) as attending_15_17_count,
        clean_number(schooling_years) as mean_schooling_years,
        reason_unless(mean_schooling_years, schooling_years) as schooling_reason,
        case
            when fold_text(described_dwellings) is not null then described_dwellings
            when fold_text(private_dwellings) is not null then private_dwellings
            else inhabited_dwellings
        end as dwellings_cell,
        clean_count(dwellings_cell) as dwellings_count,
        reason_unless(dwellings_count, dwellings_cell) as dwellings_reason,
        clean_count(internet) as internet_count,
        reason_unless(internet_count, internet) as internet_reason,
        clean_count(computer) as computer_count,
        reason_unless(computer_count, computer) as computer_reason,
        clean_count(television) as television_count,
        reason_unless(television_count, television) as television_reason,
        clean_count(cellphone) as cellphone_count,
        reason_unless(cellphone_count, cellphone) as cellphone_reason,
        flags([
            if(fold_text(described_dwellings) is null, 'DWELLINGS_APPROXIMATE', null)
        ]) as flags,
        concat_ws(
            '|', population, aged_15_17, attending_15_17, schooling_years,
            dwellings_cell, internet, computer, television, cellphone
        ) as record_text,
        case
            when not regexp_full_match(area_code, '[0-9]{9}') then 'INVALID_CODE'
            when substr(area_code, 3, 3) = '000' then 'TOTAL_ROW'
            when right(area_code, 4) in ('0000', '9998', '9999') then 'TOTAL_ROW'
        end as unfit_reason,
        _file, _record,
    from raw.census_localities

),

records_judged as (

    select
        area_code as locality_code,
        locality_title as locality_name,
        left(area_code, 5) as municipality_code,
        municipality_title as municipality_name,
        population_count, aged_15_17_count, attending_15_17_count,
        mean_schooling_years, schooling_reason, dwellings_count, dwellings_reason,
        internet_count, internet_reason, computer_count, computer_reason,
        television_count, television_reason, cellphone_count, cellphone_reason, flags,
        _file, _record,
        coalesce(
            unfit_reason,
            duplicate_reason(
                min(record_text) over same_key, max(record_text) over same_key,
                row_number() over (same_key order by _file, _record)
            )
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, area_code)

)

select * from records_judged
