package load_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const term = 3 * time.Minute

func holder(warehouse string) load.Holder {
	return load.Holder{Name: "run of " + warehouse, Host: "host of " + warehouse, Process: 7, Warehouse: warehouse}
}

func isLost(l *load.Lease) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

func TestLease_OneHolderAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, store := t.Context(), open(t)
		first, err := load.Acquire(ctx, store, "toy", holder("a"), term)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 { // longer than a term
			time.Sleep(term / 2)
			_, err := load.Acquire(ctx, store, "toy", holder("b"), term)
			if pipeline.KindOf(err) != pipeline.Busy {
				t.Fatalf("got %v", err)
			}
			for _, word := range []string{"run of a", "host of a", "since 2000-01-01T00:00:00Z", "until"} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q is not said in:\n%v", word, err)
				}
			}
		}
		if isLost(first) {
			t.Error("lost without a rival")
		}
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		second, err := load.Acquire(ctx, store, "toy", holder("b"), term)
		if err != nil || time.Since(began) > 0 {
			t.Fatalf("after release: %v, waited %s", err, time.Since(began))
		}
		if err := second.Release(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestLease_OfADeadHolderIsTakenWhenItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t)
		dying, die := context.WithCancel(t.Context())
		if _, err := load.Acquire(dying, store, "toy", holder("a"), term); err != nil {
			t.Fatal(err)
		}
		die()
		if _, err := load.Acquire(t.Context(), store, "toy", holder("b"), term); pipeline.KindOf(err) != pipeline.Busy {
			t.Errorf("before it has ended: %v", err)
		}
		time.Sleep(term + time.Second)
		began := time.Now()
		second, err := load.Acquire(t.Context(), store, "toy", holder("b"), term)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != term/2 {
			t.Errorf("watched for %s, want %s", took, term/2)
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLease_OfTheSameWarehouseIsTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t)
		first, err := load.Acquire(t.Context(), store, "toy", holder("a"), term)
		if err != nil {
			t.Fatal(err)
		}
		second, err := load.Acquire(t.Context(), store, "toy", holder("a"), term)
		if err != nil {
			t.Fatal(err)
		}
		<-first.Lost()
		if isLost(second) {
			t.Error("both are lost")
		}
		if err := first.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := load.Acquire(t.Context(), store, "toy", holder("b"), term); pipeline.KindOf(err) != pipeline.Busy {
			t.Errorf("the release of a lost lease released another: %v", err)
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// skewed shows the leases of a machine whose clock differs.
type skewed struct {
	load.Store
	by time.Duration
}

func (s skewed) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	text, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	for _, field := range []string{"acquired_at", "renewed_at", "expires_at"} {
		before, rest, _ := strings.Cut(string(text), `"`+field+`": "`)
		stamp, after, _ := strings.Cut(rest, `"`)
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return "", err
		}
		text = []byte(before + `"` + field + `": "` + at.Add(s.by).Format(time.RFC3339Nano) + `"` + after)
	}
	return s.Store.Put(ctx, key, strings.NewReader(string(text)), when)
}

func TestLease_ClocksMayDiffer(t *testing.T) {
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, -term, time.Hour, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := open(t)
				dying, die := context.WithCancel(t.Context())
				if _, err := load.Acquire(dying, skewed{store, by}, "toy", holder("a"), term); err != nil {
					t.Fatal(err)
				}
				patient, end := context.WithTimeout(t.Context(), 10*term)
				defer end()
				if _, err := load.Acquire(patient, store, "toy", holder("b"), term); pipeline.KindOf(err) != pipeline.Busy {
					t.Fatalf("beside a living holder: %v", err)
				}
				die()
				second, err := load.Acquire(t.Context(), store, "toy", holder("b"), term)
				if err != nil {
					t.Fatal(err)
				}
				if err := second.Release(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestLease_IsLostWhenTheStoreIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &absent{Store: open(t)}
		l, err := load.Acquire(t.Context(), gone, "toy", holder("a"), term)
		if err != nil {
			t.Fatal(err)
		}
		gone.is.Store(true)
		time.Sleep(term / 2)
		gone.is.Store(false) // for a while only
		time.Sleep(term)
		if isLost(l) {
			t.Fatal("lost though the store came back in time")
		}
		gone.is.Store(true)
		began := time.Now()
		<-l.Lost()
		if took := time.Since(began); took > term {
			t.Errorf("lost after %s, later than a rival may take it", took)
		}
	})
}

// absent is a store that may be out of reach.
type absent struct {
	load.Store
	is atomic.Bool
}

func (a *absent) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	if a.is.Load() {
		return "", storetest.ErrBroken
	}
	return a.Store.Put(ctx, key, content, when)
}

// bothStores runs a test with the folder and with the real S3 server.
func bothStores(t *testing.T, test func(t *testing.T, open func(t *testing.T) load.Store)) {
	t.Run("folder", func(t *testing.T) {
		test(t, func(t *testing.T) load.Store {
			store, err := dirstore.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return store
		})
	})
	t.Run("S3", func(t *testing.T) {
		server := s3server.Start(t)
		server.Use(t)
		var prefix atomic.Int32
		test(t, func(t *testing.T) load.Store {
			store, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, PathStyle: true, Prefix: fmt.Sprint(prefix.Add(1))})
			if err != nil {
				t.Fatal(err)
			}
			return store
		})
	})
}

func TestLease_RivalsTakeItInTurn(t *testing.T) {
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		store := open(t)
		var group sync.WaitGroup
		var inside, turns atomic.Int32
		for i := range 8 {
			group.Go(func() {
				for range 3 {
					l, err := load.Acquire(t.Context(), store, "toy", holder(fmt.Sprint(i)), time.Minute)
					if pipeline.KindOf(err) == pipeline.Busy {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if inside.Add(1) != 1 {
						t.Error("two hold the lease")
					}
					turns.Add(1)
					inside.Add(-1)
					if err := l.Release(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if turns.Load() == 0 {
			t.Error("nobody had a turn")
		}
	})
}

// TestLease_OnTheRealServer: a holder renews beyond its term, dies, and is
// followed.
func TestLease_OnTheRealServer(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	store, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	const short = 2 * time.Second
	dying, die := context.WithCancel(t.Context())
	first, err := load.Acquire(dying, store, "toy", holder("a"), short)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	time.AfterFunc(short+short/2, die)
	for {
		second, err := load.Acquire(t.Context(), store, "toy", holder("b"), short)
		if pipeline.KindOf(err) == pipeline.Busy {
			time.Sleep(short / 20)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 2*short {
			t.Errorf("taken after %s from a holder who lived for %s", took, short+short/2)
		}
		if isLost(first) {
			t.Error("the first holder lost it while alive")
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
		return
	}
}
