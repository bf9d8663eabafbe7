package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"tamiz/pipeline"
)

// Probe tries, on a small object that it removes again, all that a pipeline
// asks of a store: to write, to read, to list, to copy, to remove, and to keep
// conditions. A service that takes no notice of a condition would let two
// machines overwrite each other; it is an error of kind Config.
func Probe(ctx context.Context, store Store, name string) error {
	key := path.Join(name, "probe", rand.Text())
	copied := key + "-copy"
	first, err := store.Put(ctx, key, strings.NewReader("first"), Condition{Absent: true})
	if err != nil {
		return err
	}
	_, overwrites := store.Put(ctx, key, strings.NewReader("other"), Condition{Absent: true})
	second, err := store.Put(ctx, key, strings.NewReader("second"), Condition{Match: first})
	if err != nil && !errors.Is(overwrites, ErrConflict) {
		err = nil // told below
	}
	_, turns := store.Put(ctx, key, strings.NewReader("other"), Condition{Match: first})
	text, version, readErr := read(ctx, store, key)
	_, copyErr := store.Copy(ctx, key, copied, Condition{Absent: true})
	_, copyOverwrites := store.Copy(ctx, key, copied, Condition{Absent: true})
	objects, listErr := store.List(ctx, key)
	removeErr := errors.Join(store.Remove(ctx, key), store.Remove(ctx, copied))
	if err := errors.Join(err, readErr, copyErr, listErr, removeErr); err != nil {
		return err
	}
	for _, refusal := range []error{overwrites, turns, copyOverwrites} {
		if refusal == nil {
			return &pipeline.Error{Kind: pipeline.Config, Subject: "store", Problem: "it takes no notice of conditions (If-Match, If-None-Match)",
				Effect: "two machines could overwrite each other's snapshots; nothing may be published there", Hint: "use a service, or a newer version of it, that keeps them for puts and for completed multipart uploads"}
		}
		if !errors.Is(refusal, ErrConflict) {
			return refusal
		}
	}
	if string(text) != "second" || version != second || len(objects) != 2 {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "it does not give back what was just put there",
			Expected: "second, of version " + string(second), Found: fmt.Sprintf("%s, of version %s; %d of 2 objects listed", text, version, len(objects)), Hint: "use a store that shows at once what was written"}
	}
	_, _, err = read(ctx, store, key)
	if err == nil {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "what was removed is still there", Where: key, Hint: "look at the right to remove (s3:DeleteObject)"}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
