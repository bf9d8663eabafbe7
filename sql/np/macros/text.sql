-- The vocabulary's word; else what is written; never empty.
create macro word_or_written(word, written) as
    coalesce(word, fold_text(written), 'unknown');

-- A spelling to look up in the vocabulary.
create macro spelling_of(written) as
    lower(fold_text(written));

-- A number with its Devanagari digits written as Arabic ones; most have none, and telling so is cheap.
create macro plain_digits(written) as
    case
        when regexp_full_match(written, '[ -~]*') then written
        else translate(written, '०१२३४५६७८९', '0123456789')
    end;

-- A count in either digits; NULL when it is none, as a percentage is.
create macro read_count(written) as
    case when not contains(written, '%') then clean_count(plain_digits(written)) end;

-- Why a count could not be read: what its mask stands for; NULL when it could.
create macro count_missing_reason(written) as
    case
        when read_count(written) is not null then null
        when trim(written) = '*' then 'CONFIDENTIAL'
        when upper(trim(written)) = 'N/D' then 'NOT_AVAILABLE'
        when upper(trim(written)) = 'N/A' then 'NOT_APPLICABLE'
        else 'MISSING'
    end;

-- An amount that is not negative, in either digits; NULL when it is none.
create macro read_amount(written) as
    list_transform(
        [clean_number(plain_digits(written))],
        lambda amount: case when amount >= 0 then amount end
    )[1];

-- Why an amount could not be read; NULL when it could.
create macro amount_missing_reason(written) as
    case when read_amount(written) is null then count_missing_reason(written) end;

-- Yes (true), no (false) or unknown (NULL), from 1/0 or words.
create macro read_answer(written) as
    case
        when spelling_of(plain_digits(written)) in ('1', 'yes') then true
        when spelling_of(plain_digits(written)) in ('0', 'no') then false
    end;

-- Why such an answer is unknown; NULL when it is known.
create macro answer_missing_reason(written) as
    case
        when read_answer(written) is null
            then coalesce(count_missing_reason(written), 'MISSING')
    end;

-- The name of a district to look up among the spellings: small letters without marks.
create macro district_spelling(written) as
    translate(lower(fold_text(written)), ' _-.()', '');

-- The flag of a row whose district no spelling names.
create macro unknown_district_flag(district_name) as
    case when district_name is null then 'UNKNOWN_DISTRICT' end;
