package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"tamiz/load"
)

// ErrBroken is what a broken store answers.
var ErrBroken = errors.New("the store broke")

// How is the way in which a call breaks.
type How struct {
	name string
	done bool // the call does what it was asked to
	lag  int  // but only at the beginning of the call that is so many later
}

// A call breaks before it did anything, or after it was done. Reading that
// breaks after it was done breaks in the middle of the content.
var (
	Before = How{name: "before"}
	After  = How{name: "after", done: true}
)

// InDoubt breaks as a lost packet does that arrives late: the call fails, and
// takes effect at the beginning of the call that is lag calls later, whoever
// makes that.
func InDoubt(lag int) How { return How{name: "in doubt", done: true, lag: lag} }

// String names it, for the messages of tests.
func (h How) String() string { return h.name }

// Break wraps a store whose n-th call of any kind, counted from 1, breaks.
func Break(store load.Store, n int, how How) *Broken {
	return &Broken{store: store, n: n, how: how}
}

// Broken is a store that breaks once.
type Broken struct {
	store load.Store
	n     int
	how   How

	mutex   sync.Mutex
	calls   int
	pending func() // what the broken call asked for, until it arrives
}

// Calls is the number of calls so far.
func (b *Broken) Calls() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.calls
}

// breaks counts a call and reports whether its turn has come.
func (b *Broken) breaks() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.calls++
	if b.pending != nil && b.calls >= b.n+b.how.lag {
		b.pending()
		b.pending = nil
	}
	return b.calls == b.n
}

// fail does what was asked as the way of breaking has it.
func (b *Broken) fail(call func()) error {
	switch {
	case b.how.lag > 0:
		b.mutex.Lock()
		b.pending = call
		b.mutex.Unlock()
	case b.how.done:
		call()
	}
	return ErrBroken
}

// Get opens an object, or breaks.
func (b *Broken) Get(ctx context.Context, key string) (io.ReadCloser, load.Version, error) {
	if !b.breaks() {
		return b.store.Get(ctx, key)
	}
	if b.how != After {
		return nil, "", ErrBroken
	}
	content, version, err := b.store.Get(ctx, key)
	if err != nil {
		return nil, "", ErrBroken
	}
	defer content.Close()
	half := make([]byte, 2)
	n, _ := io.ReadFull(content, half)
	return io.NopCloser(io.MultiReader(bytes.NewReader(half[:n]), cut{})), version, nil
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, ErrBroken }

// Put writes an object, or breaks.
func (b *Broken) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	if !b.breaks() {
		return b.store.Put(ctx, key, content, when)
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	return "", b.fail(func() { _, _ = b.store.Put(ctx, key, bytes.NewReader(text), when) })
}

// Copy copies an object, or breaks.
func (b *Broken) Copy(ctx context.Context, from, to string, when load.Condition) (load.Version, error) {
	if !b.breaks() {
		return b.store.Copy(ctx, from, to, when)
	}
	return "", b.fail(func() { _, _ = b.store.Copy(ctx, from, to, when) })
}

// List lists objects, or breaks.
func (b *Broken) List(ctx context.Context, prefix string) ([]load.Object, error) {
	if !b.breaks() {
		return b.store.List(ctx, prefix)
	}
	return nil, ErrBroken
}

// Remove removes an object, or breaks.
func (b *Broken) Remove(ctx context.Context, key string) error {
	if !b.breaks() {
		return b.store.Remove(ctx, key)
	}
	return b.fail(func() { _ = b.store.Remove(ctx, key) })
}

var _ load.Store = (*Broken)(nil)
