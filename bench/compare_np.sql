-- One row per column that the yardstick and the pipeline both give: the rows of district_index whose values differ by
-- more than 1e-12, or of which one is unknown. The yardstick leaves out no share of rows: what the pipeline withholds
-- because too many could not be read (MISSING) is not compared.
-- Variables that the runner sets: output (the yardstick's folder) and marts (the snapshot's).
with
made as (from read_parquet(getvariable('output') || '/districts.parquet')),
published as (
    select *, not list_contains(flags, 'MISSING') as is_told,
    from read_parquet(getvariable('marts') || '/district_index.parquet')
),
counted as (
    select
        count(*) filter (where made.level is null or published.level is null) as rows_on_one_side,
        count(*) filter (
            where is_told
                and ((made.ei is null) <> (published.ei is null) or abs(made.ei - published.ei) > 1e-12)
        ) as ei,
        count(*) filter (
            where is_told
                and ((made.c_bar is null) <> (published.c_bar is null) or abs(made.c_bar - published.c_bar) > 1e-12)
        ) as c_bar,
        count(*) filter (
            where is_told
                and ((made.dissimilarity is null) <> (published.dissimilarity is null) or abs(made.dissimilarity - published.dissimilarity) > 1e-12)
        ) as dissimilarity,
        count(*) filter (
            where is_told
                and ((made.backoff_weight is null) <> (published.backoff_weight is null) or abs(made.backoff_weight - published.backoff_weight) > 1e-12)
        ) as backoff_weight,
    from made
    full join published using (district_name, level, year_bs)
)
unpivot counted on columns(*) into name column_name value differences
