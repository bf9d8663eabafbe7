-- Of a group's values the first that is known, in the order of `place` (unique in the group).
create macro first_known(value, place) as
    first(value order by place) filter (where value is not null);

-- The mean of a group's known values, weighted by counts: summed exactly, in decimals of four places, so that it
-- needs no order. To sort within a hundred thousand groups takes more memory than the groups themselves.
create macro weighted_mean(value, weight) as
    case
        when sum(weight) filter (where value is not null) > 0
            then cast(sum(cast(value as decimal(12, 4)) * weight) as double)
            / sum(weight) filter (where value is not null)
    end;

-- The same for one of several measures, from the lists that a group made of them in one sorting: of each member its
-- weighted values, and of each measure the weight of the members where it is known.
create macro mean_at(measure, weighted_values, weights) as
    case
        when weights[measure] > 0
            then list_sum(list_transform(weighted_values, lambda vals: vals[measure]))
            / weights[measure]
    end;

-- Of a group's wholes the share that has a thing, over the members where both counts are known.
create macro share_with(holders, whole) as
    share_of(
        cast(sum(holders) filter (where whole is not null) as bigint),
        cast(sum(whole) filter (where holders is not null) as bigint)
    );

-- The sum of a group's counts, when every one of them is known.
create macro sum_if_all_known(value) as
    case when count(value) = count(*) then cast(sum(value) as bigint) end;

-- Why such a sum is unknown: NOT_AVAILABLE when the group has no value at all, MISSING when some are missing.
create macro unknown_sum_reason(value) as
    case
        when count(value) = count(*) then null
        when count(value) = 0 then 'NOT_AVAILABLE'
        else 'MISSING'
    end;

-- The standard deviation of a group's known values between -1 and 1 (of a sample, n - 1), from exact sums of twelve places.
create macro spread_of_decimals(value) as
    case
        when count(value) > 1
            then sqrt(greatest(
                cast(0 as double),
                (
                    cast(
                        sum(cast(value as decimal(14, 12)) * cast(value as decimal(14, 12)))
                        as double
                    )
                    - cast(sum(cast(value as decimal(14, 12))) as double)
                    * cast(sum(cast(value as decimal(14, 12))) as double) / count(value)
                ) / (count(value) - 1)
            ))
    end;

-- The share in a group of those who were counted, from the members' shares: summed exactly, in decimals of six places.
-- A member alone keeps its share as it is, to the last digit.
create macro pooled_share(share, counted) as
    case
        when count(*) = 1 then max(share)
        when sum(counted) filter (where share is not null) > 0
            then cast(sum(cast(share as decimal(9, 6)) * counted) as double)
            / sum(counted) filter (where share is not null)
    end;

-- The mean of a group's known values between 0 and 1, weighted by counts: summed exactly, in decimals of twelve places.
create macro weighted_mean_of_shares(value, weight) as
    case
        when sum(weight) filter (where value is not null) > 0
            then cast(sum(cast(value as decimal(14, 12)) * weight) as double)
            / sum(weight) filter (where value is not null)
    end;
-- A share in whole billionths: sums of these, and of their squares, are exact, whatever the order.
create macro billionths(share) as
    cast(round(share * 1e9) as bigint);

-- Degrees of freedom of a mean over m imputed data sets of n units (METHODS 4; Barnard and Rubin 1999): missing is the
-- share of its variance that is due to what is missing, above 0.
create macro rubin_degrees(m, missing, n) as
    1 / (
        missing * missing / (m - 1)
        + (n + 3) / ((n + 1) * cast(n as double) * nullif(1 - missing, 0))
    );
