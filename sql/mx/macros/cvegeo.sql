-- The 5 digits of a municipality, from a state's 2 digits and a code of 3 (or already 5) digits; else NULL.
create macro municipality_key(state_code, municipality) as
    case
        when length(trim(municipality)) = 5 and left(trim(municipality), 2) = state_code
            then pad_code(municipality, 5)
        else nullif(state_code || pad_code(municipality, 3), state_code || '000')
    end;

-- The 9 digits of a locality, from state, municipality and locality codes that may have lost zeros; else NULL.
create macro locality_key(state_code, municipality, locality) as
    nullif(
        municipality_key(state_code, municipality) || pad_code(locality, 4),
        municipality_key(state_code, municipality) || '0000'
    );

-- The 4 characters of an AGEB: "123-A", "28" and "0028" become 123A and 0028; else NULL.
create macro ageb_part(ageb) as
    case
        when regexp_full_match(
            lpad(upper(replace(trim(ageb), '-', '')), 4, '0'), '[0-9]{3}[0-9A]'
        )
        and length(replace(trim(ageb), '-', '')) between 1 and 4
            then lpad(upper(replace(trim(ageb), '-', '')), 4, '0')
    end;

-- What a census row stands for: a total of the state, municipality or locality, an AGEB, a block; NULL if unreadable.
create macro cvegeo_level(ent, mun, loc, ageb, mza) as
    case
        when pad_code(mun, 3) = '000' then 'STATE_TOTAL'
        when pad_code(loc, 4) = '0000' then 'MUNICIPALITY_TOTAL'
        when ageb_part(ageb) = '0000' then 'LOCALITY_TOTAL'
        when pad_code(ent, 2) || pad_code(mun, 3) || pad_code(loc, 4) || ageb_part(ageb) is null then null
        when coalesce(pad_code(mza, 3), '000') = '000' then 'AGEB'
        else 'BLOCK'
    end;

-- The 13 characters of an urban AGEB, zeros put back before joining; NULL for totals and unreadable codes.
create macro cvegeo_ageb(ent, mun, loc, ageb) as
    case
        when cvegeo_level(ent, mun, loc, ageb, '000') = 'AGEB'
            then pad_code(ent, 2) || pad_code(mun, 3) || pad_code(loc, 4) || ageb_part(ageb)
    end;

-- The 16 characters of a block; NULL for totals, whole AGEBs and unreadable codes.
create macro cvegeo_block(ent, mun, loc, ageb, mza) as
    case
        when cvegeo_level(ent, mun, loc, ageb, mza) = 'BLOCK'
            then cvegeo_ageb(ent, mun, loc, ageb) || pad_code(mza, 3)
    end;

-- The 13 characters of an urban AGEB written in one, its lost leading zero put back; NULL when unreadable.
create macro ageb_key(value) as
    case
        when regexp_full_match(
            lpad(upper(replace(trim(value), '-', '')), 13, '0'),
            '(0[1-9]|[12][0-9]|3[0-2])[0-9]{10}[0-9A]'
        )
        and length(replace(trim(value), '-', '')) between 12 and 13
            then lpad(upper(replace(trim(value), '-', '')), 13, '0')
    end;
