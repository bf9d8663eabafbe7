package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

// lookAtStore opens the store, and tries in it all that a run does.
func (d *doctor) lookAtStore(names []string) {
	remote, err := openRemote(d.ctx, d.project)
	if err != nil {
		d.failed("store", err)
		return
	}
	for _, name := range names {
		if err := tryStore(d.ctx, remote, path.Join(name, "doctor", rand.Text())); err != nil {
			d.failed("store", err)
			return
		}
	}
	if d.store, err = openStore(d.ctx, d.project); err != nil {
		d.failed("store", err)
		return
	}
	for _, name := range names {
		d.lookAtLease(remote, name)
	}
	d.ok("store", "%s takes objects, gives them back, lists and removes them; conditional writes hold", strings.TrimSuffix(storeName(d.project), "/"))
}

// tryStore does with a small object what publishing does with large ones, and
// removes it again.
func tryStore(ctx context.Context, store load.Store, key string) (err error) {
	first, second := []byte("a test of tamiz doctor\n"), []byte("another one\n")
	put := func(content []byte, when load.Condition) (load.Version, error) {
		return store.Put(ctx, key, bytes.NewReader(content), when)
	}
	version, err := put(first, load.Condition{Absent: true})
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if removeErr := store.Remove(ending, key); err == nil && removeErr != nil {
			err = removeErr
		}
	}()
	if err := holds(ctx, store, key, first); err != nil {
		return err
	}
	if _, err := put(second, load.Condition{Absent: true}); !errors.Is(err, load.ErrConflict) {
		return ignores("If-None-Match", err)
	}
	if _, err := put(second, load.Condition{Match: version}); err != nil {
		return err
	}
	if _, err := put(first, load.Condition{Match: version}); !errors.Is(err, load.ErrConflict) {
		return ignores("If-Match", err)
	}
	if err := holds(ctx, store, key, second); err != nil {
		return err
	}
	objects, err := store.List(ctx, path.Dir(key)+"/")
	if err != nil {
		return err
	}
	for _, object := range objects {
		if object.Key == key {
			return nil
		}
	}
	return &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "it does not list what was put there a moment ago", Where: key,
		Effect: "runs on two machines would not see each other's records", Hint: "use a service whose lists are up to date (strongly consistent)"}
}

// holds wants an object to have a content.
func holds(ctx context.Context, store load.Store, key string, want []byte) error {
	content, _, err := store.Get(ctx, key)
	if err != nil {
		return err
	}
	defer content.Close()
	got, err := io.ReadAll(content)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if !bytes.Equal(got, want) {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "it gave back other bytes than were put there", Where: key,
			Effect: "nothing that is published there can be trusted", Hint: "use another service"}
	}
	return nil
}

// ignores tells of a store that overwrites where it was told not to; another
// error is the store's own.
func ignores(header string, err error) error {
	if err != nil {
		return err
	}
	return &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "it ignores conditions of writes (" + header + "): it overwrote what it was told to leave",
		Effect: "two machines could publish over each other, and neither would know", Hint: "use a service, or a version of it, that keeps If-Match and If-None-Match; a folder does, too"}
}

// lease is what the doctor reads of a lock in the store.
type lease struct {
	Holder    load.Holder `json:"holder"`
	ExpiresAt time.Time   `json:"expires_at"`
	Released  bool        `json:"released"`
}

// lookAtLease tells of a lock that somebody holds or has left behind.
func (d *doctor) lookAtLease(store load.Store, name string) {
	var there lease
	err := load.ReadJSON(d.ctx, store, path.Join(name, "lock.json"), &there)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && there.Released:
	case err != nil:
		d.failed("lock", err)
	case there.ExpiresAt.After(time.Now()):
		d.note("lock", "", "%s: %s on %s (process %d) is at work, or died a moment ago; its lock ends by %s", name, there.Holder.Name, there.Holder.Host, there.Holder.Process, there.ExpiresAt.Format(time.RFC3339))
	default:
		d.note("lock", "nothing: the next run takes the lock over by itself", "%s: %s on %s (process %d) died and left its lock", name, there.Holder.Name, there.Holder.Host, there.Holder.Process)
	}
}

// lookAtSources wants an address or a folder that can be used, and a file of
// each source without which there is no run.
func (d *doctor) lookAtSources(p *pipeline.Pipeline) {
	states := map[string]sourceStatus{}
	if list, err := sourceStatuses(d.project, p.Name, d.now()); err != nil {
		d.failed("sources", err)
	} else {
		for _, state := range list.([]sourceStatus) {
			states[state.Name] = state
		}
	}
	good, empty := 0, []string{}
	for i := range p.Sources {
		source := &p.Sources[i]
		if source.Log {
			continue
		}
		state, problems := states[source.Name], len(d.findings)
		files := d.lookAtInbox(source)
		d.lookAtAddress(source)
		switch {
		case source.Dead != "":
			d.note("sources", "if it lives again, take dead: out of tamiz.yml", "%s is declared dead: %s", source.Name, source.Dead)
		case state.State == sourceCarried || state.State == sourceDead || state.State == sourceLeftOut:
			d.note("sources", strings.ReplaceAll(state.Message, "\n  ", "\n"), "%s is %s: %s", source.Name, state.State, state.Problem)
		case files > 0 || len(state.Files) > 0 || source.Online():
			if problems == len(d.findings) {
				good++
			}
		case source.Required:
			d.problem("sources", "bring the file of "+source.Name+": put it into "+relative(inboxOf(source))+"/ ("+source.Path+" says what it holds, and where it comes from)", "%s (%s): there is no file of it, and no run without it", source.Name, source.Title)
		default:
			empty = append(empty, source.Name)
		}
	}
	if good > 0 {
		d.ok("sources", "%s: %s can be used", p.Name, plural(good, "source", "sources"))
	}
	if len(empty) > 0 {
		d.note("sources", "bring their files when you have them: each into inbox/SOURCE/ ("+self()+" sources "+p.Name+" tells more)", "%s: no file yet of %s; what stands on them stays unknown: %s", p.Name, plural(len(empty), "source that can be done without", "sources that can be done without"), strings.Join(empty, ", "))
	}
}

// inboxOf is the folder of a source's pattern, as far as it is no pattern.
func inboxOf(source *pipeline.Source) string {
	dir := filepath.Dir(source.Folder)
	for strings.ContainsAny(dir, "*?[") {
		dir = filepath.Dir(dir)
	}
	return dir
}

// lookAtInbox counts the files of a source's folder, and wants them readable.
func (d *doctor) lookAtInbox(source *pipeline.Source) int {
	if source.Folder == "" {
		return 0
	}
	found, err := filepath.Glob(source.Folder)
	if err != nil {
		d.problem("sources", "mend folder in "+source.Path, "%s: its folder %s is no pattern", source.Name, source.Folder)
		return 0
	}
	if _, err := os.Stat(inboxOf(source)); errors.Is(err, fs.ErrNotExist) {
		d.note("sources", "mkdir -p "+relative(inboxOf(source)), "%s: its folder is not there", source.Name)
	}
	for _, file := range found {
		content, err := os.Open(file)
		if err != nil {
			d.problem("sources", "let the account under which Tamiz runs read it: chmod a+r "+relative(file), "%s: the file %s cannot be read", source.Name, filepath.Base(file))
			continue
		}
		content.Close()
	}
	return len(found)
}

// lookAtAddress wants an address that can be asked and, with --fetch, that
// answers.
func (d *doctor) lookAtAddress(source *pipeline.Source) {
	if !source.Online() {
		return
	}
	address := source.URL
	for { // of a range such as {01..32}, the first stands for all
		before, rest, isRange := strings.Cut(address, "{")
		number, rest, whole := strings.Cut(rest, "}")
		if !isRange || !whole {
			break
		}
		number, _, _ = strings.Cut(number, "..")
		address = before + number + rest
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		d.problem("sources", "mend url in "+source.Path+", or in tamiz.yml under sources", "%s: its address %s cannot be asked", source.Name, source.URL)
		return
	}
	if !d.flags.fetch {
		return
	}
	if answer, err := answerOf(d.ctx, address, userAgent(d.project.HTTP.Contact)); err != nil {
		d.problem("sources", "look at the network and at the address; or save the file with a browser into "+relative(inboxOf(source))+"/", "%s: %s does not answer: %v", source.Name, parsed.Host, err)
	} else if answer >= http.StatusBadRequest {
		d.problem("sources", "see with a browser whether the file has moved, and mend url; or save it into "+relative(inboxOf(source))+"/", "%s: %s answers %d %s", source.Name, parsed.Host, answer, http.StatusText(answer))
	}
}

// answerOf gives the status of an address; the body is not waited for.
func answerOf(ctx context.Context, address, agent string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", agent)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var detailed *url.Error
		if errors.As(err, &detailed) {
			err = detailed.Err
		}
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

// lookAtNotices tries how the operator is told, and tells what waits to be
// sent.
func (d *doctor) lookAtNotices(names []string) {
	n := d.project.Notices
	if n.Mail == nil && n.Webhook == nil {
		d.note("notices", "write into tamiz.yml: notices: {language: es, mail: {host: smtp.example.org, user: …, password_env: TAMIZ_SMTP_PASSWORD, from: …, to: […]}}", "nobody is told when a run is held or fails")
		return
	}
	sayer, err := openWords()
	if err != nil {
		d.failed("notices", err)
		return
	}
	for i, name := range names {
		t, err := openTeller(d.project, name, nil, sayer)
		if err != nil {
			return // said with the secrets
		}
		if i == 0 {
			for _, channel := range t.channels {
				d.lookAtChannel(channel, notice.Compose(sayer, n.Language, notice.Test(notice.About{Pipeline: name, At: d.now()})))
			}
		}
		waits, err := t.outbox.Waiting(d.now())
		if err != nil {
			d.failed("notices", err)
		}
		for _, one := range waits {
			d.note("notices", "see why it was not taken: "+one.Problem+"; it is sent again by itself", "a notice of %s (%s) waits since %s, after %s", name, one.Kind, one.Since.Format("2006-01-02 15:04"), plural(one.Tries, "try", "tries"))
		}
	}
}

// prober is a channel that can be tried without sending anything.
type prober interface {
	Probe(ctx context.Context) error
}

func (d *doctor) lookAtChannel(channel notice.Channel, letter notice.Letter) {
	mend := "look at notices in tamiz.yml: the name, port and kind of TLS of the server, the account, and the password in its variable"
	if d.flags.sendTest {
		if err := channel.Send(d.ctx, letter); err != nil {
			d.problem("notices", mend, "%s: the test letter was not taken: %v", channel.Name(), err)
			return
		}
		d.ok("notices", "%s: a test letter was taken; see whether it arrives", channel.Name())
		return
	}
	probed, ok := channel.(prober)
	if !ok {
		d.note("notices", self()+" doctor --send-test", "%s: not tried; to try it is to send something", channel.Name())
		return
	}
	if err := probed.Probe(d.ctx); err != nil {
		d.problem("notices", mend, "%s: %v", channel.Name(), err)
		return
	}
	d.ok("notices", "%s: the server can be reached and takes the account", channel.Name())
}
