-- Text with its outer blanks cut and inner blanks made single (no-break blanks too); NULL when nothing is left.
create macro fold_text(value) as
    nullif(trim(regexp_replace(value, '[\s\x{00A0}]+', ' ', 'g')), '');

-- A word to look up in a catalogue: folded, capitals, without accents; NULL when blank.
create macro fold_word(value) as
    upper(strip_accents(fold_text(value)));

-- A code of digits with its lost leading zeros put back; NULL unless it is 1 to `width` digits.
create macro pad_code(value, width) as
    case
        when regexp_full_match(trim(value), '[0-9]+') and length(trim(value)) <= width
            then lpad(trim(value), width, '0')
    end;

-- A set of flags: sorted, each once, without NULLs; an empty list when there is none.
create macro flags(codes) as
    list_sort(list_distinct(list_filter(codes, lambda code: code is not null)));

-- The first reason of a list that is not NULL.
create macro first_reason(reasons) as
    list_filter(reasons, lambda reason: reason is not null)[1];

-- NOT_AVAILABLE for a value that no source gives; NULL when the value is known.
create macro known_or(value) as
    case when value is null then 'NOT_AVAILABLE' end;
