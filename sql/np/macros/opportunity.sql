-- The mean of rates by their weights, and the dissimilarity around it (METHODS 1.2), of lists in one order.
create macro mean_rate(weights, rates) as
    list_sum(list_transform(weights, lambda weight, i: weight * rates[i]))
    / nullif(list_sum(weights), 0);

create macro rates_dissimilarity(weights, rates, mean) as
    list_sum(list_transform(weights, lambda weight, i: weight * abs(rates[i] - mean)))
    / nullif(2 * mean * list_sum(weights), 0);
