package statistics

// Group is a group of a random-effects model: how many units, their mean, and their variance (ddof 1; unread if N is 1).
type Group struct{ N, Mean, Variance float64 }

// Shrinkage is the empirical Bayes estimate of groups' means (METHODS 4).
type Shrinkage struct {
	Grand   float64   // the mean of all units
	Within  float64   // s²: the variance within groups
	Between float64   // τ²: the variance between groups, at least 0
	Weights []float64 // B: what a group's own mean counts, in [0, 1]
	Means   []float64 // B·own + (1−B)·grand
}

// Shrink draws groups' means towards the mean of all, the smaller groups farther (METHODS 4): s² by the groups'
// variances, τ² by moments. It is undefined for fewer than two groups, an empty group, or one unit in each.
func Shrink(groups []Group) (Shrinkage, bool) {
	total, weightedMeans, squaredN, within := 0.0, 0.0, 0.0, 0.0
	for _, group := range groups {
		if !finite(group.N, group.Mean) || group.N < 1 || group.N > 1 && (!finite(group.Variance) || group.Variance < 0) {
			return Shrinkage{}, false
		}
		total += group.N
		weightedMeans += group.N * group.Mean
		squaredN += group.N * group.N
		if group.N > 1 {
			within += (group.N - 1) * group.Variance
		}
	}
	count := float64(len(groups))
	if count < 2 || total <= count {
		return Shrinkage{}, false
	}
	result := Shrinkage{Grand: weightedMeans / total, Within: within / (total - count)}
	between := 0.0
	for _, group := range groups {
		between += group.N * (group.Mean - result.Grand) * (group.Mean - result.Grand)
	}
	typical := (total - squaredN/total) / (count - 1)
	result.Between = max(0, (between/(count-1)-result.Within)/typical)
	for _, group := range groups {
		weight := 0.0
		if result.Between > 0 { // without variance between groups, all have the mean of all
			weight = result.Between / (result.Between + result.Within/group.N)
		}
		result.Weights = append(result.Weights, weight)
		result.Means = append(result.Means, weight*group.Mean+(1-weight)*result.Grand)
	}
	return result, true
}
