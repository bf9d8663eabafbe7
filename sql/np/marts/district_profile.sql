-- One row per district, school year and fact: the facts of its one-page profile, in sentences.

with

facts as (

    select
        facts.*, sections.title_en as section_en, sections.title_ne as section_ne,
        words.title_en as level_en, words.title_ne as level_ne,
        [
            ['first', first_grade::varchar], ['last', last_grade::varchar],
            ['youngest', first_age::varchar], ['oldest', last_age::varchar],
        ] as level_numbers,
    from reference.profile_facts as facts
    left join reference.profile_sections as sections using (section)
    left join reference.level_words as words using (level)
    left join method.levels as levels using (level)

),

names as (

    select district_name, district_name as known_name, district_name_ne
    from reference.districts

),

-- The mean of the districts, in decimals so that it needs no order, and the places.
standings as (

    select
        told.*, facts.* exclude (fact), district_name_ne,
        -- More pupils than children are an error of the files, no low rate; and a spelling
        -- that names no district is none of them.
        value is not null and telling <> 'too_many' and known_name is not null as is_sound,
        if(is_sound, avg(
            if(is_compared and is_sound, value, null)::decimal(18, 12)
        ) over among, null) as districts_mean,
        is_ranked and is_sound as has_rank,
        if(has_rank, rank() over ranked, null) as rank,
        if(has_rank, count(*) over alike, null) as ranked_count,
    from marts.profile_values as told
    inner join facts using (fact)
    left join names using (district_name)
    window
        among as (partition by year_bs, told.fact),
        alike as (partition by year_bs, told.fact, has_rank),
        ranked as (
            partition by year_bs, told.fact, has_rank
            order by if(is_higher_better, -value, value)
        )

),

sentences as (select measure, telling, text_en, text_ne from reference.profile_sentences),

-- The sentence of the value, then the one of the mean, then the one of the place.
sentences_chosen as (

    select
        standings.*,
        concat_ws(' ', coalesce(own.text_en, other.text_en),
            if(districts_mean is null, null, mean.text_en),
            if(has_rank, places.text_en, null)) as text_en,
        concat_ws(' ', coalesce(own.text_ne, other.text_ne),
            if(districts_mean is null, null, mean.text_ne),
            if(has_rank, places.text_ne, null)) as text_ne,
        list_concat(level_numbers, [
            ['value', shown_number(value, number_style)],
            ['low', shown_number(low, number_style)],
            ['high', shown_number(high, number_style)],
            ['mean', shown_number(districts_mean, number_style)],
            ['rank', rank::varchar], ['ranked', ranked_count::varchar],
            ['year', year_bs::varchar], ['gregorian', gregorian_span(year_bs)],
        ]) as numbers,
        [['district', district_name], ['level', level_en], ['detail', detail_en],
            ['reason', meaning_en]] as words_en,
        [['district', coalesce(district_name_ne, district_name)], ['level', level_ne],
            ['detail', detail_ne], ['reason', meaning_ne]] as words_ne,
    from standings
    left join sentences as own
        on own.measure = standings.measure and own.telling = standings.telling
    left join sentences as other
        on other.measure = standings.measure and other.telling = 'unknown'
    left join sentences as mean on mean.measure = 'all' and mean.telling = 'mean'
    left join sentences as places on places.measure = 'all' and places.telling = 'rank'
    left join reference.reasons using (reason)

),

facts_in_words as (

    select
        ---------- ids
        district_name, year_bs, fact,
        position, section, section_en, section_ne, level,

        ---------- the value, and how it compares
        value, low, high, unit, detail, reason, districts_mean, rank,
        ranked_count,

        ---------- the words
        telling,
        filled(text_en, list_concat(words_en, numbers)) as sentence_en,
        devanagari_digits(filled(text_ne, list_concat(words_ne, numbers))) as sentence_ne,
    from sentences_chosen

)

select * from facts_in_words
