package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"tamiz/pipeline"
)

// Channel sends letters to one receiver.
type Channel interface {
	// Name tells channels apart, in words: mail to operator@example.org.
	Name() string
	// Send returns when the receiver has taken the letter, or why it did not.
	// One that was taken may be sent again after a crash, with the same ID.
	Send(ctx context.Context, letter Letter) error
}

// Once notes in what all machines share that an event was told, and reports
// whether it was not noted before. load.Ledger fulfils it.
type Once interface {
	Once(ctx context.Context, event string, at time.Time) (bool, error)
}

// Outbox is a folder in which events are kept, a file each, until they are
// told, and for a year after. Several processes may use it at once.
//
// An event is written as a draft, then noted with [Once], then it waits. A
// draft that lies about is of a process that died or found no store. If such
// an event turns out to be noted, either this machine did so in the moment of
// its death, or another machine told it: it is told all the same, because a
// notice twice (with the same ID, by which receivers know it) does less harm
// than none.
type Outbox struct {
	dir      string
	once     Once
	sayer    Sayer
	language string
}

// OpenOutbox names the folder, and the language of the letters.
func OpenOutbox(dir string, once Once, sayer Sayer, language string) *Outbox {
	return &Outbox{dir: dir, once: once, sayer: sayer, language: language}
}

const (
	patience = 15 * time.Minute     // without a store, before an event is told unasked: it may be about the store
	giveUp   = 30 * 24 * time.Hour  // after which a letter is not tried any more
	sayUntil = 60 * 24 * time.Hour  // so long Waiting says of a letter given up
	keepFor  = 365 * 24 * time.Hour // an event that was told
)

// pauses are those after the first, second, … try that failed; the last stays.
var pauses = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}

// kept is an event's file.
type kept struct {
	Draft   bool             `json:"draft,omitempty"` // whether it is to be told is not known yet
	Settled bool             `json:"settled,omitempty"`
	Event   Event            `json:"event"`
	Posts   map[string]*post `json:"posts,omitempty"` // by channel

	path string
}

// post is what came of sending an event over a channel.
type post struct {
	Sent    *time.Time `json:"sent,omitempty"`
	GivenUp bool       `json:"given_up,omitempty"`
	Tries   int        `json:"tries,omitempty"`
	Next    time.Time  `json:"next,omitzero"`
	Problem string     `json:"problem,omitempty"`
}

func (p *post) done() bool { return p.Sent != nil || p.GivenUp }

// Raise keeps an event to be told, unless it was told before. An error means
// that it could not even be kept; that the store was out of reach is none,
// because [Outbox.Deliver] asks it again.
func (o *Outbox) Raise(ctx context.Context, event Event) error {
	unlock, err := o.lock(ctx, "drafts")
	if err != nil {
		return err
	}
	defer unlock()
	name := sha256.Sum256([]byte(event.ID))
	k := &kept{Draft: true, Event: event, path: filepath.Join(o.dir, hex.EncodeToString(name[:16])+".json")}
	if _, err := os.Stat(k.path); err == nil {
		return nil
	}
	if err := k.write(); err != nil {
		return err
	}
	first, err := o.once.Once(ctx, event.ID, event.At)
	switch {
	case err != nil:
		return nil
	case !first:
		return k.remove()
	}
	k.Draft = false
	return k.write()
}

// Deliver sends what is due over each channel, and keeps what could not be
// sent for later: 5 minutes, 15, 1 hour, then each 6 hours, for 30 days. It
// reports how many letters it sent and how many wait. Only one process
// delivers at a time; another finds nothing to do.
func (o *Outbox) Deliver(ctx context.Context, channels []Channel, now time.Time) (sent, waiting int, err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return 0, 0, &pipeline.Error{Kind: pipeline.Storage, Problem: "make the folder of notices", Err: err}
	}
	delivering := flock.New(filepath.Join(o.dir, "delivering.lock"), flock.SetPermissions(0o600))
	if mine, err := delivering.TryLock(); !mine {
		return 0, 0, err
	}
	defer delivering.Unlock()
	problems := []error{o.resolve(ctx, now)}
	events, err := o.read()
	problems = append(problems, err)
	down := map[string]bool{} // channels that failed just now
	for _, k := range events {
		if ctx.Err() != nil {
			break
		}
		if k.Draft || k.Settled {
			if age := now.Sub(k.Event.At); k.Settled && age > keepFor {
				problems = append(problems, k.remove())
			}
			continue
		}
		for _, channel := range channels {
			ok, err := o.deliver(ctx, k, channel, now, down)
			if ok {
				sent++
			}
			problems = append(problems, err)
		}
		open := 0
		for _, channel := range channels {
			if !k.Posts[channel.Name()].done() {
				open++
			}
		}
		waiting += open
		if open == 0 && len(channels) > 0 || now.Sub(k.Event.At) > giveUp {
			k.Settled = true
			problems = append(problems, k.write())
		}
	}
	return sent, waiting, errors.Join(problems...)
}

// deliver sends an event over a channel, if it is due there.
func (o *Outbox) deliver(ctx context.Context, k *kept, channel Channel, now time.Time, down map[string]bool) (bool, error) {
	name := channel.Name()
	if k.Posts == nil {
		k.Posts = map[string]*post{}
	}
	if k.Posts[name] == nil {
		k.Posts[name] = &post{}
	}
	p := k.Posts[name]
	longest := pauses[len(pauses)-1] // a clock that was turned back must not make anyone wait for longer
	if p.done() || down[name] || p.Next.After(now) && p.Next.Before(now.Add(longest+time.Second)) {
		return false, nil
	}
	err := channel.Send(ctx, Compose(o.sayer, o.language, k.Event))
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err() // this was no fault of the receiver
	}
	if err == nil {
		*p = post{Sent: &now, Tries: p.Tries + 1}
		return true, k.write()
	}
	down[name] = true
	p.Tries++
	p.Problem = shorten(clean(err.Error()), 500)
	p.Next = now.Add(pauses[min(p.Tries, len(pauses))-1])
	p.GivenUp = now.Sub(k.Event.At) > giveUp
	return false, k.write()
}

// resolve asks again about drafts that were left behind.
func (o *Outbox) resolve(ctx context.Context, now time.Time) error {
	unlock, err := o.lock(ctx, "drafts")
	if err != nil {
		return err
	}
	defer unlock()
	events, _ := o.read() // whoever delivers reads them again, and says what is wrong
	var problems []error
	for _, k := range events {
		if !k.Draft {
			continue
		}
		if _, err := o.once.Once(ctx, k.Event.ID, k.Event.At); err != nil && now.Sub(k.Event.At) < patience {
			problems = append(problems, fmt.Errorf("ask whether a notice was sent already: %w", err))
			continue
		}
		k.Draft = false
		problems = append(problems, k.write())
	}
	return errors.Join(problems...)
}

// Unsent is what has not been sent, or was given up.
type Unsent struct {
	Event   string // ID
	Kind    string
	Since   time.Time
	Channel string    // "" as long as none was tried
	Tries   int       // 0: not tried yet
	Next    time.Time // zero: at the next occasion
	Problem string    // why the last try failed
	GivenUp bool
}

// Waiting lists what is yet to be sent, and for a month what was given up, the
// oldest first.
func (o *Outbox) Waiting(now time.Time) ([]Unsent, error) {
	events, err := o.read()
	var list []Unsent
	for _, k := range events {
		unsent := Unsent{Event: k.Event.ID, Kind: k.Event.Kind, Since: k.Event.At, GivenUp: k.Settled}
		if len(k.Posts) == 0 && (!k.Settled || now.Sub(k.Event.At) < sayUntil) {
			list = append(list, unsent)
		}
		names := make([]string, 0, len(k.Posts))
		for name := range k.Posts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			p := k.Posts[name]
			if p.Sent != nil || k.Settled && now.Sub(k.Event.At) > sayUntil {
				continue
			}
			unsent.Channel, unsent.Tries, unsent.Next, unsent.Problem, unsent.GivenUp = name, p.Tries, p.Next, p.Problem, p.GivenUp || k.Settled
			list = append(list, unsent)
		}
	}
	return list, err
}

// lock keeps other processes from drafts until the function is called.
func (o *Outbox) lock(ctx context.Context, name string) (func(), error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "make the folder of notices", Err: err}
	}
	lock := flock.New(filepath.Join(o.dir, name+".lock"), flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 20*time.Millisecond); !ok {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "lock the notices", Where: o.dir, Err: err}
	}
	return func() { lock.Unlock() }, nil
}

// read gives all files that can be read, the oldest event first, and what is
// wrong with the others.
func (o *Outbox) read() ([]*kept, error) {
	entries, err := os.ReadDir(o.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "read the notices", Err: err}
	}
	var events []*kept
	var problems []error
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		k := &kept{path: filepath.Join(o.dir, entry.Name())}
		content, err := os.ReadFile(k.path)
		if err == nil {
			err = json.Unmarshal(content, k)
		}
		if err != nil {
			problems = append(problems, &pipeline.Error{Kind: pipeline.Storage, Problem: "a kept notice cannot be read", Where: k.path, Err: err,
				Effect: "it is not sent; the others are", Hint: "look at the file, then remove it"})
			continue
		}
		events = append(events, k)
	}
	slices.SortFunc(events, func(a, b *kept) int {
		if order := a.Event.At.Compare(b.Event.At); order != 0 {
			return order
		}
		return strings.Compare(a.Event.ID, b.Event.ID)
	})
	return events, errors.Join(problems...)
}

func (k *kept) write() error {
	content, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("write a notice: %w", err)
	}
	if err := pipeline.WriteFile(k.path, append(content, '\n')); err != nil {
		return err
	}
	return os.Chmod(k.path, 0o600) // its folder has let nobody else in before, either
}

func (k *kept) remove() error {
	if err := os.Remove(k.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "remove a notice", Err: err}
	}
	return nil
}
