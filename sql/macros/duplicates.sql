-- Why a record is set aside: its own fault, else CONFLICTING_DUPLICATE when records of its key differ (all go),
-- else DUPLICATE when it repeats an earlier record; NULL when it is kept.
create macro duplicate_or(fault, lowest_text, highest_text, place) as
    case
        when fault is not null then fault
        when lowest_text <> highest_text then 'CONFLICTING_DUPLICATE'
        when place > 1 then 'DUPLICATE'
    end;
