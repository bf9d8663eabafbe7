// Package load turns checked artifacts into a published snapshot.
//
// In come the marts of a run as files and what is known about them
// ([Manifest]); out goes a snapshot in a [Store]: files first, then the
// manifest, then latest.json by a conditional write. A reader always sees one
// whole snapshot, the old one or the new one. Each manifest names the digest
// of its parent, so that history is a chain.
//
// It never computes a figure, never decides whether something may be
// published, and never changes a snapshot once its manifest is written.
package load

import (
	"context"
	"errors"
	"io"
	"time"
)

// Version tells one content of a key from another. Equal contents may have the
// same version: what is to be told apart must hold something of its own.
type Version string

// Condition is what must hold for a Put. The zero Condition always holds.
type Condition struct {
	Absent bool    // there is nothing under the key
	Match  Version // the key holds this version
}

// ErrConflict says that a Condition did not hold: somebody else was faster.
var ErrConflict = errors.New("somebody else has written this key")

// ErrDamaged says that a store found other bytes under a key than were put
// there. Reading to the end gives it, where a store can tell.
var ErrDamaged = errors.New("the store holds other bytes than were put there")

// Object is one entry of a list.
type Object struct {
	Key        string
	Bytes      int64
	ModifiedAt time.Time
}

// Store keeps objects under slash-separated keys. Every implementation passes
// package storetest.
type Store interface {
	// Get opens an object. It gives fs.ErrNotExist if there is none.
	Get(ctx context.Context, key string) (io.ReadCloser, Version, error)
	// Put writes an object whole or not at all. It gives ErrConflict if the
	// condition does not hold.
	Put(ctx context.Context, key string, content io.Reader, when Condition) (Version, error)
	// Copy puts what lies under from also under to, without sending it
	// through this machine. Of the conditions it knows Absent alone, with
	// ErrConflict as for Put. It gives fs.ErrNotExist if there is no source.
	Copy(ctx context.Context, from, to string, when Condition) (Version, error)
	// List gives the objects whose keys begin with prefix, by key.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Remove removes an object; one that is not there is no error.
	Remove(ctx context.Context, key string) error
}
