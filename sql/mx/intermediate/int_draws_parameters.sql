-- One row per index: what the draws of its levels take from the method.
-- Weights are numbered through both indices, so that they are drawn independently.

with

parameters_listed as (

    select
        cut_points.index_name,
        cast(3 as bigint) as parts,
        cast(if(cut_points.index_name = 'urgency', 0, 3) as bigint) as first_weight,
        cut_points.medium_from,
        cut_points.high_from,
        stability.draws,
    from method.cut_points
    cross join method.stability

)

select * from parameters_listed
