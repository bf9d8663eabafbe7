package schedule_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(asChild); what != "" {
		os.Exit(behave(what))
	}
	goleak.VerifyTestMain(m)
}
