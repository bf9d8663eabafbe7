-- Why a transition has no rate, or NULL: the first case of METHODS 1.1 that applies.
create macro transition_fault(pupils, at_risk, promoted) as
    case
        when pupils is null or at_risk is null or promoted is null then 'MISSING'
        when pupils = 0 then 'ZERO_ENROL'
        when at_risk <= 0 then 'DENOM_NONPOS'
        when promoted < 0 then 'NEG_PROMOTION'
    end;

-- Chance of going on in the end, with repetition without limit: promoted over at risk.
create macro transition_rate(pupils, at_risk, promoted) as
    case
        when transition_fault(pupils, at_risk, promoted) is null then promoted / at_risk
    end;

-- One term of Greenwood's sum: rates of 0 and of 1 or more add nothing.
create macro greenwood_term(rate, at_risk) as
    case when rate > 0 and rate < 1 then (1 - rate) / (rate * at_risk) else 0.0 end;

-- Ways of repeating along the grades, by number of repetitions in all (0 to max_repeats),
-- each weighted by its repetition shares: their complete homogeneous symmetric polynomials.
-- A grade with share r turns the ways h into h'[m] = h[m] + r h'[m-1].
create macro repetition_ways(repetition_shares, max_repeats) as
    list_reduce(
        list_transform(repetition_shares, lambda share: [cast(share as double)]),
        lambda ways, share: list_reduce(
            list_transform(ways, lambda way: [way]),
            lambda filled, way: list_append(filled, way[1] + share[1] * filled[-1])
        ),
        list_transform(
            range(cast(max_repeats as bigint) + 1),
            lambda repeats: case when repeats = 0 then 1.0::double else 0.0::double end
        )
    );

-- A sum of whole numbers that is unknown as soon as one of them is.
create macro known_sum(counts) as
    case when count(counts) = count(*) then cast(sum(counts) as bigint) end;

-- The reason, in the words of METHODS 0, why a value with these flags is missing.
create macro flags_reason(flags, value) as
    case
        when value is not null then null
        when list_contains(flags, 'MISSING') then 'MISSING'
        when list_contains(flags, 'GRADE_GAP') then 'NOT_APPLICABLE'
        else 'UNDEFINED'
    end;

-- Whether a row of the file can stand in the flows: its pupils and repeaters are known, or
-- they are disabled pupils, whose repeaters the system does not count apart.
create macro is_flow_known(pupils, repeaters, disability) as
    pupils is not null and (repeaters is not null or disability = 'yes');

-- The reason why a value of an index is missing or withheld; NULL when it is published.
create macro index_reason(value, is_missing, is_withheld) as
    case
        when is_missing then 'MISSING'
        when is_withheld then 'NOT_AVAILABLE'
        when value is null then 'UNDEFINED'
    end;

-- The name of a district's level of education where a table needs one text for it.
create macro district_level(district_name, level) as
    concat(district_name, '|', level);

-- The district, and the level, of such a name.
create macro district_named(unit_id) as
    regexp_replace(unit_id, '\|[^|]*$', '');

create macro level_named(unit_id) as
    regexp_extract(unit_id, '[^|]*$');
