-- One row per index and state: its rank, and between which ranks it may as well lie.

with

states_ranked as (

    select
        ---------- ids
        ranks.index_name,
        ranks.unit_id as state_code,
        states.state_name,

        ---------- measures
        averages.pupils_count,
        if(ranks.index_name = 'urgency', averages.parts[1], null) as urgency_learning,
        if(ranks.index_name = 'urgency', averages.parts[2], null) as urgency_household,
        if(ranks.index_name = 'urgency', averages.parts[3], null) as urgency_adults,
        if(ranks.index_name = 'feasibility', averages.parts[4], null)
            as feasibility_wash,
        if(ranks.index_name = 'feasibility', averages.parts[5], null)
            as feasibility_crowding,
        if(ranks.index_name = 'feasibility', averages.parts[6], null)
            as feasibility_epidemiology,
        ranks.nominal_rank,
        if(ranks.nominal_rank is null, 'MISSING', null) as rank_reason,
        ranks.median_rank,
        ranks.low_rank,
        ranks.high_rank,
        rank_band(ranks.low_rank, ranks.high_rank) as rank_band,
        ranks.rank_shift,
        ranks.overlapping_units as overlaps_with_count,
        ranks.units_ranked as states_ranked_count,
        ranks.parts_used as parts_used_count,
        flag_if_any(if(ranks.parts_used < parts.part_count, 'PARTIAL', null)) as flags,
    from intermediate.int_rank_intervals as ranks
    inner join intermediate.int_index_states as averages using (unit_id)
    inner join (
        select index_name, count(*) as part_count,
        from intermediate.int_index_parts
        group by index_name
    ) as parts using (index_name)
    left join reference.states on states.state_code = ranks.unit_id

)

select * from states_ranked
