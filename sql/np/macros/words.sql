-- A text with the digits of Nepali.
create macro devanagari_digits(written) as
    translate(written, '0123456789', '०१२३४५६७८९');

-- A whole number as it is written in Nepal, in thousands, lakhs and crores: 12,34,567.
create macro grouped_number(number) as
    list_transform(
        [reverse(printf('%.0f', round(number)))],
        lambda digits: reverse(
            left(digits, 3) || regexp_replace(digits[4:], '(\d{1,2})', ',\1', 'g')
        )
    )[1];

-- A value as a sentence shows it; which sentence it is says whether it is more or less.
create macro shown_number(value, number_style) as
    case number_style
        when 'index' then printf('%.2f', abs(value))
        when 'of_100' then printf('%.0f', abs(100 * value))
        when 'of_100_tenths' then printf('%.1f', abs(100 * value))
        when 'tenths' then regexp_replace(printf('%.1f', abs(value)), '\.0$', '')
        when 'whole' then grouped_number(abs(value))
    end;

-- A sentence with its {names} filled in from pairs [name, words]; a name without words stays, to be seen.
create macro filled(sentence, pairs) as
    list_reduce(
        list_transform(pairs, lambda pair: ['{' || pair[1] || '}', pair[2]]),
        lambda done, pair: [replace(done[1], pair[1], coalesce(pair[2], pair[1]))],
        [sentence]
    )[1];

-- A Bikram Sambat year in the two Gregorian years in which it lies, such as 2014/15.
create macro gregorian_span(year_bs) as
    concat(year_bs - 57, '/', lpad(((year_bs - 56) % 100)::varchar, 2, '0'));

-- A school year as pairs to be filled in.
create macro year_numbers(year_bs) as
    [['year', year_bs::varchar], ['gregorian', gregorian_span(year_bs)]];

-- What a profile is told of one measure: which of its sentences, value, interval and words, or why there is none.
create macro told(measure, telling, value, low, high, detail, detail_en, detail_ne, reason) as
    {
        'measure': measure,
        'telling': telling,
        'value': value::double,
        'low': low::double,
        'high': high::double,
        'detail': if(value is null, null, detail::varchar),
        'detail_en': if(value is null, null, detail_en::varchar),
        'detail_ne': if(value is null, null, detail_ne::varchar),
        'reason': if(value is null, coalesce(reason, 'UNDEFINED'), null)
    };

-- The same without interval and words, and with words that are one in both languages.
create macro told_plain(measure, telling, value, reason) as
    told(measure, telling, value, null, null, null, null, null, reason);

create macro told_with(measure, telling, value, detail, reason) as
    told(measure, telling, value, null, null, detail, detail, detail, reason);

-- Which way a difference goes, to the last digit that is shown.
create macro direction_of(difference, smallest) as
    case
        when difference >= smallest then 'above'
        when difference <= -smallest then 'below'
        when difference is not null then 'equal'
    end;

-- The names of those of which an answer is as sought, as one text; NULL when there is none.
create macro named_where(names, answers, sought, separator) as
    nullif(array_to_string(
        list_filter(names, lambda name, i: answers[i] is not distinct from sought), separator
    ), '');

-- The texts of these parts one after the other; parts that are NULL are left out.
create macro texts_of(texts, parts) as
    array_to_string(
        list_transform(
            list_filter(parts, lambda part: part is not null), lambda part: texts[part]
        ),
        ' '
    );

-- Of a group of rows of several levels, the value of one, and why it has none.
create macro level_value(value, level, sought) as
    min(value) filter (where level = sought);

create macro level_reason(value, reason, level, sought) as
    if(
        level_value(value, level, sought) is null,
        coalesce(level_value(reason, level, sought), 'NOT_APPLICABLE'),
        null
    );
