package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"tamiz/pipeline"
)

// ProjectFile is the name of a project's own file.
const ProjectFile = "tamiz.yml"

// Project is a folder in which Tamiz works: where its files, its warehouse
// and its store are.
type Project struct {
	Dir       string // absolute
	Pipelines []string
	Synthetic bool // its sources are synthetic, and everything made of them says so
	Warehouse string
	Store     string // a folder, or s3://bucket/prefix
	S3        S3
	Retention Retention
	Keep      Housekeeping
	AsOf      time.Time // zero: yesterday in TimeZone
	TimeZone  *time.Location
	Workers   int   // steps beside each other; 0: one a core
	Memory    int64 // bytes for one step
	HTTP      HTTP
	Notices   Notices
	Sign      Sign
	Trust     []Trust

	OpenLineage OpenLineage

	files     fs.FS
	text      []byte // of tamiz.yml, for messages
	sources   map[string]map[string]projectSource
	schedules map[string]*scheduleEntry
	vars      map[string]string
	cliVars   map[string]string
	cwd       string
}

// HTTP is how publishers are asked.
type HTTP struct {
	Contact string        `yaml:"contact"` // address at which they can reach the operator; it is sent to them
	Tries   int           `yaml:"tries"`
	Wait    time.Duration `yaml:"wait"`    // first pause between tries
	Timeout time.Duration `yaml:"timeout"` // without a byte
}

// projectSource is what a project says of a source in place of its card: a
// pattern of a folder, an address, or both.
type projectSource struct {
	Folder  string   `yaml:"folder"`
	URL     string   `yaml:"url"`
	Mirrors []string `yaml:"mirrors"`
	Hosts   []string `yaml:"hosts"`
	Dead    string   `yaml:"dead"` // why the source is declared dead
}

// UnmarshalYAML accepts a bare folder or address, too.
func (s *projectSource) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		if strings.Contains(one, "://") {
			s.URL = one
		} else {
			s.Folder = one
		}
		return nil
	}
	type plain projectSource
	return unmarshal((*plain)(s))
}

type projectFile struct {
	Pipelines []string                            `yaml:"pipelines"`
	Synthetic bool                                `yaml:"synthetic"`
	Warehouse string                              `yaml:"warehouse"`
	Store     string                              `yaml:"store"`
	S3        S3                                  `yaml:"s3"`
	Retention Retention                           `yaml:"retention"`
	Keep      Housekeeping                        `yaml:"keep"`
	AsOf      string                              `yaml:"as_of"`
	TimeZone  string                              `yaml:"timezone"`
	Workers   int                                 `yaml:"workers"`
	Memory    Size                                `yaml:"memory"`
	Vars      map[string]string                   `yaml:"vars"`
	HTTP      HTTP                                `yaml:"http"`
	Notices   noticesEntry                        `yaml:"notices"`
	Sign      Sign                                `yaml:"sign"`
	Trust     []Trust                             `yaml:"trust"`
	Events    OpenLineage                         `yaml:"openlineage"`
	Sources   map[string]map[string]projectSource `yaml:"sources"`
	Schedule  map[string]*scheduleEntry           `yaml:"schedule"`
}

// defaultProject holds every default of tamiz.yml.
func defaultProject() projectFile {
	return projectFile{Warehouse: "warehouse", Store: "store", TimeZone: "UTC", Memory: 1 << 30, Keep: Housekeeping{Runs: 60, Free: 256 << 20},
		Notices: noticesEntry{Language: "en", Remind: 3}}
}

// LoadProject reads dir/tamiz.yml. Variables of the command line win over
// those of the file; a folder that begins with one of them is meant relative
// to cwd, other folders relative to dir. Pipelines come from dir/config and
// dir/sql where those exist, else from embedded.
func LoadProject(dir, cwd string, vars map[string]string, embedded fs.FS) (*Project, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the project folder: %w", err)
	}
	file := filepath.Join(dir, ProjectFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "this is no Tamiz project: there is no " + ProjectFile,
			Where: dir, Hint: "make one:           tamiz init mx DIR --sample\nor name another:    --project DIR"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	}
	content := defaultProject()
	if err := yaml.UnmarshalWithOptions(text, &content, yaml.Strict()); err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Problem: strings.TrimSpace(yaml.FormatError(err, false, true))}
	}
	p := &Project{
		Dir: dir, Pipelines: content.Pipelines, Synthetic: content.Synthetic, Workers: content.Workers,
		Memory: int64(content.Memory), HTTP: content.HTTP, sources: content.Sources, schedules: content.Schedule, text: text, vars: content.Vars, cliVars: vars, cwd: cwd, files: embedded,
	}
	p.Warehouse, p.Retention, p.Keep = p.inside(content.Warehouse), content.Retention, content.Keep
	notices, problems := content.Notices.notices()
	p.Notices = notices
	p.OpenLineage = content.Events
	problems = append(problems, content.Events.check()...)
	problems = append(problems, p.setSigning(content.Sign, content.Trust)...)
	if err := p.setStore(content.Store, content.S3); err != nil {
		problems = append(problems, err)
	}
	if content.Retention.Latest < 0 || content.Keep.Runs < 2 {
		problems = append(problems, errors.New("retention.latest must not be negative, and keep.runs must be at least 2"))
	}
	if p.TimeZone, err = time.LoadLocation(content.TimeZone); err != nil {
		problems = append(problems, fmt.Errorf("timezone: %q is unknown: want a name such as America/Mexico_City", content.TimeZone))
	}
	if content.AsOf != "" {
		if p.AsOf, err = time.Parse(pipeline.DateLayout, content.AsOf); err != nil {
			problems = append(problems, fmt.Errorf("as_of: %q is not a date such as 2026-11-29", content.AsOf))
		}
	}
	if len(p.Pipelines) == 0 {
		problems = append(problems, errors.New("pipelines is missing: want a list such as [mx]"))
	}
	if len(problems) > 0 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Err: errors.Join(problems...)}
	}
	return p, nil
}

func (p *Project) inside(folder string) string {
	if filepath.IsAbs(folder) {
		return folder
	}
	return filepath.Join(p.Dir, folder)
}

// Files gives the file system that pipeline name is read from: the project's
// own folder if it holds config/<name>, else the embedded one.
func (p *Project) Files(name string) fs.FS {
	if _, err := os.Stat(filepath.Join(p.Dir, "config", name, "pipeline.yml")); err == nil {
		return os.DirFS(p.Dir)
	}
	return p.files
}

// Pipeline reads pipeline name and puts the project's own source folders into
// its cards, all as absolute patterns.
func (p *Project) Pipeline(name string) (*pipeline.Pipeline, error) {
	definition, err := Load(p.Files(name), name)
	if err != nil {
		return nil, err
	}
	var problems []error
	known := map[string]bool{}
	for i := range definition.Sources {
		source := &definition.Sources[i]
		known[source.Name] = true
		if _, given := p.sources[name][source.Name]; given && source.Log {
			problems = append(problems, &pipeline.Error{Kind: pipeline.Config, Subject: source.Name, Where: filepath.Join(p.Dir, ProjectFile),
				Problem: "it is a log, which lies in the store and has no other place", Hint: "take it out of sources"})
		}
		if source.Log {
			continue
		}
		p.sources[name][source.Name].apply(source)
		if source.Folder, err = p.expand(source.Folder); err != nil {
			problems = append(problems, &pipeline.Error{Kind: pipeline.Config, Subject: source.Name, Where: source.Path, Err: err})
		}
	}
	if err := p.schedule(definition); err != nil {
		problems = append(problems, err)
	}
	for source := range p.sources[name] {
		if !known[source] {
			problems = append(problems, &pipeline.Error{Kind: pipeline.Config, Where: filepath.Join(p.Dir, ProjectFile),
				Problem: fmt.Sprintf("sources.%s.%s: pipeline %s has no such source", name, source, name)})
		}
	}
	return definition, errors.Join(problems...)
}

// apply puts what the project says into a card.
func (s projectSource) apply(source *pipeline.Source) {
	if s.Folder != "" {
		source.Folder = s.Folder
	}
	if s.URL != "" {
		source.URL, source.Mirrors, source.Hosts = s.URL, s.Mirrors, s.Hosts
	}
	source.Dead = s.Dead
}

// expand puts variables such as {data} into a folder pattern.
func (p *Project) expand(pattern string) (string, error) {
	base := p.Dir
	expanded := pattern
	for start := strings.Index(expanded, "{"); start >= 0; start = strings.Index(expanded, "{") {
		end := strings.Index(expanded[start:], "}")
		if end < 0 {
			return "", fmt.Errorf("folder %q: a { without }", pattern)
		}
		name := expanded[start+1 : start+end]
		value, ok := p.cliVars[name]
		if ok && start == 0 {
			base = p.cwd
		}
		if !ok {
			value, ok = p.vars[name]
		}
		if !ok {
			return "", fmt.Errorf("folder %q: variable %s has no value; give --var %s=… or set it under vars in %s", pattern, name, name, ProjectFile)
		}
		if strings.Contains(value, "{") {
			return "", fmt.Errorf("variable %s: its value %q may not hold {", name, value)
		}
		expanded = expanded[:start] + value + expanded[start+end+1:]
	}
	if !filepath.IsAbs(expanded) {
		expanded = filepath.Join(base, expanded)
	}
	return expanded, nil
}

// Mount joins file systems under one root, each in the folder of its name.
type Mount map[string]fs.FS

// Open opens folder/rest in the file system that is mounted at folder.
func (m Mount) Open(name string) (fs.File, error) {
	folder, rest, _ := strings.Cut(name, "/")
	mounted, ok := m[folder]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return mounted.Open(path.Join(".", rest))
}
