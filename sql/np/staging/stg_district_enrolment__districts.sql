-- One row per district of the enrolment by grade.

with

spellings as (select spelling, district_name from reference.district_spellings),

records as (

    select
        coalesce(spellings.district_name, fold_text(files.district)) as district_name,
        fold_text(files.district) as district_written,
        flags([unknown_district_flag(spellings.district_name)]) as flags,
        concat_ws(
            '|',
            files.grade_1,
            files.grade_2,
            files.grade_3,
            files.grade_4,
            files.grade_5,
            files.grade_6,
            files.grade_7,
            files.grade_8,
            files.grade_9,
            files.grade_10,
            files.grade_11,
            files.grade_12
        ) as record_text,
        case
            when fold_text(files.district) is null then 'MISSING_DISTRICT'
            when ends_with(spelling_of(files.district), 'total') then 'TOTAL_ROW'
        end as unfit_reason,
        files,
    from raw.district_enrolment as files
    left join spellings on spellings.spelling = district_spelling(files.district)

),

records_judged as (

    select
        district_name,
        district_written,
        read_count(files.grade_1) as grade_1_count,
        read_count(files.grade_2) as grade_2_count,
        read_count(files.grade_3) as grade_3_count,
        read_count(files.grade_4) as grade_4_count,
        read_count(files.grade_5) as grade_5_count,
        read_count(files.grade_6) as grade_6_count,
        read_count(files.grade_7) as grade_7_count,
        read_count(files.grade_8) as grade_8_count,
        read_count(files.grade_9) as grade_9_count,
        read_count(files.grade_10) as grade_10_count,
        read_count(files.grade_11) as grade_11_count,
        read_count(files.grade_12) as grade_12_count,
        flags,
        files._file,
        files._record,
        coalesce(unfit_reason, duplicate_reason(
            min(record_text) over copies, max(record_text) over copies,
            row_number() over (copies order by files._file, files._record)
        )) as _set_aside,
    from records
    window copies as (partition by unfit_reason is null, district_name)

)

select * from records_judged
