-- One row per school, shift and area that it is in: state, municipality, supervision zone.

with

areas_listed as (

    select
        described.cct, described.shift, described.state_code,
        unnest([
            {
                'area_kind': 'STATE', 'area_code': described.state_code,
                'area_name': null, 'own_count': 1,
            },
            {
                'area_kind': 'MUNICIPALITY',
                'area_code': coalesce(described.municipality_code, 'UNKNOWN'),
                'area_name': if(
                    described.municipality_code is null, null,
                    described.municipality_name
                ),
                'own_count': 0,
            },
            {
                'area_kind': if(
                    registry.supervision_zone is null, null, 'SUPERVISION_ZONE'
                ),
                'area_code': concat(
                    coalesce(described.level, 'UNKNOWN'), ' ', registry.supervision_zone
                ),
                'area_name': null, 'own_count': 0,
            },
        ], recursive := true),
    from intermediate.int_schools_described as described
    left join staging.stg_registry__schools as registry using (cct, shift)

),

areas_known as (

    select
        cct, shift, area_kind, state_code, area_code,
        cast(area_name as varchar) as area_name, cast(own_count as bigint) as own_count,
    from areas_listed
    where area_kind is not null

)

select * from areas_known
