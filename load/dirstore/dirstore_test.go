package dirstore_test

import (
	"testing"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/storetest"
)

func TestStore_KeepsThePromise(t *testing.T) {
	storetest.Run(t, func(t *testing.T) load.Store {
		t.Helper()
		store, err := dirstore.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}
