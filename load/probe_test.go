package load_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"tamiz/load"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

// careless keeps no conditions.
type careless struct{ load.Store }

func (c careless) Put(ctx context.Context, key string, content io.Reader, _ load.Condition) (load.Version, error) {
	return c.Store.Put(ctx, key, content, load.Condition{})
}

func TestProbe_TellsAGoodStoreFromABadOne(t *testing.T) {
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		store := open(t)
		if err := load.Probe(t.Context(), store, "toy"); err != nil {
			t.Error(err)
		}
		if objects, err := store.List(t.Context(), ""); err != nil || len(objects) != 0 {
			t.Errorf("%d objects are left, %v", len(objects), err)
		}
		if err := load.Probe(t.Context(), careless{store}, "toy"); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("a store without conditions: %v", err)
		}
		for n := 1; ; n++ {
			broken := storetest.Break(store, n, storetest.Before)
			err := load.Probe(t.Context(), broken, "toy")
			if broken.Calls() < n {
				break
			}
			if !errors.Is(err, storetest.ErrBroken) {
				t.Errorf("call %d broke: %v", n, err)
			}
		}
	})
}
