-- One row per district, level and school year: its results against its resources.

with

sides as (

    select
        district_name, level, year_bs, ei, ei_se, ei_threshold, is_ei_high,
        resource_index, resource_threshold, is_resource_high, is_borderline,
    from intermediate.int_district_sides

),

words as (

    select quadrant, is_ei_high, is_resource_high, title_en, title_ne, label_en, label_ne,
    from method.quadrants

),

quadrants_published as (

    select
        ---------- ids
        sides.district_name,
        sides.level,
        sides.year_bs,

        ---------- the quadrant
        words.quadrant,
        case
            when words.quadrant is not null then null
            when sides.ei is null then 'NOT_AVAILABLE'
            else 'MISSING'
        end as quadrant_reason,
        words.title_en,
        words.title_ne,
        words.label_en,
        words.label_ne,

        ---------- what it rests on
        sides.ei,
        sides.ei_threshold,
        sides.resource_index,
        sides.resource_threshold,
        flags([
            if(quadrant is not null and is_borderline, 'BORDERLINE', null),
            if(sides.ei_se is null, 'NO_UNCERTAINTY', null),
        ]) as flags,
    from sides
    left join words using (is_ei_high, is_resource_high)

)

select * from quadrants_published
