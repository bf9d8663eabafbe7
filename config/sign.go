package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"tamiz/pipeline"
)

// Sign says with which key snapshots are signed when they are published.
type Sign struct {
	Key         string `yaml:"key"`          // the file of the secret key; "": nothing is signed
	PasswordEnv string `yaml:"password_env"` // the variable that holds its password; "": it has none
}

// Password reads the password of the key from the environment. One that is
// missing is an error of kind Config that names its variable.
func (s Sign) Password(getenv func(string) string) (pipeline.Secret, error) {
	if s.PasswordEnv == "" {
		return pipeline.Secret{}, nil
	}
	value := getenv(s.PasswordEnv)
	if value == "" {
		return pipeline.Secret{}, &pipeline.Error{Kind: pipeline.Config, Subject: s.PasswordEnv, Where: ProjectFile + ", sign", Expected: "the password of " + s.Key,
			Effect: "no snapshot can be signed, so none is published", Hint: "set it where tamiz is started, such as in the environment file of its service", Err: MissingSecret(s.PasswordEnv)}
	}
	return pipeline.NewSecret(value), nil
}

// Trust is a public key and the snapshots that it may sign.
type Trust struct {
	Key      string `yaml:"key"`      // a line such as RWQ…
	From     string `yaml:"from"`     // the first snapshot; "": the first of all
	Until    string `yaml:"until"`    // the last; "": no end
	Pipeline string `yaml:"pipeline"` // "": every one of the project
}

// TrustOf lists the keys that may sign snapshots of a pipeline.
func (p *Project) TrustOf(name string) []Trust {
	return slices.DeleteFunc(slices.Clone(p.Trust), func(t Trust) bool { return t.Pipeline != "" && t.Pipeline != name })
}

var snapshotPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d\.\d+$`)

// IsSnapshot reports whether a word has the form of a snapshot's name.
func IsSnapshot(word string) bool { return snapshotPattern.MatchString(word) }

// setSigning reads sign and trust.
func (p *Project) setSigning(sign Sign, trust []Trust) (problems []error) {
	p.Sign, p.Trust = sign, trust
	problem := func(format string, arguments ...any) {
		problems = append(problems, fmt.Errorf(format, arguments...))
	}
	if sign.Key != "" && !filepath.IsAbs(sign.Key) {
		p.Sign.Key = p.inside(sign.Key)
	}
	if sign.Key == "" && sign.PasswordEnv != "" {
		problem("sign: password_env is given, and no key")
	}
	if sign.PasswordEnv != "" && !variableName.MatchString(sign.PasswordEnv) {
		problem("sign.password_env: want the name of an environment variable such as TAMIZ_KEY_PASSWORD, never the password itself")
	}
	if sign.Key != "" && len(trust) == 0 {
		problem("sign: nothing says which public key belongs to it; want trust: [{key: …}] with the line that tamiz keys show prints")
	}
	for i, t := range trust {
		if t.Key == "" {
			problem("trust, entry %d: key is missing: want a line such as RWQ…", i+1)
		}
		for _, id := range []string{t.From, t.Until} {
			if id != "" && !IsSnapshot(id) {
				problem("trust, entry %d: %q is not a snapshot such as 2026-11-29.1", i+1, id)
			}
		}
		if t.Pipeline != "" && !slices.Contains(p.Pipelines, t.Pipeline) {
			problem("trust, entry %d: this project has no pipeline %q", i+1, t.Pipeline)
		}
	}
	return problems
}
