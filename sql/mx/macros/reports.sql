-- Where a value comes from when an accepted report goes before a source: REPORT, the source's name, or NULL when
-- neither knows it.
create macro value_source(reported, own, source_name) as
    case when reported is not null then 'REPORT' when own is not null then source_name end;

-- A yes or no as text; NULL stays NULL.
create macro yes_or_no(value) as
    case when value then 'yes' when not value then 'no' end;

-- Why a school's value is unknown: NOT_AVAILABLE where no record describes the school, else what the record says; NULL
-- when the value is known, from a report or from the record.
create macro reason_of(value, is_described, reason) as
    case when value is null then if(is_described, reason, 'NOT_AVAILABLE') end;
