package statistics

import (
	"math"
	"slices"
	"strings"
)

// Cell is one group of a partition of people: its value in each dimension, how much it weighs, and the share of it that
// has what is looked at (METHODS 1.2).
type Cell struct {
	Values []string
	Weight float64
	Rate   float64
}

// Opportunity is how many have it, and how unequally it is spread over groups.
type Opportunity struct {
	Coverage      float64 // weighted mean of the rates
	Dissimilarity float64 // share of it that would have to be moved for all rates to be the same; NaN where coverage is 0
}

// Index is coverage times one minus dissimilarity; 0 where coverage is.
func (o Opportunity) Index() float64 {
	if o.Coverage == 0 {
		return 0
	}
	return o.Coverage * (1 - o.Dissimilarity)
}

// OpportunityOf measures weighted rates, of a total weight above 0. One group has no dissimilarity, whatever rounding says.
func OpportunityOf(weights, rates []float64) Opportunity {
	total, covered, distance := 0.0, 0.0, 0.0
	for i, weight := range weights {
		total, covered = total+weight, covered+weight*rates[i]
	}
	o := Opportunity{Coverage: covered / total}
	if len(weights) == 1 {
		o.Coverage = rates[0]
	}
	for i, weight := range weights {
		distance += weight * math.Abs(rates[i]-o.Coverage)
	}
	o.Dissimilarity = math.NaN()
	if o.Coverage > 0 {
		o.Dissimilarity = distance / (2 * o.Coverage * total)
	}
	return o
}

// pooled gives weights and mean rates of the groups put together that share the kept dimensions, in the order in which
// these first come.
func pooled(groups []Cell, keeps func(dimension int) bool) (weights, rates []float64) {
	place := map[string]int{}
	for _, group := range groups {
		key := poolOf(group, keeps)
		i, isKnown := place[key]
		if !isKnown {
			i = len(weights)
			place[key] = i
			weights, rates = append(weights, 0), append(rates, 0)
		}
		weights[i] += group.Weight
		rates[i] += group.Weight * group.Rate
	}
	for i, weight := range weights {
		if weight > 0 {
			rates[i] /= weight
		}
	}
	return weights, rates
}

// poolOf names the pool of a group: its values in the kept dimensions.
func poolOf(group Cell, keeps func(dimension int) bool) string {
	var b strings.Builder
	for k, value := range group.Values {
		if keeps(k) {
			b.WriteString(value)
		}
		b.WriteByte(0)
	}
	return b.String()
}

// Driver is what one dimension does to dissimilarity (METHODS 1.3).
type Driver struct {
	Shapley float64 // its mean effect over all orders in which dimensions may come in; all add up to dissimilarity
	OneWay  float64 // dissimilarity if there were no other dimension
	LastIn  float64 // what goes if it alone is given up
}

// Drivers decomposes the dissimilarity of groups with so many dimensions. Partitions by fewer dimensions are put
// together from the groups themselves, so that a dimension more never lowers it. Nothing is left where coverage is 0.
func Drivers(groups []Cell, dimensions int) (Opportunity, []Driver) {
	all := 1<<dimensions - 1
	values := make([]Opportunity, all+1)
	for set := range values {
		values[set] = OpportunityOf(pooled(groups, func(k int) bool { return set&(1<<k) != 0 }))
	}
	if !(values[all].Coverage > 0) {
		return values[all], nil
	}
	drivers := make([]Driver, dimensions)
	for k := range drivers {
		with := 1 << k
		drivers[k].OneWay = values[with].Dissimilarity
		drivers[k].LastIn = values[all].Dissimilarity - values[all&^with].Dissimilarity
		for set := range values {
			if set&with == 0 {
				drivers[k].Shapley += shapleyWeight(set, dimensions) * (values[set|with].Dissimilarity - values[set].Dissimilarity)
			}
		}
	}
	return values[all], drivers
}

// shapleyWeight is |S|! (K − |S| − 1)! / K!: the share of the orders in which a dimension comes right after the set.
func shapleyWeight(set, dimensions int) float64 {
	size := 0
	for ; set > 0; set &= set - 1 {
		size++
	}
	weight := 1 / float64(dimensions)
	for i := 1; i <= size; i++ { // one over (K − 1 choose |S|)
		weight *= float64(i) / float64(dimensions-i)
	}
	return weight
}

// Progress is the change of an index between two years and its parts, which add up to it (METHODS 1.4).
type Progress struct {
	Before, Between, After Opportunity // between: weights of after, rates of before
	Composition            float64     // the groups' weights changed
	Scale                  float64     // the rates rose
	Equalisation           float64     // they came closer to each other
	IsMerged               bool        // a group was there in one of the years only
}

// ProgressOf compares two years on the partition that both have: a group that only one of them has is put together, in
// both, with the groups that it differs from in the first of dropOrder only; if that is not enough, in the second, and
// so on. False if nothing is left to compare.
func ProgressOf(before, after []Cell, dropOrder []int) (Progress, bool) {
	steps := map[string]int{} // of each group, how many dimensions it gives up
	keepsAt := func(step int) func(int) bool {
		return func(k int) bool { return !slices.Contains(dropOrder[:step], k) }
	}
	everything := func(int) bool { return true }
	isWanted := make([]map[string]bool, len(dropOrder)+1)
	for step := range isWanted {
		isWanted[step] = map[string]bool{}
	}
	both := append(append([]Cell(nil), before...), after...)
	for step := len(dropOrder); step >= 0; step-- {
		earlier, later := poolsOf(before, keepsAt(step)), poolsOf(after, keepsAt(step))
		for _, group := range both {
			pool := poolOf(group, keepsAt(step))
			if earlier[pool] && later[pool] {
				steps[poolOf(group, everything)] = step // the least of them stays
			}
		}
	}
	for _, group := range both {
		step, isComparable := steps[poolOf(group, everything)]
		if !isComparable {
			return Progress{}, false
		}
		isWanted[step][poolOf(group, keepsAt(step))] = true
	}
	p := Progress{}
	// Pools are nested: a group goes with the widest that one of its members wants.
	merge := func(groups []Cell) map[string]Cell {
		merged := map[string]Cell{}
		for _, group := range groups {
			for step := len(dropOrder); step >= 0; step-- {
				pool := poolOf(group, keepsAt(step))
				if !isWanted[step][pool] {
					continue
				}
				p.IsMerged = p.IsMerged || step > 0
				sum := merged[pool]
				sum.Weight += group.Weight
				sum.Rate += group.Weight * group.Rate
				merged[pool] = sum
				break
			}
		}
		return merged
	}
	earlier, later := merge(before), merge(after)
	var pools []string
	for pool := range later {
		pools = append(pools, pool)
	}
	slices.Sort(pools)
	var weights0, weights1, rates0, rates1 []float64
	for _, pool := range pools {
		weights0, rates0 = append(weights0, earlier[pool].Weight), append(rates0, earlier[pool].Rate/earlier[pool].Weight)
		weights1, rates1 = append(weights1, later[pool].Weight), append(rates1, later[pool].Rate/later[pool].Weight)
	}
	p.Before, p.Between, p.After = OpportunityOf(weights0, rates0), OpportunityOf(weights1, rates0), OpportunityOf(weights1, rates1)
	p.decompose()
	return p, true
}

func poolsOf(groups []Cell, keeps func(dimension int) bool) map[string]bool {
	pools := map[string]bool{}
	for _, group := range groups {
		pools[poolOf(group, keeps)] = true
	}
	return pools
}

// decompose fills the parts. Where nobody has anything there is no dissimilarity; the change is then one of scale.
func (p *Progress) decompose() {
	p.Composition = p.Between.Index() - p.Before.Index()
	between, after := p.Between.Dissimilarity, p.After.Dissimilarity
	switch {
	case math.IsNaN(between) && math.IsNaN(after):
		return
	case math.IsNaN(between):
		between = after
	case math.IsNaN(after):
		after = between
	}
	p.Scale = (p.After.Coverage - p.Between.Coverage) * (1 - between)
	p.Equalisation = p.After.Coverage * (between - after)
}
