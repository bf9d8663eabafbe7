-- Text with its outer blanks cut and inner blanks made single (no-break blanks too); NULL when nothing is left.
-- Here and below the first case lets pass what is well written already: most cells are, and telling so is cheap.
create macro fold_text(value) as
    case
        when regexp_full_match(value, '([^\s\p{Zs}]+ )*[^\s\p{Zs}]+') then value
        else nullif(trim(regexp_replace(value, '[\s\x{00A0}]+', ' ', 'g')), '')
    end;

-- A word to look up in a catalogue: folded, capitals, without accents; NULL when blank.
create macro fold_word(value) as
    case
        when regexp_full_match(value, '([!-`{-~]+ )*[!-`{-~]+') then value
        else upper(strip_accents(fold_text(value)))
    end;

-- A code of digits with its lost leading zeros put back; NULL unless it is 1 to `width` digits.
create macro pad_code(value, width) as
    case
        when regexp_full_match(value, '[0-9]{' || width || '}') then value
        when regexp_full_match(value, '[0-9]{1,' || width || '}')
            then lpad(value, width, '0')
        when regexp_full_match(trim(value), '[0-9]{1,' || width || '}')
            then lpad(trim(value), width, '0')
    end;

-- A set of flags: sorted, each once, without NULLs (list_distinct drops them); an empty list when there is none.
create macro flags(codes) as
    list_sort(list_distinct(codes));

-- Two sets of flags as one. Mostly one is empty, or ends before the other begins: then nothing needs sorting.
create macro flags_of_both(one, other) as
    case
        when len(one) = 0 then other
        when len(other) = 0 then one
        when one[-1] < other[1] then list_concat(one, other)
        when other[-1] < one[1] then list_concat(other, one)
        else flags(list_concat(one, other))
    end;

-- The same of a single flag, which may be NULL.
create macro flag_if_any(code) as
    if(code is null, [], [code]);

-- The first reason of a list that is not NULL.
create macro first_reason(reasons) as
    list_filter(reasons, lambda reason: reason is not null)[1];

-- NOT_AVAILABLE for a value that no source gives; NULL when the value is known.
create macro known_or(value) as
    case when value is null then 'NOT_AVAILABLE' end;
