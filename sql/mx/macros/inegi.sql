-- Why a cell is known to have no value: INEGI's masks *, N/D, N/A (METHODS 7); anything else counts as MISSING.
create macro mask_reason(cell) as
    case
        when trim(cell) = '*' then 'CONFIDENTIAL'
        when upper(trim(cell)) in ('N/D', 'N.D.') then 'NOT_AVAILABLE'
        when upper(trim(cell)) in ('N/A', 'N.A.') then 'NOT_APPLICABLE'
        else 'MISSING'
    end;

-- The reason of a value read from a cell: NULL when the value is known.
create macro reason_unless(known, cell) as
    case when known is null then mask_reason(cell) end;

-- The number in an INEGI cell; NULL for the masks and for what is no number.
create macro inegi_number(value) as
    clean_number(value);

-- Why an INEGI cell has no number (METHODS 7); NULL when it has one.
create macro inegi_reason(value) as
    reason_unless(clean_number(value), value);

-- Yes (1), no (0) or unknown (NULL), from 1/0 or si/no.
create macro yes_no(value) as
    case
        when value = '1' or fold_word(value) in ('1', 'SI', 'S') then 1
        when value = '0' or fold_word(value) in ('0', 'NO', 'N') then 0
    end;
