-- Why a count could not be read: what its mask stands for; NULL when it could.
create macro count_missing_reason(written) as
    case
        when clean_count(written) is not null then null
        when trim(written) = '*' then 'CONFIDENTIAL'
        when upper(trim(written)) = 'N/D' then 'NOT_AVAILABLE'
        when upper(trim(written)) = 'N/A' then 'NOT_APPLICABLE'
        else 'MISSING'
    end;

-- The vocabulary's word; else what is written; never empty.
create macro word_or_written(word, written) as
    coalesce(word, fold_text(written), 'unknown');

-- A spelling to look up in the vocabulary.
create macro spelling_of(written) as
    lower(fold_text(written));
