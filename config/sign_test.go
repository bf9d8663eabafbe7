package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/pipeline"
)

func signing(t *testing.T, text string) (*config.Project, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.ProjectFile), []byte("pipelines: [toy, other]\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	return config.LoadProject(dir, dir, nil, embedded())
}

func TestSigning(t *testing.T) {
	project, err := signing(t, "sign: {key: keys/toy.key, password_env: TOY_PASSWORD}\ntrust: [{key: RWQa, until: 2026-11-29.2}, {key: RWQb, from: 2026-12-13.1, pipeline: toy}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if project.Sign.Key != filepath.Join(project.Dir, "keys", "toy.key") || len(project.TrustOf("toy")) != 2 || len(project.TrustOf("other")) != 1 {
		t.Errorf("%+v, %+v", project.Sign, project.Trust)
	}
	password, err := project.Sign.Password(func(name string) string { return "secret of " + name })
	if err != nil || password.Reveal() != "secret of TOY_PASSWORD" || password.String() != "***" {
		t.Errorf("%v, %v", password, err)
	}
	var missing config.MissingSecret
	if _, err := project.Sign.Password(func(string) string { return "" }); pipeline.KindOf(err) != pipeline.Config || !errors.As(err, &missing) || string(missing) != "TOY_PASSWORD" {
		t.Errorf("without a value: %v", err)
	}
	for text, want := range map[string]string{
		"sign: {key: a}": "nothing says which public key",
		"sign: {password_env: A}\ntrust: [{key: a}]":                 "and no key",
		"sign: {key: a, password_env: my-secret}\ntrust: [{key: a}]": "never the password itself",
		"trust: [{from: 2026-11-29.1}]":                              "entry 1: key is missing",
		"trust: [{key: a}, {key: b, from: 2026-11-29}]":              "entry 2: \"2026-11-29\" is not a snapshot",
		"trust: [{key: a, pipeline: nobody}]":                        "no pipeline \"nobody\"",
		"trust: [{key: a, since: 2026-11-29.1}]":                     "since",
		"sign: {key: a, password: secret}\ntrust: [{key: a}]":        "password",
	} {
		if _, err := signing(t, text+"\n"); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
