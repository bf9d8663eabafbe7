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

-- The index of a scenario: the weighted mean of what is known; z-scores have no bounds to be held between.
create macro scenario_index(
    first, second, third, first_weight, second_weight, third_weight, factor, normalisation
) as
    case normalisation
        when 'zscore'
            then weighted_mean_of_known(
                first, second, third, first_weight, second_weight, third_weight, 0
            )
        else clamp_unit(factor * weighted_mean_of_known(
            first, second, third, first_weight, second_weight, third_weight, 0
        ))
    end;
