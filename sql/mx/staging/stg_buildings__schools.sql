-- One row per school and shift of the register of school buildings.

with

records_cleaned as (

    select
        cct_key(buildings.cct) as cct,
        buildings.cct as cct_cell,
        shift_or_unknown(shifts.shift, buildings.shift) as shift,
        municipality_key(
            pad_code(buildings.state_code, 2), buildings.municipality_code
        ) as municipality_code,
        buildings.locality_code as locality_cell,
        cvegeo_ageb(
            buildings.state_code, buildings.municipality_code, buildings.locality_code,
            ageb
        ) as ageb_code,
        cast(yes_no(water) as boolean) as has_water,
        water as water_cell,
        cast(yes_no(drainage) as boolean) as has_drainage,
        drainage as drainage_cell,
        cast(yes_no(toilets) as boolean) as has_toilets,
        toilets as toilets_cell,
        cast(yes_no(handwashing) as boolean) as has_handwashing,
        handwashing as handwashing_cell,
        clean_count(classrooms) as classrooms_count,
        classrooms as classrooms_cell,
        concat_ws(
            '|', buildings.state_code, buildings.municipality_code,
            buildings.locality_code, ageb, water, drainage, toilets, handwashing,
            classrooms
        ) as record_text,
        if(cct_clean(buildings.cct) is null, 'INVALID_CCT', null) as unfit_reason,
        _file, _record,
    from raw.buildings as buildings
    left join reference.shifts on shifts.word = fold_word(buildings.shift)

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and (cct, shift) in (
        select (cct, shift)
        from records_cleaned
        where unfit_reason is null
        group by cct, shift
        having count(*) > 1
    )
    window same_key as (partition by cct, shift)

),

records_judged as (

    select
        cct, shift, municipality_code,
        locality_key(municipality_code, locality_cell) as locality_code, ageb_code,
        has_water, reason_unless(has_water, water_cell) as water_reason,
        has_drainage, reason_unless(has_drainage, drainage_cell) as drainage_reason,
        has_toilets, reason_unless(has_toilets, toilets_cell) as toilets_reason,
        has_handwashing,
        reason_unless(has_handwashing, handwashing_cell) as handwashing_reason,
        classrooms_count,
        reason_unless(classrooms_count, classrooms_cell) as classrooms_reason,
        key_flags(cct, cct_cell, shift) as flags,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged
