-- An interval of ranks in whole ranks, rounded outwards, such as 3–7; one rank where both ends are it.
create macro rank_band(low_rank, high_rank) as
    case
        when floor(low_rank) = ceil(high_rank) then cast(cast(low_rank as bigint) as varchar)
        else cast(cast(floor(low_rank) as bigint) as varchar) || '–'
            || cast(cast(ceil(high_rank) as bigint) as varchar)
    end;

-- The mid-rank of a value among all known ones, as a share (METHODS 5.4).
create macro mid_rank_share(value) as
    case
        when value is not null
            then (
                (rank() over (order by value) + count(*) over (order by value)) / 2.0::double
                - 0.5::double
            ) / count(value) over ()
    end;

-- The mean of a group's known values between -1 and 1, from an exact sum of twelve places.
create macro mean_of_decimals(value) as
    case
        when count(value) > 0
            then cast(sum(cast(value as decimal(14, 12))) as double) / count(value)
    end;

-- A value in standard deviations from the mean; 0.5 where nothing varies (METHODS 5.4).
create macro score_of(value, mean, spread) as
    case
        when spread > 0 then (value - mean) / spread
        when value is not null then 0.5::double
    end;

-- The logit of a share that is held between 0.005 and 0.995 (METHODS 4).
create macro held_logit(share) as
    ln(least(greatest(share, 0.005::double), 0.995::double)
        / (1 - least(greatest(share, 0.005::double), 0.995::double)));

-- An imputed share moved by so many standard deviations of the logits (METHODS 4, MNAR); others as they are.
create macro moved_share(share, is_imputed, deviations, spread) as
    case
        when is_imputed and deviations <> 0
            then 1 / (1 + exp(-(held_logit(share) + deviations * spread)))
        else share
    end;

-- The weighted mean of those of three values that are known: weighted_mean_of_known without a least weight, written so
-- that each part is computed once, for scenarios have millions of rows.
create macro scenario_mean(first, second, third, first_weight, second_weight, third_weight) as
    (
        coalesce(first * first_weight, 0.0::double)
        + coalesce(second * second_weight, 0.0::double)
        + coalesce(third * third_weight, 0.0::double)
    )
    / nullif(
        known_weight(first, second, third, first_weight, second_weight, third_weight),
        0.0::double
    );

-- The index of a scenario from that mean; z-scores have no bounds to be held between.
create macro scenario_index(mean, normalisation) as
    case when normalisation = 'zscore' then mean else clamp_unit(mean) end;
