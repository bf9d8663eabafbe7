-- One row per donor of a recipient: the result that it gives.

with

places_unnested as (

    select unit_id, donors, unnest(generate_series(1, len(donors))) as place,
    from intermediate.int_imputation_matches
    where donors is not null

),

donors_named as (

    select unit_id, place, donors[place] as donor_id,
    from places_unnested

),

donors_joined as (

    select
        donors.unit_id, donors.place, donors.donor_id,
        units.cct as donor_cct, units.shift as donor_shift,
        units.score, units.score_count,
        cast(place = 1 as bigint) as recipient_count,
    from donors_named as donors
    inner join intermediate.int_imputation_units as units
        on units.unit_id = donors.donor_id

)

select * from donors_joined
