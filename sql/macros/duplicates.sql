-- Of records that share a key, why one is set aside: CONFLICTING_DUPLICATE when they differ (all go), else DUPLICATE
-- when it repeats an earlier record; NULL when it is kept.
create macro duplicate_reason(lowest_text, highest_text, place) as
    case
        when lowest_text <> highest_text then 'CONFLICTING_DUPLICATE'
        when place > 1 then 'DUPLICATE'
    end;
