-- One row per school and shift of the register of school buildings.

with

records_read as (

    select
        cct_key(buildings.cct) as cct,
        shift_or_unknown(shifts.shift, buildings.shift) as shift,
        pad_code(buildings.state_code, 2) as state_key,
        municipality_key(state_key, municipality_code) as municipality_key,
        locality_key(state_key, municipality_code, locality_code) as locality_key,
        cvegeo_ageb(
            buildings.state_code, municipality_code, locality_code, ageb
        ) as ageb_code,
        yes_no(water) as water_answer,
        reason_unless(water_answer, water) as water_reason,
        yes_no(drainage) as drainage_answer,
        reason_unless(drainage_answer, drainage) as drainage_reason,
        yes_no(toilets) as toilets_answer,
        reason_unless(toilets_answer, toilets) as toilets_reason,
        yes_no(handwashing) as handwashing_answer,
        reason_unless(handwashing_answer, handwashing) as handwashing_reason,
        clean_count(classrooms) as classrooms_count,
        reason_unless(classrooms_count, classrooms) as classrooms_reason,
        school_flags(buildings.cct, shifts.shift, buildings.shift) as flags,
        concat_ws(
            '|', buildings.state_code, municipality_code, locality_code, ageb, water,
            drainage, toilets, handwashing, classrooms
        ) as record_text,
        if(cct_clean(buildings.cct) is null, 'INVALID_CCT', null) as unfit_reason,
        _file, _record,
    from raw.buildings as buildings
    left join reference.shifts on shifts.word = fold_word(buildings.shift)

),

records_judged as (

    select
        cct, shift,
        municipality_key as municipality_code, locality_key as locality_code, ageb_code,
        cast(water_answer as boolean) as has_water, water_reason,
        cast(drainage_answer as boolean) as has_drainage, drainage_reason,
        cast(toilets_answer as boolean) as has_toilets, toilets_reason,
        cast(handwashing_answer as boolean) as has_handwashing, handwashing_reason,
        classrooms_count, classrooms_reason, flags,
        _file, _record,
        duplicate_or(
            unfit_reason,
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, cct, shift)

)

select * from records_judged
