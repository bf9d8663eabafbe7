-- One row per level, scale and year of published results: which is the edition that is
-- used, and how another year's result foretells it.

with

years_counted as (

    select
        level, scale, year,
        count(*) as result_count,
        count(*) filter (where is_reliable) as reliable_count,
        count(*) filter (where is_reliable and feeds_urgency) as usable_count,
    from intermediate.int_learning_reliability
    group by all

),

years_compared as (

    select
        level, scale, year, result_count, reliable_count,
        usable_count > 0
        and usable_count
            >= edition_share * max(usable_count) over (partition by level) as is_full,
    from years_counted
    cross join method.imputation

),

years_marked as (

    select
        level, scale, year, result_count, reliable_count,
        is_full and row_number() over (
            partition by level order by is_full desc, year desc, scale
        ) = 1 as is_edition,
    from years_compared

),

pairs_fitted as (

    select
        other.level, other.scale, other.year,
        count(*) as pair_count,
        regr_slope(
            edition.level_1_share, other.level_1_share order by other.cct, other.shift
        ) as slope,
        regr_intercept(
            edition.level_1_share, other.level_1_share order by other.cct, other.shift
        ) as intercept,
        regr_syy(
            edition.level_1_share, other.level_1_share order by other.cct, other.shift
        ) as squares,
        regr_sxy(
            edition.level_1_share, other.level_1_share order by other.cct, other.shift
        ) as products,
    from intermediate.int_learning_reliability as other
    inner join years_marked
        on
            years_marked.level = other.level and years_marked.scale = other.scale
            and years_marked.year <> other.year and years_marked.is_edition
    inner join intermediate.int_learning_reliability as edition
        on
            edition.cct = other.cct and edition.shift = other.shift
            and edition.level = other.level and edition.scale = other.scale
            and edition.year = years_marked.year
    where other.is_reliable and edition.is_reliable
    group by other.level, other.scale, other.year

),

years_joined as (

    select
        years.level, years.scale, years.year,
        years.result_count, years.reliable_count, years.is_edition,
        coalesce(pairs.pair_count, 0) as pair_count,
        case when pairs.pair_count >= min_donors and pairs.slope > 0 then pairs.slope end
            as slope,
        if(slope is null, null, pairs.intercept) as intercept,
        if(
            slope is null, null,
            sqrt(
                greatest(squares - pairs.slope * products, cast(0 as double))
                / (pairs.pair_count - 2)
            )
        ) as spread,
    from years_marked as years
    left join pairs_fitted as pairs using (level, scale, year)
    cross join method.imputation

)

select * from years_joined
