package main

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tamiz/internal/s3server"
	"tamiz/pipeline"
)

// slot is a fortnight of the simulated year, and when it falls due.
type slot struct {
	period string // its last date
	due    time.Time
}

// world is all that a project lives in: publishers at a real HTTP server, a
// real S3 server behind a proxy, a real mail server, and a clock that only the
// test moves. Its year is that of the sample's last figures.
type world struct {
	t        *testing.T
	name     string // also of the store's prefix
	p        *publisher
	server   *s3server.Server
	proxy    *s3server.Proxy
	gate     *gate
	mail     *mailServer
	project  string
	series   []byte // deaths_ssa as it will stand at the end
	silent   bool   // the series of deaths_ssa has not begun yet
	gone     bool   // the register cannot be had
	busy     bool   // another source has a new version in every fortnight
	asleep   bool   // nobody watches the clock
	schedule string // a line of tamiz.yml in place of the rule of config/mx
	slots    []slot
	rows     []faultRow
	audit    *audit
	acts     int // of people
}

const (
	passwordVariable = "TAMIZ_TEST_MAIL_PASSWORD"
	yearZone         = "America/Mexico_City"
	patience         = "stale_weeks: 30}" // of the year's method
)

// newWorld makes a project that has never run.
func newWorld(t *testing.T, server *s3server.Server, name string) *world {
	t.Helper()
	w := &world{t: t, name: name, server: server, proxy: server.Proxy(t), mail: startMail(t), project: filepath.Join(t.TempDir(), "project"), slots: yearSlots(t)}
	w.gate = newGate(t, w.proxy.Endpoint)
	tamiz(t, "init", "mx", w.project, "--sample", "--schools", "500")
	w.p = publish(t, w.project)
	w.series = evenDeaths(t, filepath.Join(w.project, "sample", "deaths_inegi"))
	w.replace("config/mx/method.yml", "stale_weeks: 8}", patience) // deaths that are carried for long, or three weeks that make a fortnight, would move the profiles
	w.configure("")
	w.audit = newAudit(w)
	return w
}

// yearSlots are the 26 fortnights that end with the sample's figures. The
// rule is that of config/mx: on the second day after the period's last, at 6.
func yearSlots(t *testing.T) []slot {
	t.Helper()
	date := func(text string) time.Time {
		day, err := time.Parse(pipeline.DateLayout, text)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	ends, err := pipeline.Calendar{ISOFortnight: true}.Ends(date("2020-08-24"), date("2021-08-29"))
	if err != nil || len(ends) != 26 {
		t.Fatalf("%d fortnights, %v", len(ends), err)
	}
	var slots []slot
	for _, end := range ends {
		slots = append(slots, slot{end.Format(pipeline.DateLayout), localTime(t, end.AddDate(0, 0, 2).Format(pipeline.DateLayout)+" 06:00")})
	}
	return slots
}

// localTime reads a time of the year's zone, such as 2021-04-04 06:00.
func localTime(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(yearZone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// evenDeaths is a series of deaths by day and state without an epidemic: three
// groups of states far apart, so that no state changes its class by chance and
// the question whether a movement is real comes only where the script wants it.
func evenDeaths(t *testing.T, folder string) []byte {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(paths) != 1 {
		t.Fatalf("files in %s: %v", folder, paths)
	}
	file, err := os.Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma = '\t'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type sum struct{ deaths, days int }
	sums := map[string]sum{} // by state and day of the year
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		s := sums[row[1]+row[0][4:]]
		sums[row[1]+row[0][4:]] = sum{s.deaths + n, s.days + 1}
	}
	var b strings.Builder
	b.WriteString("fecha,CVE_ENT,def_registradas\n")
	for day := time.Date(2019, 12, 29, 0, 0, 0, 0, time.UTC); day.Year() < 2022; day = day.AddDate(0, 0, 1) {
		for state := 1; state <= 32; state++ {
			var around sum
			for offset := -7; offset <= 7; offset++ {
				s := sums[fmt.Sprintf("%02d%s", state, day.AddDate(0, 0, offset).Format("-01-02"))]
				around.deaths, around.days = around.deaths+s.deaths, around.days+s.days
			}
			level := map[bool]float64{true: 0.95, false: 1.6}[state <= 11]
			if state > 11 && state <= 21 {
				level = 1.25
			}
			n := int(level*float64(around.deaths)/float64(around.days) + 0.5)
			if day.Year() == 2019 && day.Day() == 29 && state == 1 {
				n = 0 // [fresh] puts a digit behind it, which must not look like many deaths registered late
			}
			fmt.Fprintf(&b, "%s,%02d,%d\n", day.Format(pipeline.DateLayout), state, n)
		}
	}
	return []byte(b.String())
}

// until cuts the series where a fortnight ends.
func (w *world) until(period string) []byte {
	return edit(w.series, func(rows [][]string) [][]string {
		kept := rows[:1]
		for _, row := range rows[1:] {
			if row[0] <= period {
				kept = append(kept, row)
			}
		}
		return kept
	})
}

// configure writes tamiz.yml, as it stands when nothing is wrong, but for what
// one source's card says more.
func (w *world) configure(more string) {
	w.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "pipelines: [mx]\nwarehouse: warehouse\nstore: s3://%s/%s\ns3: {endpoint: %q, region: us-east-1, path_style: true}\ntimezone: %s\nsynthetic: true\n",
		w.server.Bucket, w.name, w.gate.Endpoint, yearZone)
	fmt.Fprintf(&b, "memory: 1400MiB\nhttp: {tries: 3, wait: 1ms, timeout: 2s}\nnotices:\n  mail: {host: 127.0.0.1, port: %d, tls: none, user: tamiz, password_env: %s, from: tamiz@example.org, to: [operator@example.org]}\n",
		w.mail.port, passwordVariable)
	b.WriteString(w.schedule + "sources:\n  mx:\n")
	folders, _ := filepath.Glob(filepath.Join(w.project, "sample", "*"))
	for _, folder := range folders {
		source := filepath.Base(folder)
		if source == "truth" || source == "deaths_ssa" && w.silent {
			continue
		}
		fmt.Fprintf(&b, "    %s: sample/%s/*\n", source, source)
	}
	w.write("tamiz.yml", []byte(b.String()))
	w.p.connect(w.t, w.project, "world", more)
}

// write writes a file of the project.
func (w *world) write(file string, content []byte) {
	w.t.Helper()
	path := filepath.Join(w.project, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// replace changes a text of a file of the project, and gives the file as it was.
func (w *world) replace(file, from, to string) (before []byte) {
	w.t.Helper()
	before, err := os.ReadFile(filepath.Join(w.project, file))
	if err != nil {
		w.t.Fatal(err)
	}
	if bytes.Count(before, []byte(from)) != 1 {
		w.t.Fatalf("%q stands %d times in %s", from, bytes.Count(before, []byte(from)), file)
	}
	w.write(file, bytes.Replace(before, []byte(from), []byte(to), 1))
	return before
}

// begin has the publishers serve what they have by the end of a fortnight, and
// nothing wrong with it.
func (w *world) begin(s slot) {
	w.t.Helper()
	w.p.mu.Lock()
	w.p.handlers = map[string]http.HandlerFunc{}
	w.p.files["deaths_ssa.csv"] = w.until(s.period)
	if w.busy { // a school has one more classroom: else, with all that is new carried, nothing would be new
		w.p.files["buildings.csv"] = edit(w.p.files["buildings.csv"], func(rows [][]string) [][]string {
			rows[2][columnOf(rows, "AULAS")] = strconv.Itoa(8 + slices.Index(w.slots, s))
			return rows
		})
	}
	w.p.mu.Unlock()
	if w.gone {
		goneFault(w.p).strike("/world/")
	}
	w.configure("")
}

// outcome is what came of a process.
type outcome struct {
	runs           []scheduled // of the daemon
	code           int
	stdout, stderr string
	record         *pipeline.RunRecord // of the last run that it began; nil if it began none
}

// start runs tamiz in the project, whatever comes of it. Environment lines win
// over the test's own; one that ends with = takes a variable away.
func (w *world) start(wrap, environment []string, arguments ...string) outcome {
	w.t.Helper()
	return w.finish(w.prepare(wrap, environment, arguments...))
}

func (w *world) prepare(wrap, environment []string, arguments ...string) *exec.Cmd {
	c := command(append(arguments, "--project", w.project)...)
	if len(wrap) > 0 {
		c.Path, c.Args = wrap[0], append(append([]string{}, wrap...), c.Args...)
	}
	c.Env = append(append(c.Env, passwordVariable+"="+w.mail.password), environment...)
	return c
}

func (w *world) finish(c *exec.Cmd) outcome {
	w.t.Helper()
	before := w.lastRun()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	began := time.Now()
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	out := outcome{code: c.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if c.Args[1] == "schedule" || slices.Contains(c.Args, "schedule") {
		if err := json.Unmarshal(stdout.Bytes(), &out.runs); err != nil && c.ProcessState.Exited() {
			w.t.Errorf("what the daemon says: %v\n%s%s", err, out.stdout, out.stderr)
		}
	}
	if last := w.lastRun(); last != before {
		out.record = lastRecord(w.t, w.project)
	}
	w.t.Logf("%s: exit %d, %.1f s%s", strings.Join(c.Args[1:min(len(c.Args), 9)], " "), out.code, time.Since(began).Seconds(), out.brief())
	w.audit.said(out)
	return out
}

// brief is an outcome in a line of the test's log.
func (o outcome) brief() string {
	text := ""
	for _, run := range o.runs {
		text += fmt.Sprintf("; %s exit %d: %s %s", run.Period, run.Code, run.Verdict, run.Snapshot)
	}
	if o.record != nil {
		text += fmt.Sprintf("; run: %s %s %s", o.record.Verdict, o.record.Snapshot, o.record.Reason)
	}
	return text
}

// lastRun names the last run that has a record.
func (w *world) lastRun() string {
	paths, _ := filepath.Glob(filepath.Join(w.project, "warehouse", "mx", "runs", "*", pipeline.RunRecordFile))
	if len(paths) == 0 {
		return ""
	}
	return filepath.Base(filepath.Dir(paths[len(paths)-1]))
}

// runArguments are those with which the daemon starts the run of a slot.
func runArguments(s slot, at time.Time) []string {
	return []string{"run", "mx", "--as-of", s.period, "--due", s.due.Format(time.RFC3339), "--at", at.Format(time.RFC3339)}
}

// tick is the daemon's look at its clock at a moment, as a process that ends
// after it; then everything that must always be true is looked at.
func (w *world) tick(at time.Time, wrap, environment []string) outcome {
	w.t.Helper()
	out := w.start(wrap, environment, tickArguments(at)...)
	w.audit.look()
	return out
}

func tickArguments(at time.Time) []string {
	return []string{"schedule", "--once", "-o", "json", "--at", at.Format(time.RFC3339)}
}

// decide takes the decision that a held run asks for; without one that asks it
// is a mistake of the script.
func (w *world) decide(verb string, held *pipeline.RunRecord, reason string, at time.Time) outcome {
	w.t.Helper()
	if held == nil || held.Verdict != pipeline.Held {
		w.t.Fatalf("%s without being asked", verb)
	}
	w.acts++
	out := w.start(nil, nil, verb, held.ID, "--reason", reason, "--at", at.Format(time.RFC3339))
	w.audit.look()
	return out
}

// gate stands before the store's proxy and lets a test act at a certain call.
type gate struct {
	Endpoint string
	forward  http.Handler

	mu    sync.Mutex
	waits []*hook
}

// hook acts once, before the first call that it matches is passed on or after
// it was answered.
type hook struct {
	match         func(method, path string) bool
	before, after func()
	drops         bool // the call is not passed on
}

func newGate(t *testing.T, endpoint string) *gate {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{forward: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}, ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}}
	server := httptest.NewServer(g)
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	g.Endpoint = server.URL
	return g
}

func (g *gate) at(one *hook) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = append(g.waits, one)
}

// ServeHTTP passes a call on.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var mine *hook
	g.mu.Lock()
	for i, one := range g.waits {
		if one.match(r.Method, r.URL.Path) {
			mine, g.waits = one, append(g.waits[:i:i], g.waits[i+1:]...)
			break
		}
	}
	g.mu.Unlock()
	if mine != nil && mine.before != nil {
		mine.before()
	}
	if mine != nil && mine.drops {
		panic(http.ErrAbortHandler)
	}
	if mine == nil || mine.after == nil {
		g.forward.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	g.forward.ServeHTTP(answer, r)
	mine.after()
	panic(http.ErrAbortHandler) // whoever asked is not there any more
}

// upload matches the first upload of a key that holds a text.
func upload(text string) func(method, path string) bool {
	return func(method, path string) bool { return method == http.MethodPut && strings.Contains(path, text) }
}

// mailServer is a real mail server that wants a password, and keeps what it
// takes.
type mailServer struct {
	password string
	port     int
	mu       sync.Mutex
	letters  []string
	server   *smtp.Server
	listener net.Listener
}

func startMail(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{password: rand.Text()}
	m.up(t)
	t.Cleanup(m.down)
	return m
}

func (m *mailServer) up(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port)))
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(m)
	server.Domain, server.AllowInsecureAuth = "mail.example.org", true
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	m.port, m.listener, m.server = listener.Addr().(*net.TCPAddr).Port, listener, server
	go server.Serve(listener)
}

func (m *mailServer) down() {
	m.listener.Close() // the server knows it only once it serves
	m.server.Close()
}

// taken are the letters that came so far.
func (m *mailServer) taken() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.letters...)
}

// NewSession begins a talk.
func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{mail: m}, nil }

type mailSession struct {
	mail  *mailServer
	known bool
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, password string) error {
		if s.known = password == s.mail.password; !s.known {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	s.mail.letters = append(s.mail.letters, string(text))
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
