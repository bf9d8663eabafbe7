-- Whether a text is a school key (clave de centro de trabajo, CCT) exactly as it stands (METHODS 7).
create macro cct_is_valid(cct) as
    regexp_full_match(cct, '(0[1-9]|[12][0-9]|3[0-2])[A-Z]{3}[0-9]{4}[A-Z]');

-- A school key without blanks and hyphens, in capitals; NULL when nothing is left. It may be no valid key.
create macro cct_folded(value) as
    nullif(upper(translate(value, ' -' || chr(9) || chr(10) || chr(13) || chr(160), '')), '');

-- The check letter that a valid key, or its first nine characters, should end with (METHODS 7). Each of its three
-- letters counts as two digits (A=01 … Z=26); odd places of the 12 digits weigh 7, even places 26.
create macro cct_letter_due(cct) as
    substr(
        'ABCDEFGHIJKLMNOPQRSTUVWXYZZ',
        (
            7 * (
                ascii(cct[1]) + ascii(cct[6]) + ascii(cct[8]) - 144
                + (ascii(cct[3]) - 64) // 10
                + (ascii(cct[4]) - 64) // 10
                + (ascii(cct[5]) - 64) // 10
            )
            + 26 * (
                ascii(cct[2]) + ascii(cct[7]) + ascii(cct[9]) - 144
                + (ascii(cct[3]) - 64) % 10
                + (ascii(cct[4]) - 64) % 10
                + (ascii(cct[5]) - 64) % 10
            )
        ) % 27 + 1,
        1
    );

-- The same for a key of 9 or 10 characters; NULL when it is no key.
create macro cct_check_letter(cct) as
    case
        when regexp_matches(cct, '^(0[1-9]|[12][0-9]|3[0-2])[A-Z]{3}[0-9]{4}')
            then cct_letter_due(cct)
    end;

-- The valid school key in a text; a key of 9 characters that only lost its leading zero (with it, the check letter
-- fits) gets it back; NULL when there is no valid key.
create macro cct_clean(value) as
    case
        when cct_is_valid(value) then value
        else list_transform(
            [cct_folded(value)],
            lambda folded: case
                when cct_is_valid(folded) then folded
                when
                    length(folded) = 9
                    and cct_is_valid('0' || folded)
                    and cct_letter_due('0' || folded) = right(folded, 1)
                    then '0' || folded
            end
        )[1]
    end;

-- The valid school key in a text, or else the folded text, so that a record set aside still shows it.
create macro cct_key(value) as
    case
        when cct_is_valid(value) then value
        else coalesce(cct_clean(value), cct_folded(value))
    end;

-- CCT_CHECK when the last letter of a valid key is not its check letter: a warning, never a refusal.
create macro cct_check_flag(cct) as
    case when cct_is_valid(cct) then if(cct_letter_due(cct) <> cct[10], 'CCT_CHECK', null) end;

-- CCT_PADDED when a valid key was read from a text that had lost its leading zero.
create macro cct_padded_flag(cct, value) as
    case
        when cct = value then null
        when length(cct_folded(value)) = 9 and cct_is_valid(cct) then 'CCT_PADDED'
    end;
