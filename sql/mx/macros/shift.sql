-- The shift of a source's cell: UNKNOWN for an empty cell, OTHER for a word that the catalogue lacks.
create macro shift_or_unknown(catalogue_shift, cell) as
    coalesce(catalogue_shift, if(fold_text(cell) is null, 'UNKNOWN', 'OTHER'));

-- The flags of a school's key and shift: CCT_CHECK, CCT_PADDED, SHIFT_UNREADABLE (a word not in the catalogue).
create macro key_flags(cct, cct_cell, shift) as
    flags([
        cct_check_flag(cct),
        cct_padded_flag(cct, cct_cell),
        if(shift = 'OTHER', 'SHIFT_UNREADABLE', null),
    ]);

-- The same from a source's cells, where the key is no column yet.
create macro school_flags(cct_cell, catalogue_shift, shift_cell) as
    list_transform(
        [cct_key(cct_cell)],
        lambda key: key_flags(key, cct_cell, shift_or_unknown(catalogue_shift, shift_cell))
    )[1];
