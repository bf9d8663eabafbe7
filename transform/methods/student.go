package methods

import (
	"context"
	"fmt"

	"tamiz/transform/statistics"
)

// maxDegrees is the last number of degrees of freedom in the table; beyond it
// Student's distribution differs from the normal one by less than 0.1 %.
const maxDegrees = 2000

// studentQuantiles gives a table of quantiles of Student's t distribution, so
// that intervals can be written in SQL: the value that a t variable with so
// many degrees of freedom stays below with this probability.
var studentQuantiles = Method{
	Inputs: []Role{{
		Name: "probabilities", Columns: []Column{{"probability", "DOUBLE"}}, Key: []string{"probability"},
	}},
	Output: []Column{{"degrees_of_freedom", "BIGINT"}, {"probability", "DOUBLE"}, {"quantile", "DOUBLE"}},
	Run: func(ctx context.Context, in Reader, out Writer) error {
		var probability float64
		return in.Rows(ctx, "probabilities", []any{&probability}, func() error {
			for degrees := 1; degrees <= maxDegrees; degrees++ {
				quantile, ok := statistics.StudentQuantile(probability, float64(degrees))
				if !ok {
					return fmt.Errorf("probability %g has no quantile: want one between 0 and 1", probability)
				}
				if err := out.Append(int64(degrees), probability, quantile); err != nil {
					return err
				}
			}
			return nil
		})
	},
}
