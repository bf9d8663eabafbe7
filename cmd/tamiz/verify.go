package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/pipeline"
)

type verifyFlags struct {
	from string
	all  bool
	raw  bool
	keys []string
}

func newVerify(o *options) *cobra.Command {
	f := &verifyFlags{}
	command := &cobra.Command{
		Use: "verify [PIPELINE] [SNAPSHOT]", Short: "prove that a snapshot is what was published",
		Long: `Read every file of a snapshot (default: the latest) and compare it with the digest and
size that its manifest tells; the manifest with what its signature, its children and
latest.json say, and with its parent, back to the first snapshot of all. Files that are
missing or too many are named, and so is a single changed bit. The raw files that the
snapshot stands on must be in the archive; with --raw they are read, too. Signatures are
checked against trust: in tamiz.yml, or against --key.

With --from no project is needed: a folder that holds PIPELINE/latest.json, or
s3://bucket/prefix (reached with the settings of tamiz.yml if there is one, else with
those of the environment, such as AWS_ENDPOINT_URL). Nothing is written anywhere. For
somebody who does not trust this program, docs/audit/verify.sh does the same without it.
Exit codes: 0 all is as it was published; 3 something differs.`,
		Example: `  tamiz verify latest
  tamiz verify mx 2026-11-29.1 --raw
  tamiz verify mx --all
  tamiz verify 2026-11-29.1 --from /media/copy --key observatory.pub`,
		Args: args(cobra.MaximumNArgs(2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.verify(command, f, arguments)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.from, "from", "", "a folder or s3:// address that holds the store (default: the project's)")
	flags.BoolVar(&f.all, "all", false, "every snapshot of the pipeline")
	flags.BoolVar(&f.raw, "raw", false, "read the raw files of the archive as well")
	flags.StringArrayVar(&f.keys, "key", nil, "a public key or its file, which must have signed what is verified, in place of trust: (may be repeated)")
	return command
}

func (o *options) verify(command *cobra.Command, f *verifyFlags, arguments []string) error {
	ctx := command.Context()
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	name, id := "", ""
	for _, word := range arguments {
		switch {
		case word == "latest": // as without a word
		case config.IsSnapshot(word) && id == "":
			id = word
		case name == "" && id == "" && fs.ValidPath(word) && !strings.Contains(word, "/"):
			name = word
		default:
			return &usageError{fmt.Errorf("%q: want a PIPELINE such as mx and a SNAPSHOT such as 2026-11-29.1", word)}
		}
	}
	if f.all && id != "" {
		return &usageError{errors.New("--all verifies every snapshot: name none")}
	}
	project, store, err := o.openToRead(ctx, f.from)
	if err != nil {
		return err
	}
	if name, err = pipelineIn(ctx, project, store, name, f.from); err != nil {
		return err
	}
	if id == "" && !f.all { // none, again, if the pointer is damaged: then all are read
		if id, err = latestIn(ctx, store, name); err != nil {
			return err
		}
	}
	what := load.Verification{Snapshot: id, Raw: f.raw}
	if what.Trust, err = f.trust(project, name, id); err != nil {
		return err
	}
	bar := newStoreBar(command.ErrOrStderr(), "read")
	verified, err := load.Verify(ctx, store, name, what, bar.show)
	bar.clear()
	if err != nil {
		return err
	}
	shown := newVerification(name, what, verified)
	if asJSON {
		err = printJSON(command.OutOrStdout(), shown)
	} else {
		shown.tell(command.OutOrStdout())
	}
	if err == nil && !shown.Sound {
		err = errDiffers
	}
	return err
}

// openToRead opens a store, of which nothing is touched. Where no project is,
// an object store is reached as the environment says.
func (o *options) openToRead(ctx context.Context, from string) (*config.Project, load.Store, error) {
	project := &config.Project{}
	_, err := os.Stat(filepath.Join(o.project, config.ProjectFile))
	if from == "" || err == nil {
		if project, err = o.openProject(); err != nil {
			return nil, nil, err
		}
	} else if at := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")); at != "" {
		project.S3 = config.S3{Endpoint: at, PathStyle: true}
	}
	if err := mustExist(from); err != nil {
		return nil, nil, err
	}
	place := cmp.Or(from, project.Store)
	if strings.HasPrefix(place, "s3://") {
		store, _, err := openPlace(ctx, project, place)
		return project, store, err
	}
	store, err := dirstore.View(place)
	if err != nil {
		return nil, nil, &pipeline.Error{Kind: pipeline.Config, Problem: "there is no store to read", Err: err, Hint: "tamiz run makes the first snapshot; or look at the path"}
	}
	return project, store, nil
}

// pipelineIn names the pipeline that is meant: the one given, else the
// project's first or, in a store from elsewhere, the only one.
func pipelineIn(ctx context.Context, project *config.Project, store load.Store, name, from string) (string, error) {
	if from == "" {
		if name == "" {
			return project.Pipelines[0], nil
		}
		names, err := pipelines(project, []string{name})
		if err != nil {
			return "", err
		}
		return names[0], nil
	}
	if name != "" {
		return name, nil
	}
	objects, err := store.List(ctx, "")
	if err != nil {
		return "", err
	}
	var names []string
	for _, object := range objects {
		if one, rest, _ := strings.Cut(object.Key, "/"); rest == "latest.json" {
			names = append(names, one)
		}
	}
	if len(names) != 1 {
		return "", &usageError{fmt.Errorf("which pipeline? This store has %s", cmp.Or(strings.Join(names, ", "), "none"))}
	}
	return names[0], nil
}

// latestIn names the latest snapshot; none if the pointer leads nowhere, which
// is found when all are read.
func latestIn(ctx context.Context, store load.Store, name string) (string, error) {
	latest, err := load.ReadPointer(ctx, store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "nothing was published yet", Hint: "tamiz run makes a snapshot"}
	}
	if err == nil {
		_, err = load.ReadSnapshot(ctx, store, name, latest.Snapshot)
	}
	if err != nil {
		return "", nil
	}
	return latest.Snapshot, nil
}

// trust gives the keys that must have signed: those of the command line, from
// the snapshot that is meant on, else those of the project.
func (f *verifyFlags) trust(project *config.Project, name, id string) ([]load.Trusted, error) {
	if len(f.keys) == 0 {
		return trusted(project, name)
	}
	var list []load.Trusted
	for _, text := range f.keys {
		if file, err := os.ReadFile(text); err == nil {
			text = string(file)
		}
		key, err := load.ParsePublicKey(text)
		if err != nil {
			return nil, err
		}
		list = append(list, load.Trusted{Key: key, From: id})
	}
	return list, nil
}

// verification is what verify tells.
type verification struct {
	Pipeline   string                    `json:"pipeline"`
	Snapshot   string                    `json:"snapshot,omitempty"` // "": all
	Sound      bool                      `json:"sound"`
	Files      int                       `json:"files"`
	Manifests  int                       `json:"manifests"`
	Raw        int                       `json:"raw_files"`
	RawRead    bool                      `json:"raw_files_read"`
	Signatures map[string]signatureShown `json:"signatures"` // by snapshot; one that is not signed is missing
	Removed    []string                  `json:"removed,omitempty"`
	Findings   []storeFinding            `json:"findings"`
}

type signatureShown struct {
	Key     string `json:"key"`
	Trusted bool   `json:"trusted"`
}

func newVerification(name string, what load.Verification, v *load.Verified) *verification {
	shown := &verification{Pipeline: name, Snapshot: what.Snapshot, Sound: true, Files: v.Files, Manifests: v.Manifests, Raw: v.Raw, RawRead: what.Raw,
		Signatures: map[string]signatureShown{}, Removed: v.Removed, Findings: []storeFinding{}}
	for id, one := range v.Signatures {
		shown.Signatures[id] = signatureShown(one)
	}
	for _, one := range v.Findings {
		shown.Sound = shown.Sound && one.Harmless
		shown.Findings = append(shown.Findings, storeFinding{one.Key, one.Problem, one.Expected, one.Found, one.Hint, one.Harmless})
	}
	return shown
}

func (v *verification) tell(w io.Writer) {
	what := v.Pipeline + " " + v.Snapshot
	if v.Snapshot == "" {
		what = v.Pipeline + ", all snapshots"
	}
	harm := tellFindings(w, v.Findings)
	seen := fmt.Sprintf("%s read, %s back to the first", plural(v.Files, "file", "files"), plural(v.Manifests, "manifest", "manifests"))
	if harm > 0 {
		fmt.Fprintf(w, "%s: %s; %s\n", what, seen, paint(w, red, plural(harm, "thing differs", "things differ")+" from what was published"))
		return
	}
	fmt.Fprintf(w, "%s: %s; each is what it was when it was published\n", what, seen)
	fmt.Fprintf(w, "  signature  %s\n", v.signedBy())
	if v.Raw > 0 {
		how := "there in full size; --raw reads them"
		if v.RawRead {
			how = "read; each is what it was"
		}
		fmt.Fprintf(w, "  raw files  %s %s\n", count(v.Raw), how)
	}
	if len(v.Removed) > 0 {
		fmt.Fprintf(w, "  removed    %s: retention has left the manifest alone\n", strings.Join(v.Removed, ", "))
	}
}

// signedBy says who signed, in words.
func (v *verification) signedBy() string {
	name := func(s signatureShown) string {
		switch {
		case s.Key == "":
			return "not signed"
		case s.Trusted:
			return "key " + s.Key + ", which is trusted"
		}
		return "key " + s.Key + "; nothing says whether it is to be trusted (--key, or trust: in tamiz.yml)"
	}
	if v.Snapshot != "" {
		return name(v.Signatures[v.Snapshot])
	}
	by := map[string]int{}
	for _, one := range v.Signatures {
		by[name(one)]++
	}
	if unsigned := v.Manifests - len(v.Signatures); unsigned > 0 {
		by["not signed"] = unsigned
	}
	var lines []string
	for _, who := range slices.Sorted(maps.Keys(by)) {
		lines = append(lines, plural(by[who], "snapshot", "snapshots")+": "+who)
	}
	return strings.Join(lines, "\n             ")
}
