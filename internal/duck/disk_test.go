//go:build unix

package duck_test

import (
	"errors"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// TestExec_AFullDiskIsNoMistakeInSQL: else the run would blame a model.
func TestExec_AFullDiskIsNoMistakeInSQL(t *testing.T) {
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Skip(err)
	}
	file := pipeline.QuoteText(filepath.Join(t.TempDir(), "table.parquet"))
	err = func() error {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: before.Max}); err != nil {
			t.Skip(err)
		}
		defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)
		return db.Exec(t.Context(), "copy (select hash(i) from range(100000) as numbers(i)) to "+file+" (format parquet)")
	}()
	if pipeline.KindOf(err) != pipeline.Storage || !errors.Is(err, syscall.EFBIG) && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("kind %s: %v", pipeline.KindOf(err), err)
	}
	if err := db.Exec(t.Context(), "select no_such_column"); pipeline.KindOf(err) == pipeline.Storage {
		t.Error(err)
	}
}
