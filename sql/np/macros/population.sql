-- People in a year between two projections: geometric interpolation (METHODS 1.5). NULL outside them, and
-- where only one of them is 0.
create macro interpolated_people(year, earlier_year, earlier, later_year, later) as
    case
        when earlier_year = later_year or earlier = later then cast(earlier as double)
        when earlier > 0 and later > 0
            then earlier * power(
                later / earlier, (year - earlier_year) / (later_year - earlier_year)
            )
    end;
