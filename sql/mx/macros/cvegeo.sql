-- The 5 digits of a municipality, from a state's 2 digits and a code of 3 (or already 5) digits; else NULL.
create macro municipality_key(state_code, municipality) as
    case
        when regexp_full_match(municipality, '[0-9]{1,3}')
            then state_code || nullif(pad_code(municipality, 3), '000')
        when
            regexp_full_match(trim(municipality), '[0-9]{5}')
            and starts_with(trim(municipality), state_code)
            then trim(municipality)
        else state_code || nullif(pad_code(municipality, 3), '000')
    end;

-- The 9 digits of a locality, from its municipality's 5 digits and a code that may have lost zeros; else NULL.
create macro locality_key(municipality_key, locality) as
    municipality_key || nullif(pad_code(locality, 4), '0000');

-- The 4 characters of an AGEB: "123-A", "28" and "0028" become 123A and 0028; else NULL. Here and below a lambda binds
-- what stands several times: nested macros would multiply it.
create macro ageb_part(ageb) as
    case
        when regexp_full_match(ageb, '[0-9]{3}[0-9A]') then ageb
        else list_transform(
            [upper(replace(trim(ageb), '-', ''))],
            lambda code: case
                when length(code) between 1 and 4
                    and regexp_full_match(lpad(code, 4, '0'), '[0-9]{3}[0-9A]')
                    then lpad(code, 4, '0')
            end
        )[1]
    end;

-- The parts of a census row's key, put right: state, municipality, locality, AGEB, block; each NULL if unreadable.
create macro cvegeo_parts(ent, mun, loc, ageb, mza) as
    [
        pad_code(ent, 2), pad_code(mun, 3), pad_code(loc, 4), ageb_part(ageb),
        coalesce(pad_code(mza, 3), '000'),
    ];

-- What a census row stands for: a total of the state, municipality or locality, an AGEB, a block; NULL if unreadable.
create macro cvegeo_level(ent, mun, loc, ageb, mza) as
    list_transform(
        [cvegeo_parts(ent, mun, loc, ageb, mza)],
        lambda part: case
            when part[2] = '000' then 'STATE_TOTAL'
            when part[3] = '0000' then 'MUNICIPALITY_TOTAL'
            when part[4] = '0000' then 'LOCALITY_TOTAL'
            when part[1] || part[2] || part[3] || part[4] is null then null
            when part[5] = '000' then 'AGEB'
            else 'BLOCK'
        end
    )[1];

-- The 13 characters of an urban AGEB, zeros put back before joining; NULL for totals and unreadable codes.
create macro cvegeo_ageb(ent, mun, loc, ageb) as
    pad_code(ent, 2) || nullif(pad_code(mun, 3), '000') || nullif(pad_code(loc, 4), '0000')
    || nullif(ageb_part(ageb), '0000');

-- The 16 characters of a block; NULL for totals, whole AGEBs and unreadable codes.
create macro cvegeo_block(ent, mun, loc, ageb, mza) as
    cvegeo_ageb(ent, mun, loc, ageb) || nullif(coalesce(pad_code(mza, 3), '000'), '000');

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
