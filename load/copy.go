package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"tamiz/pipeline"
)

// Copied says what a copy of a store did.
type Copied struct {
	Objects int   // written
	Bytes   int64 // of them
	Same    int   // were there already
	Mended  []string
	Damaged []string // in the source: not copied, and no snapshot that needs them
}

// CopyAll copies everything of a store into another, in whatever form the two
// keep it: for a backup, to restore one, to move. A reader of the target sees
// a whole snapshot at any time: what never changes goes first, then logs in
// their order and manifests, then the pointers as they were at the beginning.
// Locks are not copied. What is there with the same content is left; what is
// there and provably damaged is mended; nothing else is overwritten but the
// pointers. A copy that was broken off goes on when it is started again. It
// calls progress, if there is one, after each object.
//
// A target that has published on its own, or that holds other records, is
// refused (kind Config). If something in the source is damaged, all the rest
// is copied, and the error (kind Storage) names it.
func CopyAll(ctx context.Context, from, to Store, progress func(done, total int)) (Copied, error) {
	c := &copier{from: from, to: to, wanted: map[string]pipeline.Digest{}, there: map[string]bool{}, broken: map[string]bool{}}
	if err := c.survey(ctx); err != nil {
		return Copied{}, err
	}
	total, done := len(c.free)+len(c.ordered)+len(c.pointers), 0
	step := func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if done++; progress != nil {
			progress(done, total)
		}
	}
	var jobs []func() error
	for _, key := range c.free {
		jobs = append(jobs, func() error { defer step(); return c.copy(ctx, key) })
	}
	if err := together(jobs); err != nil {
		return c.report, err
	}
	for _, key := range c.ordered {
		if !c.broken[snapshotFolderOf(key)] {
			if err := c.copy(ctx, key); err != nil {
				return c.report, err
			}
		}
		step()
	}
	for _, pointer := range c.pointers {
		if err := c.point(ctx, pointer); err != nil {
			return c.report, err
		}
		step()
	}
	slices.Sort(c.report.Mended)
	if slices.Sort(c.report.Damaged); len(c.report.Damaged) > 0 {
		return c.report, &pipeline.Error{Kind: pipeline.Storage, Subject: c.report.Damaged[0], Problem: fmt.Sprintf("%d objects of the source are damaged and were not copied", len(c.report.Damaged)),
			Found: strings.Join(c.report.Damaged, "\n"), Effect: "snapshots that need them are not in the copy; all the rest is", Hint: "tamiz store check"}
	}
	return c.report, nil
}

// pointer is an object that changes, as it was when the copy began.
type pointer struct {
	key  string
	text []byte
	when Condition // the target is still as it was
}

// turn says which pointers are turned first: latest.json is the last.
func (p pointer) turn() int {
	if path.Base(p.key) == latestFile {
		return 1
	}
	return 0
}

type copier struct {
	from, to Store
	free     []string // never change, in any order
	ordered  []string // never change, each only after those before it
	pointers []pointer
	wanted   map[string]pipeline.Digest
	there    map[string]bool // in the target

	mutex  sync.Mutex
	report Copied
	broken map[string]bool // folders of snapshots that cannot be copied whole
}

// survey reads the pointers first and only then what is there, so that all
// that they point to is among it.
func (c *copier) survey(ctx context.Context) error {
	objects, err := c.from.List(ctx, "")
	if err != nil {
		return err
	}
	pipelines := map[string]bool{}
	for _, object := range objects {
		name, rest, _ := strings.Cut(object.Key, "/")
		pipelines[name] = true
		if isPointer(rest) {
			if err := c.keep(ctx, object.Key); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(c.pointers, func(a, b pointer) int { return a.turn() - b.turn() })
	for name := range pipelines {
		if err := c.follows(ctx, name); err != nil {
			return err
		}
	}
	if objects, err = c.from.List(ctx, ""); err != nil {
		return err
	}
	target, err := c.to.List(ctx, "")
	if err != nil {
		return err
	}
	for _, object := range target {
		c.there[object.Key] = true
	}
	return c.sort(ctx, objects)
}

// isPointer: what lies at a pipeline's top changes, but for folders.
func isPointer(rest string) bool { return !strings.Contains(rest, "/") && rest != lockFile }

// keep notes a pointer as it is now.
func (c *copier) keep(ctx context.Context, key string) error {
	text, _, err := read(ctx, c.from, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, version, err := read(ctx, c.to, key)
	when := Condition{Match: version}
	if errors.Is(err, fs.ErrNotExist) {
		when, err = Condition{Absent: true}, nil
	} else if errors.Is(err, ErrDamaged) {
		when, err = Condition{}, nil
	}
	c.pointers = append(c.pointers, pointer{key: key, text: text, when: when})
	return err
}

// follows refuses a target whose latest snapshot the source does not know.
func (c *copier) follows(ctx context.Context, name string) error {
	text, _, err := read(ctx, c.to, path.Join(name, latestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var latest Latest
	if err == nil {
		err = json.Unmarshal(text, &latest)
	}
	if err != nil {
		return fmt.Errorf("read %s/latest.json of the target: %w", name, err)
	}
	for _, key := range []string{manifestKey(name, latest.Snapshot), removedKey(name, latest.Snapshot)} {
		if err := compare(ctx, c.from, key, latest.Manifest); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errTaken) {
			return err
		}
	}
	return &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "the target has a snapshot of its own: " + latest.Snapshot,
		Effect: "nothing was copied", Hint: "copy into an empty store, or the other way round"}
}

// sort divides what never changes.
func (c *copier) sort(ctx context.Context, objects []Object) error {
	keys, whole := map[string][]string{}, map[string]bool{}
	for _, object := range objects {
		name, _, _ := strings.Cut(object.Key, "/")
		keys[name] = append(keys[name], object.Key)
		if path.Base(object.Key) == manifestFile {
			whole[path.Dir(object.Key)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		wanted, err := expected(ctx, c.from, name, keys[name])
		if err != nil {
			return err
		}
		maps.Copy(c.wanted, wanted)
		for _, key := range keys[name] {
			rest := strings.TrimPrefix(key, name+"/")
			folder, _, _ := strings.Cut(rest, "/")
			id := snapshotOf(name, key)
			switch {
			case !strings.Contains(rest, "/"): // a pointer, or the lock
			case id != "" && !whole[path.Join(name, snapshotsFolder, id)]: // was never published
			case isLog(folder), id != "" && path.Base(key) == manifestFile:
				c.ordered = append(c.ordered, key)
			default:
				c.free = append(c.free, key)
			}
		}
	}
	return nil
}

// copy copies an object that never changes.
func (c *copier) copy(ctx context.Context, key string) error {
	want := c.wanted[key]
	if c.there[key] {
		same, err := c.compare(ctx, key, want)
		if err != nil || same {
			return err
		}
	}
	content, _, err := c.from.Get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // was removed since, its manifest before it
	}
	if err != nil {
		return err
	}
	defer content.Close()
	sound := &soundReader{content: content, want: want, hash: sha256.New()}
	when := Condition{Absent: !c.there[key]} // what is there was found to be damaged
	_, err = c.to.Put(ctx, key, sound, when)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case errors.Is(err, ErrDamaged):
		c.report.Damaged = append(c.report.Damaged, key)
		if folder := snapshotFolderOf(key); folder != "" {
			c.broken[folder] = true
		}
		return nil
	case errors.Is(err, ErrConflict):
		return c.differs(key)
	case err != nil:
		return err
	}
	if c.there[key] {
		c.report.Mended = append(c.report.Mended, key)
	}
	c.report.Objects++
	c.report.Bytes += sound.bytes
	return nil
}

// compare reports whether the target has the object already. It gives false
// only if what it has is damaged, and may be overwritten.
func (c *copier) compare(ctx context.Context, key string, want pipeline.Digest) (bool, error) {
	found, err := digestIn(ctx, c.to, key)
	isDamaged := errors.Is(err, ErrDamaged)
	if err != nil && !isDamaged {
		return false, err
	}
	if isDamaged || want != "" && found != want {
		return false, nil
	}
	if want == "" {
		source, err := digestIn(ctx, c.from, key)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return false, err
		}
		if err == nil && source != found {
			return false, c.differs(key)
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.report.Same++
	return true, nil
}

func (c *copier) differs(key string) error {
	return &pipeline.Error{Kind: pipeline.Config, Subject: key, Problem: "the two stores hold different things under this name, and neither can be told to be damaged",
		Effect: "the copy stopped; what the target shows its readers is unchanged", Hint: "copy into an empty store"}
}

// snapshotFolderOf gives <pipeline>/snapshots/<id> of any key below it, "" of
// other keys.
func snapshotFolderOf(key string) string {
	name, _, _ := strings.Cut(key, "/")
	if id := snapshotOf(name, key); id != "" {
		return path.Join(name, snapshotsFolder, id)
	}
	return ""
}

// point turns a pointer of the target.
func (c *copier) point(ctx context.Context, p pointer) error {
	if path.Base(p.key) == latestFile {
		var latest Latest
		if err := json.Unmarshal(p.text, &latest); err != nil {
			return fmt.Errorf("read %s: %w", p.key, err)
		}
		if c.broken[path.Join(path.Dir(p.key), snapshotsFolder, latest.Snapshot)] {
			return nil
		}
	}
	there, _, err := read(ctx, c.to, p.key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrDamaged) {
		return err
	}
	if err == nil && bytes.Equal(there, p.text) {
		c.report.Same++
		return nil
	}
	if _, err := c.to.Put(ctx, p.key, bytes.NewReader(p.text), p.when); err != nil {
		return fmt.Errorf("turn %s of the copy: %w", p.key, err)
	}
	c.report.Objects++
	c.report.Bytes += int64(len(p.text))
	return nil
}

// soundReader ends in ErrDamaged if the content is not what its digest says,
// so that whoever puts it keeps nothing.
type soundReader struct {
	content io.Reader
	want    pipeline.Digest // "": unknown
	hash    hash.Hash
	bytes   int64
}

func (r *soundReader) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	r.hash.Write(p[:n])
	r.bytes += int64(n)
	if err == io.EOF && r.want != "" && hex.EncodeToString(r.hash.Sum(nil)) != string(r.want) {
		return n, ErrDamaged
	}
	return n, err
}
