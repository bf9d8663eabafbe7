-- One row per school and shift.

with

schools_joined as (

    select
        ---------- ids
        spine.cct, spine.shift,

        ---------- words
        described.school_name,
        described.state_code, states.state_name,
        described.municipality_code, described.municipality_name,
        known_or(described.municipality_code) as municipality_reason,
        described.locality_code, described.locality_name,
        known_or(described.locality_code) as locality_reason,
        described.ageb_code,
        known_or(described.ageb_code) as ageb_reason, described.ageb_route,
        registry.supervision_zone,
        known_or(registry.supervision_zone) as supervision_zone_reason,
        described.level,
        known_or(described.level) as level_reason,
        described.type,
        known_or(described.type) as type_reason,
        described.control,
        known_or(described.control) as control_reason,

        ---------- measures
        described.latitude, described.longitude,
        known_or(described.latitude) as coordinates_reason,
        registry.pupils_count,
        if(registry.cct is null, 'NOT_AVAILABLE', registry.pupils_reason)
            as pupils_reason,
        registry.pupils_men_count, registry.pupils_women_count,
        registry.pupils_grade_1_count, registry.pupils_grade_2_count,
        registry.pupils_grade_3_count, registry.pupils_grade_4_count,
        registry.pupils_grade_5_count, registry.pupils_grade_6_count,
        registry.teachers_count,
        if(registry.cct is null, 'NOT_AVAILABLE', registry.teachers_reason)
            as teachers_reason,
        registry.groups_count,
        if(registry.cct is null, 'NOT_AVAILABLE', registry.groups_reason)
            as groups_reason,
        buildings.classrooms_count, buildings.classrooms_reason,
        spine.mention_count,

        ---------- booleans
        spine.is_in_registry, spine.is_in_planea, spine.is_in_enlace,
        spine.is_in_buildings, spine.is_in_coordinates,
        flags_of_both(
            described.flags,
            flag_if_any(if(buildings.classrooms_source = 'REPORT', 'REPORTED', null))
        ) as flags,
    from intermediate.int_schools_spine as spine
    inner join intermediate.int_schools_described as described using (cct, shift)
    inner join intermediate.int_buildings_schools as buildings using (cct, shift)
    left join staging.stg_registry__schools as registry using (cct, shift)
    left join reference.states on states.state_code = described.state_code

)

select * from schools_joined
