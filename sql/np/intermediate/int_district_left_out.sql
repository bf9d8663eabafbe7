-- One row per variant, district, level and school year that has a next one: rows left out.

with

cells as (

    select
        variant, district_name, year_bs, grade, is_group_known, flow_row_count, read_row_count,
    from intermediate.int_group_cells

),

districts as (

    select
        unit_code as district_name,
        level,
        year_bs,
        base_due_count,
        base_lost_count,
        next_due_count,
        next_lost_count,
    from intermediate.int_unit_levels
    where unit_level = 'district'

),

variants as (select variant from method.variants),

levels as (select level, first_grade, last_grade from method.levels),

limits as (select max_left_out_share from method.flows),

-- Rows that could be read but name no known group.
strangers_counted as (

    select
        cells.variant,
        districts.district_name,
        districts.level,
        districts.year_bs,
        sum(if(cells.year_bs = districts.year_bs, flow_row_count, 0))::bigint
            as base_strangers,
        sum(if(cells.year_bs = districts.year_bs, 0, read_row_count))::bigint
            as next_strangers,
    from districts
    inner join levels using (level)
    inner join cells
        on cells.district_name = districts.district_name
        and cells.year_bs between districts.year_bs and districts.year_bs + 1
        and cells.grade between levels.first_grade and levels.last_grade
    where not cells.is_group_known
    group by all

),

shares_judged as (

    select
        variants.variant,
        districts.district_name,
        districts.level,
        districts.year_bs,
        if(variants.variant = 'index', 1, 0)::bigint as district_count,
        greatest(
            share_of(base_lost_count + coalesce(base_strangers, 0), base_due_count),
            coalesce(
                share_of(next_lost_count + coalesce(next_strangers, 0), next_due_count),
                0
            )
        ) as left_out_share,
        left_out_share > 0 as is_partial,
        left_out_share > limits.max_left_out_share as is_missing,
    from districts
    cross join variants
    left join strangers_counted using (variant, district_name, level, year_bs)
    cross join limits

)

select * from shares_judged
