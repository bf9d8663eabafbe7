package duck_test

import (
	"context"
	"testing"

	"tamiz/internal/duck"
)

// TestShare_ManyAskers asks more often than one database serves: what was kept
// goes with the database, and is made again.
func TestShare_ManyAskers(t *testing.T) {
	ctx := context.Background()
	for i := range 2100 {
		db, err := duck.Share(ctx, duck.Options{Memory: 64 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Kept(ctx, "select 1 as n"); err != nil {
			t.Fatalf("asker %d: %v", i, err)
		}
		if err := db.Close(); err != nil {
			t.Fatalf("asker %d: %v", i, err)
		}
	}
}
