//go:build unix

package web_test

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"

	"tamiz/extract/web"
)

func TestFetch_TellsAFullDisk(t *testing.T) {
	server := serve(t, file)
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Skip(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: before.Max}); err != nil {
		t.Skip(err)
	}
	d := newDesk(t)
	fault := func() *web.Fault {
		defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)
		return d.fault(web.Request{URL: server.URL}, web.Disk, 1)
	}()
	if !errors.Is(fault, syscall.EFBIG) {
		t.Error(fault)
	}
	d.whole(web.Request{URL: server.URL}, content)
}
