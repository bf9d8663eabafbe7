-- What is known of a week's count (METHODS 3.2): FINAL, PROVISIONAL or SUPPRESSED, from its completeness and the
-- weeks since its end. With one vintage alone the last weeks are PROVISIONAL; with an unknown factor, SUPPRESSED.
create macro delay_status_of(
    completeness, vintage_count, lag_weeks, final_from, provisional_from, unknown_weeks
) as
    case
        when completeness >= final_from then 'FINAL'
        when completeness >= provisional_from then 'PROVISIONAL'
        when completeness is not null then 'SUPPRESSED'
        when lag_weeks >= unknown_weeks then 'FINAL'
        when vintage_count < 2 then 'PROVISIONAL'
        else 'SUPPRESSED'
    end;

-- The worst of some weeks' statuses: they happen to stand in the order of the alphabet.
create macro worst_status(status) as
    max(status);

-- The standard deviation of an excess (METHODS 3.1): periods' own variance, that of the fitted baseline (`spread`) and
-- that of the delay of reporting.
create macro excess_sd_of(variance, own_periods, spread, delay_variance) as
    sqrt(variance * (own_periods + spread) + delay_variance);

-- The class of a state's epidemiology (METHODS 2.4), from the P-score and its lower bound in per cent.
create macro epidemiology_class_of(p_score, p_low, green_below, red_from) as
    case
        when p_score is null or p_low is null then 'UNKNOWN'
        when p_score < green_below then 'GREEN'
        when p_score >= red_from and p_low > 0 then 'RED'
        else 'AMBER'
    end;

-- The score of that class, 1 best; the tercile among the states (1 best, 3 worst) moves AMBER only.
create macro epidemiology_score_of(
    epidemiology_class, p_score, tercile, green_below, red_from, tercile_bonus
) as
    case epidemiology_class
        when 'GREEN' then cast(1 as double)
        when 'RED' then cast(0 as double)
        when 'AMBER' then clamp_unit(
            (red_from - least(p_score, red_from)) / (red_from - green_below)
            + (2 - tercile) * tercile_bonus
        )
    end;

-- What the class does to a school, as flags.
create macro epidemiology_flags_of(epidemiology_class, p_low) as
    flags([
        case epidemiology_class
            when 'UNKNOWN' then 'EPI_UNKNOWN'
            when 'RED' then 'EPI_VETO'
            when 'AMBER' then if(p_low <= 0, 'EPI_IMPRECISE', null)
        end,
    ]);

-- The tercile of a value between the cut points of all (type 7 quantiles): 1, 2 or 3.
create macro tercile_of(value, first_cut, second_cut) as
    case
        when value <= first_cut then 1
        when value <= second_cut then 2
        when value > second_cut then 3
    end;

-- The level of feasibility: RED is a veto, whatever the other parts say.
create macro feasibility_level_of(feasibility, epidemiology_class, medium_from, high_from) as
    case
        when feasibility is not null and epidemiology_class = 'RED' then 'L'
        else level_of(feasibility, medium_from, high_from)
    end;
