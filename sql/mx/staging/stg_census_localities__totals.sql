-- One row per total of the census by localities (ITER): of an area, or of its masked localities.

with

totals_read as (

    select
        census_area(state_code, municipality_code, locality_code) as area_code,
        regexp_full_match(area_code, '[0-9]{9}') as is_readable,
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
        ]) as total_flags,
        concat_ws(
            '|', population, aged_15_17, attending_15_17, schooling_years,
            dwellings_cell, internet, computer, television, cellphone
        ) as record_text,
        _file, _record,
    from raw.census_localities
    where is_census_total(municipality_code, locality_code)

),

totals_named as (

    select
        area_code,
        if(is_readable, left(area_code, 2), null) as state_code,
        case
            when is_readable and substr(area_code, 3, 3) <> '000' then left(area_code, 5)
        end as municipality_code,
        case
            when right(area_code, 4) = '9998' then 'ONE_DWELLING'
            when right(area_code, 4) = '9999' then 'TWO_DWELLINGS'
            else 'ALL'
        end as localities_kind,
        population_count, aged_15_17_count, attending_15_17_count,
        mean_schooling_years, schooling_reason, dwellings_count, dwellings_reason,
        internet_count, internet_reason, computer_count, computer_reason,
        television_count, television_reason, cellphone_count, cellphone_reason,
        count(*) over same_area as record_count,
        flags(list_append(
            total_flags,
            case
                when min(record_text) over same_area <> max(record_text) over same_area
                    then 'CONFLICTING_TOTALS'
            end
        )) as flags,
        _file, _record,
    from totals_read
    window same_area as (partition by area_code)
    qualify row_number() over (same_area order by _file, _record) = 1

)

select * from totals_named
