package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/transform/statistics"
)

// nearInterval compares an interval with [low, high].
func nearInterval(t *testing.T, what string, got statistics.Interval, want []float64) {
	t.Helper()
	near(t, what+" low", got.Low, want[0])
	near(t, what+" high", got.High, want[1])
}

// nearAll compares number by number.
func nearAll(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		near(t, fmt.Sprintf("%s[%d]", what, i), got[i], want[i])
	}
}

func vectorsWilson(t *testing.T, content []byte) {
	for _, c := range parse[[]struct {
		K, N float64
		CI95 []float64
	}](t, content) {
		got, ok := statistics.Wilson(c.K, c.N)
		if ok != (len(c.CI95) == 2) {
			t.Errorf("%v of %v: defined %t", c.K, c.N, ok)
		} else if ok {
			nearInterval(t, fmt.Sprintf("%v of %v", c.K, c.N), got, c.CI95)
		}
	}
}

func vectorsSpearman(t *testing.T, content []byte) {
	type result struct {
		Rho  *float64
		N    int
		CI95 []float64
	}
	v := parse[struct {
		X, Y      []float64
		Result    result
		SeedQuote *result `json:"seed_quote"`
	}](t, content)
	got, err := statistics.Spearman(v.X, v.Y)
	if err != nil {
		t.Fatal(err)
	}
	if (got.Reason == "") != (v.Result.Rho != nil) || got.HasInterval != (len(v.Result.CI95) == 2) || got.N != v.Result.N {
		t.Fatalf("got %+v, want %+v", got, v.Result)
	}
	if v.Result.Rho != nil {
		near(t, "rho", got.Rho, *v.Result.Rho)
	}
	if got.HasInterval {
		nearInterval(t, "rho", got.Interval, v.Result.CI95)
	}
	if q := v.SeedQuote; q != nil {
		interval, ok := statistics.SpearmanInterval(*q.Rho, q.N)
		if !ok {
			t.Fatal("the quoted correlation has no interval")
		}
		nearInterval(t, "quoted", interval, q.CI95)
	}
}

func vectorsWeightedQuantile(t *testing.T, content []byte) {
	v := parse[struct {
		X, W []float64
		Q    map[string]float64
	}](t, content)
	for text, want := range v.Q {
		p, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := statistics.WeightedQuantile(v.X, v.W, p)
		if !ok {
			t.Fatalf("at %s: undefined", text)
		}
		near(t, "at "+text, got, want)
	}
}

func vectorsRubin(t *testing.T, content []byte) {
	type result struct {
		Qbar, W, B, T, SE float64
		Lambda            float64 `json:"lambda_"`
		RubinDF           float64 `json:"df_rubin"`
		DF                float64 `json:"df_used"`
		CI95              []float64
	}
	v := parse[struct {
		Q, U      []float64
		N         float64 `json:"n_com"`
		Result    result
		ResultNoN *result `json:"result_no_ncom"`
	}](t, content)
	check := func(what string, n float64, want result) {
		t.Helper()
		got, ok := statistics.Pool(v.Q, v.U, n)
		if !ok {
			t.Fatal(what + ": undefined")
		}
		nearAll(t, what, []float64{got.Estimate, got.Within, got.Between, got.Total, got.Error, got.Lambda, got.RubinDF, got.DF},
			[]float64{want.Qbar, want.W, want.B, want.T, want.SE, want.Lambda, want.RubinDF, want.DF})
		nearInterval(t, what, got.Interval, want.CI95)
	}
	check("with n", v.N, v.Result)
	if v.ResultNoN != nil {
		check("without n", 0, *v.ResultNoN)
	}
}

func vectorsShrinkage(t *testing.T, content []byte) {
	v := parse[struct {
		Groups []struct{ N, Mean, Var float64 }
		Result struct {
			Grand, Sigma2, Tau2 float64
			Weight, Shrunk      []float64
		}
	}](t, content)
	var groups []statistics.Group
	for _, g := range v.Groups {
		groups = append(groups, statistics.Group{N: g.N, Mean: g.Mean, Variance: g.Var})
	}
	got, ok := statistics.Shrink(groups)
	if !ok {
		t.Fatal("undefined")
	}
	nearAll(t, "grand, s², τ²", []float64{got.Grand, got.Within, got.Between}, []float64{v.Result.Grand, v.Result.Sigma2, v.Result.Tau2})
	nearAll(t, "weight", got.Weights, v.Result.Weight)
	nearAll(t, "shrunk", got.Means, v.Result.Shrunk)
}

func vectorsAggregators(t *testing.T, content []byte) {
	v := parse[struct {
		X, W             []float64
		Arith, Geo, Harm float64
	}](t, content)
	for _, c := range []struct {
		what      string
		aggregate func(values, weights []float64) (float64, error)
		want      float64
	}{{"arithmetic", statistics.Arithmetic, v.Arith}, {"geometric", statistics.Geometric, v.Geo}, {"harmonic", statistics.Harmonic, v.Harm}} {
		got, err := c.aggregate(v.X, v.W)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.what, got, c.want)
	}
}

func vectorsTreatment(t *testing.T, content []byte) {
	for _, c := range parse[struct {
		Cases []struct {
			Name       string
			X          []float64
			Skew, Kurt float64
			How        string
			Points     int     `json:"nwin"`
			SkewAfter  float64 `json:"skew_after"`
			KurtAfter  float64 `json:"kurt_after"`
		}
	}](t, content).Cases {
		got, err := statistics.Treat(c.X)
		if err != nil {
			t.Fatal(err)
		}
		if got.How != c.How || got.Points != c.Points {
			t.Errorf("%s: %s, %d points; want %s, %d", c.Name, got.How, got.Points, c.How, c.Points)
		}
		nearAll(t, c.Name, []float64{got.Skew, got.Kurtosis, got.SkewAfter, got.KurtosisAfter}, []float64{c.Skew, c.Kurt, c.SkewAfter, c.KurtAfter})
	}
}

func vectorsAggregate(t *testing.T, content []byte) {
	v := parse[struct {
		Published []map[string]any
		Weights   []struct {
			Code   string `json:"iCode"`
			Parent string
			Weight float64
		}
		Pillars, Result []map[string]any
		Rank            map[string]int
	}](t, content)
	values := map[string][]float64{} // by unit, in the order of Result: the index
	var indices []float64
	for i, unit := range v.Pillars {
		scores := map[string]float64{}
		for code, score := range unit {
			if number, ok := score.(float64); ok {
				scores[code] = number
			}
		}
		for _, parent := range []string{"Conn", "Sust", "Index"} {
			var x, w []float64
			for _, part := range v.Weights {
				if part.Parent == parent {
					x, w = append(x, scores[part.Code]), append(w, part.Weight)
				}
			}
			got, err := statistics.Arithmetic(x, w)
			if err != nil {
				t.Fatal(err)
			}
			scores[parent] = got
			// The file's pillars carry eight decimals, its results six.
			if want := v.Result[i][parent].(float64); math.Abs(got-want) > 1e-6 {
				t.Errorf("%v: %s is %.9f, want %.9f", unit["uCode"], parent, got, want)
			}
		}
		values[unit["uCode"].(string)] = []float64{scores["Index"], scores["Conn"], scores["Sust"], scores["Physical"]}
		indices = append(indices, scores["Index"])
	}
	ranks, ok := statistics.CompetitionRanks(indices)
	if !ok {
		t.Fatal("no ranks")
	}
	for i, unit := range v.Pillars {
		if code := unit["uCode"].(string); ranks[i] != v.Rank[code] {
			t.Errorf("%s ranks %d, want %d", code, ranks[i], v.Rank[code])
		}
	}
	for _, published := range v.Published { // two decimals
		for i, name := range []string{"Index", "Conn", "Sust", "Physical"} {
			if want, ok := published[name].(float64); ok && math.Abs(values[published["uCode"].(string)][i]-want) > 0.00501 {
				t.Errorf("%v: %s is not the published %v", published["uCode"], name, want)
			}
		}
	}
}

func vectorsRankIntervals(t *testing.T, content []byte) {
	v := parse[struct {
		X            [][]float64
		N            int
		FirstWeights [][]float64 `json:"first_weights"`
		FirstRanks   [][]int     `json:"first_ranks"`
		Result       struct {
			Nominal                []int
			Median, Q05, Q95, Mean []float64
			Shift                  float64 `json:"abs_shift"`
		}
	}](t, content)
	composite, err := statistics.NewComposite(v.X)
	if err != nil {
		t.Fatal(err)
	}
	for draw, want := range v.FirstWeights {
		nearAll(t, fmt.Sprintf("weights of draw %d", draw), statistics.FlatDirichlet(draw, len(v.X[0])), want)
	}
	for draw, want := range v.FirstRanks {
		if got, err := composite.Draw(draw); err != nil || !slices.Equal(got, want) {
			t.Errorf("draw %d: ranks %v, want %v (%v)", draw, got, want, err)
		}
	}
	got, err := composite.Intervals(v.N)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Nominal, v.Result.Nominal) {
		t.Errorf("nominal %v, want %v", got.Nominal, v.Result.Nominal)
	}
	nearAll(t, "median", got.Median, v.Result.Median)
	nearAll(t, "5 %", got.Low, v.Result.Q05)
	nearAll(t, "95 %", got.High, v.Result.Q95)
	nearAll(t, "mean", got.Mean, v.Result.Mean)
	near(t, "shift", got.Shift, v.Result.Shift)
}

func vectorsSensitivity(t *testing.T, content []byte) {
	v := parse[struct {
		N          int
		S, ST      []float64
		AnalyticS  []float64 `json:"analytic_S"`
		AnalyticST []float64 `json:"analytic_ST"`
		Tolerance  float64
	}](t, content)
	ishigami := func(x []float64) float64 {
		angle := func(i int) float64 { return math.Pi * (2*x[i] - 1) }
		return math.Sin(angle(0)) + 7*math.Pow(math.Sin(angle(1)), 2) + 0.1*math.Pow(angle(2), 4)*math.Sin(angle(0))
	}
	for _, c := range []struct {
		what      string
		points    statistics.Points
		tolerance float64
	}{{"Sobol", statistics.SobolPoints(), v.Tolerance}, {"hash", statistics.HashPoints("ishigami"), 0.05}} {
		got, err := statistics.Sensitivities(ishigami, 3, v.N, c.points)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s points: S %.4f, ST %.4f", c.what, got.First, got.Total)
		for i := range 3 {
			for _, pair := range [][3]float64{{got.First[i], v.AnalyticS[i], v.S[i]}, {got.Total[i], v.AnalyticST[i], v.ST[i]}} {
				if math.Abs(pair[0]-pair[1]) > c.tolerance || math.Abs(pair[0]-pair[2]) > c.tolerance {
					t.Errorf("%s points, factor %d: %.4f, but analytically %.4f, and %.4f in the file", c.what, i, pair[0], pair[1], pair[2])
				}
			}
		}
	}
}

// imputeVector is what the files of PMM and of nearest neighbours share.
type imputeVector struct {
	Seed, K, M        int
	Observed, Missing []struct {
		ID   string
		X    []float64
		Y, N float64
	}
}

func (v imputeVector) units() (donors, missing []statistics.Unit) {
	for _, u := range v.Observed {
		donors = append(donors, statistics.Unit{ID: u.ID, X: u.X, Y: u.Y, N: u.N})
	}
	for _, u := range v.Missing {
		missing = append(missing, statistics.Unit{ID: u.ID, X: u.X, N: u.N})
	}
	return donors, missing
}

// nearDonors compares donors with their ids and distances.
func nearDonors(t *testing.T, what string, got []statistics.Donor, ids []string, distances []float64) {
	t.Helper()
	var gotIDs []string
	var gotDistances []float64
	for _, donor := range got {
		gotIDs, gotDistances = append(gotIDs, donor.Unit.ID), append(gotDistances, donor.Distance)
	}
	if !slices.Equal(gotIDs, ids) {
		t.Fatalf("%s: donors %v, want %v", what, gotIDs, ids)
	}
	nearAll(t, what+": distance", gotDistances, distances)
}

func vectorsMatching(t *testing.T, content []byte) {
	v := parse[struct {
		imputeVector
		Result struct {
			Beta      []float64
			FittedObs []float64 `json:"fitted_obs"`
			Imputed   []struct {
				Fitted        float64 `json:"fitted_logit"`
				Donors, Draws []string
				Distances     []float64 `json:"donor_dist"`
				Values        []float64
				Mean          float64 `json:"donor_mean"`
			}
		}
	}](t, content)
	donors, missing := v.units()
	fit, err := statistics.FitPMM(donors)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "beta", append([]float64{fit.Line.Intercept}, fit.Line.Coefficients...), v.Result.Beta)
	fitted := func(u statistics.Unit) float64 {
		value, err := fit.Fitted(u)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for i, donor := range donors {
		near(t, "fitted "+donor.ID, fitted(donor), v.Result.FittedObs[i])
	}
	for i, unit := range missing {
		want := v.Result.Imputed[i]
		near(t, "fitted "+unit.ID, fitted(unit), want.Fitted)
		matched := fit.Match(fitted(unit), v.K)
		nearDonors(t, unit.ID, matched, want.Donors, want.Distances)
		value, ok := statistics.Impute(matched)
		if !ok || !value.HasInterval {
			t.Fatalf("%s: not imputed", unit.ID)
		}
		near(t, unit.ID, value.Value, want.Mean)
		for at, position := range statistics.Draws(strconv.Itoa(v.Seed), unit.ID, len(matched), v.M) {
			if got := matched[position].Unit; got.ID != want.Draws[at] {
				t.Errorf("%s: draw %d is %s, want %s", unit.ID, at+1, got.ID, want.Draws[at])
			} else {
				near(t, unit.ID+" drawn", got.Y, want.Values[at])
			}
		}
	}
}

func vectorsNeighbours(t *testing.T, content []byte) {
	v := parse[struct {
		imputeVector
		Result struct {
			Mean, SD []float64
			Imputed  []struct {
				Donors    []string
				Distances []float64 `json:"dist"`
				Mean      float64   `json:"value_mean"`
				Weighted  float64   `json:"value_nweighted"`
			}
		}
	}](t, content)
	donors, missing := v.units()
	fit, err := statistics.FitKNN(donors)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "mean", fit.Means, v.Result.Mean)
	nearAll(t, "sd", fit.Deviations, v.Result.SD)
	for i, unit := range missing {
		want := v.Result.Imputed[i]
		matched, err := fit.Match(unit, v.K)
		if err != nil {
			t.Fatal(err)
		}
		nearDonors(t, unit.ID, matched, want.Donors, want.Distances)
		value, ok := statistics.Impute(matched)
		if !ok || !value.HasWeighted {
			t.Fatalf("%s: not imputed", unit.ID)
		}
		near(t, unit.ID+" mean", value.Value, want.Mean)
		near(t, unit.ID+" weighted", value.Weighted, want.Weighted)
	}
}

func vectorsValidation(t *testing.T, content []byte) {
	v := parse[struct {
		Truth, Imputed, Lo, Hi    []float64
		Cuts                      []float64
		RMSE, MAE, Bias, Coverage float64
		Agreement                 float64 `json:"level_agreement"`
		Kappa                     float64
	}](t, content)
	var intervals []*statistics.Interval
	for i := range v.Lo {
		intervals = append(intervals, &statistics.Interval{Low: v.Lo[i], High: v.Hi[i]})
	}
	got, err := statistics.Validate(v.Truth, v.Imputed, intervals, v.Cuts)
	if err != nil || !got.HasKappa || !got.HasCoverage {
		t.Fatalf("%+v: %v", got, err)
	}
	nearAll(t, "rmse, mae, bias, coverage, agreement, kappa", []float64{got.RMSE, got.MAE, got.Bias, got.Coverage, got.Agreement, got.Kappa},
		[]float64{v.RMSE, v.MAE, v.Bias, v.Coverage, v.Agreement, v.Kappa})
}

func vectorsAdoption(t *testing.T, content []byte) {
	v := parse[struct {
		Result    map[string]any
		RangeRR   []float64 `json:"range_RR"`
		RangeLift []float64 `json:"range_lift"`
	}](t, content)
	number := func(name string) float64 {
		value, ok := v.Result[name].(float64)
		if !ok {
			t.Fatalf("the file has no number %s", name)
		}
		return value
	}
	whole := func(name string) int { return int(number(name)) }
	got, err := statistics.Adopt(whole("N"), whole("K"), whole("n"), whole("k"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 4
	for name, ratio := range map[string]statistics.Ratio{"share_all": got.ShareAll, "share_adopters": got.ShareActed, "lift": got.Lift,
		"share_non": got.ShareNotActed, "ratio_vs_non": got.RatioToOthers, "adoption_high": got.AdoptionHigh, "adoption_rest": got.AdoptionRest,
		"RR": got.RiskRatio, "OR": got.OddsRatio, "z": got.Z} {
		near(t, name, ratio.Value, number(name))
		checked++
		for _, suffix := range []string{"_ci95", "_wilson95", "_wilson"} {
			file := strings.Replace(name, "share_adopters", "", 1) + suffix
			if bounds, ok := v.Result[strings.TrimPrefix(file, "_")].([]any); ok {
				nearInterval(t, file, ratio.Interval, []float64{bounds[0].(float64), bounds[1].(float64)})
				checked++
			}
		}
	}
	near(t, "hypergeom_mean", got.Expected, number("hypergeom_mean"))
	near(t, "hypergeom_sd", got.Deviation, number("hypergeom_sd"))
	near(t, "log of hypergeom_p_upper", math.Log(got.P), math.Log(number("hypergeom_p_upper")))
	if checked += 3; checked != len(v.Result) {
		t.Errorf("%d of the file's %d numbers were compared", checked, len(v.Result))
	}

	// The seed gives percentages, which these counts alone fit: METHODS 2.5.
	lift, risk := []float64{math.Inf(1), 0}, []float64{math.Inf(1), 0}
	for K := 1130; K <= 1133; K++ {
		for k := 228; k <= 231; k++ {
			one, err := statistics.Adopt(whole("N"), K, whole("n"), k)
			if err != nil {
				t.Fatal(err)
			}
			lift = []float64{min(lift[0], one.Lift.Value), max(lift[1], one.Lift.Value)}
			risk = []float64{min(risk[0], one.RiskRatio.Value), max(risk[1], one.RiskRatio.Value)}
		}
	}
	nearAll(t, "range of RR", risk, v.RangeRR)
	nearAll(t, "range of lift", lift, v.RangeLift)
}
