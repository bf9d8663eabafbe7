-- One row per district, level and school year: the group of pupils of whom fewest go on.

with

-- A group with a borrowed rate stands for the wider group that lent it.
groups as (

    select
        district_name,
        level,
        year_bs,
        pool_id,
        min(rate) as coverage,
        sum(group_count)::bigint as group_count,
    from intermediate.int_index_groups
    group by all

),

lowest as (

    select
        district_name, level, year_bs, pool_id, coverage,
        sum(group_count) over district as group_count,
        -- Where all groups have one rate, or borrow that of all pupils, none is lowest.
        min(coverage) over district < max(coverage) over district as is_lowest,
    from groups
    window district as (partition by district_name, level, year_bs)
    qualify row_number() over (
        partition by district_name, level, year_bs order by coverage, pool_id
    ) = 1

),

words as (

    select dimension, group_code, position_en, position_ne, text_en, text_ne
    from reference.group_words

),

parts as (

    select
        district_name,
        level,
        year_bs,
        unnest(['gender', 'caste', 'location', 'disability']) as dimension,
        unnest(string_split(pool_id, '|')) as group_code,
    from lowest

),

words_joined as (

    select
        district_name,
        level,
        year_bs,
        string_agg(
            coalesce(text_en, group_code), ' ' order by position_en, dimension
        ) as group_en,
        string_agg(
            coalesce(text_ne, group_code), ' ' order by position_ne, dimension
        ) as group_ne,
    from parts
    left join words using (dimension, group_code)
    where group_code <> 'any' or dimension = 'gender'
    group by all

),

groups_named as (

    select
        district_name,
        level,
        year_bs,
        lowest.group_count::bigint as group_count,
        if(is_lowest, lowest.pool_id, null) as pool_id,
        if(is_lowest, lowest.coverage, null) as coverage,
        if(is_lowest, words_joined.group_en, null) as group_en,
        if(is_lowest, words_joined.group_ne, null) as group_ne,
    from lowest
    inner join words_joined using (district_name, level, year_bs)

)

select * from groups_named
