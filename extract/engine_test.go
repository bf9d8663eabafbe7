package extract_test

import (
	"testing"

	"tamiz/extract"
)

func TestEngine_IsTheSameEveryTime(t *testing.T) {
	first, err := extract.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := extract.Engine(t.Context())
	if err != nil || first != second || len(first) != len("read ")+64 {
		t.Errorf("got %q and %q, %v", first, second, err)
	}
}
