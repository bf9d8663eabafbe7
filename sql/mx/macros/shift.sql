-- The shift of a source's cell: UNKNOWN for an empty cell, OTHER for a word that the catalogue lacks.
create macro shift_or_unknown(catalogue_shift, cell) as
    case
        when fold_text(cell) is null then 'UNKNOWN'
        else coalesce(catalogue_shift, 'OTHER')
    end;

-- The flags of a school's key and shift: CCT_CHECK, CCT_PADDED, SHIFT_UNREADABLE (a word not in the catalogue).
create macro school_flags(cct_cell, catalogue_shift, shift_cell) as
    list_transform(
        [cct_key(cct_cell)],
        lambda key: flags([
            cct_check_flag(key),
            cct_padded_flag(key, cct_cell),
            case
                when shift_or_unknown(catalogue_shift, shift_cell) = 'OTHER'
                    then 'SHIFT_UNREADABLE'
            end,
        ])
    )[1];
