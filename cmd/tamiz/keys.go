package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

func newKeys(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "keys", Short: "keys that sign what is published",
		Example: "  tamiz keys new /etc/tamiz/observatory\n  tamiz keys show",
		Args:    args(cobra.NoArgs),
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newKeysNew(o), newKeysShow(o))
	return command
}

// The endings of the two files of a pair.
const (
	secretEnding = ".key"
	publicEnding = ".pub"
)

func newKeysNew(o *options) *cobra.Command {
	passwordEnv := ""
	command := &cobra.Command{
		Use: "new NAME", Short: "make a pair of keys: NAME.key, which stays secret, and NAME.pub",
		Long: `Make a pair of Ed25519 keys in the form of minisign, which reads them, too. NAME.key may
be read by its owner alone; nothing is ever overwritten. Without a password whoever can
read the file can sign: that is right for a machine that signs by itself, as long as the
file lies outside the project, the store and their backups. With --password-env the key
is encrypted with the password in that variable; each use then takes seconds and 1 GB of
memory. What to do with the two, and when one is lost or stolen: docs/audit/keys.md.`,
		Example: `  tamiz keys new /etc/tamiz/observatory
  tamiz keys new /etc/tamiz/observatory --password-env TAMIZ_KEY_PASSWORD`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			password, err := config.Sign{Key: arguments[0] + secretEnding, PasswordEnv: passwordEnv}.Password(os.Getenv)
			if err != nil {
				return err
			}
			pair, err := writeKeys(arguments[0], password)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), pair)
			}
			w := command.OutOrStdout()
			fmt.Fprintf(w, "wrote %s (secret: keep it to yourself) and %s (to be published)\n\nkey %s\n%s\n\nIn tamiz.yml:\n", pair.Secret, pair.File, pair.ID, pair.Key)
			secret, err := filepath.Abs(pair.Secret)
			if err != nil {
				return fmt.Errorf("find the folder: %w", err)
			}
			env := ""
			if passwordEnv != "" {
				env = ", password_env: " + passwordEnv
			}
			fmt.Fprintf(w, "  sign: {key: %s%s}\n  trust:\n    - {key: %s}\n", secret, env, pair.Key)
			return nil
		},
	}
	command.Flags().StringVar(&passwordEnv, "password-env", "", "the variable that holds the password of the secret key (default: it has none)")
	return command
}

// keyShown is what people may know of a key.
type keyShown struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	File   string `json:"file,omitempty"`
	Secret string `json:"secret_file,omitempty"`
	From   string `json:"from,omitempty"`
	Until  string `json:"until,omitempty"`
	Signs  bool   `json:"signs,omitempty"` // this project signs with it
}

func writeKeys(name string, password pipeline.Secret) (keyShown, error) {
	shown := keyShown{File: name + publicEnding, Secret: name + secretEnding}
	for _, file := range []string{shown.Secret, shown.File} {
		if _, err := os.Lstat(file); err == nil {
			return shown, keyExists(file)
		}
	}
	key, err := load.NewKey()
	if err != nil {
		return shown, err
	}
	text, err := key.Text(password)
	if err != nil {
		return shown, err
	}
	shown.ID, shown.Key = key.Public().ID(), key.Public().String()
	if err := writeNew(shown.Secret, text, 0o600); err != nil {
		return shown, err
	}
	return shown, writeNew(shown.File, key.Public().Text(), 0o644)
}

func keyExists(file string) error {
	return &pipeline.Error{Kind: pipeline.Config, Problem: "there is such a file already; a key is never overwritten", Where: file, Hint: "name another, or put the old one away first"}
}

// writeNew writes a file that must not be there yet.
func writeNew(file string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return keyExists(file)
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write a key", Err: err}
	}
	return nil
}

func newKeysShow(o *options) *cobra.Command {
	passwordEnv := ""
	command := &cobra.Command{
		Use: "show [FILE]", Short: "the public half of a key; without FILE: those of this project",
		Long: `Print the public key of FILE (a public or a secret one), or of every key that tamiz.yml
trusts, with the snapshots that it may sign. Nothing secret is ever printed.`,
		Example: "  tamiz keys show\n  tamiz keys show /etc/tamiz/observatory.pub",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			shown := []keyShown{}
			if len(arguments) == 1 {
				var public load.PublicKey
				if public, err = publicKeyOf(config.Sign{Key: arguments[0], PasswordEnv: passwordEnv}); err == nil {
					shown = append(shown, keyShown{ID: public.ID(), Key: public.String(), File: arguments[0]})
				}
			} else {
				shown, err = o.projectKeys()
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), shown)
			}
			if len(shown) == 0 {
				fmt.Fprintln(command.OutOrStdout(), "this project has no keys: its snapshots are not signed (tamiz keys new makes a pair)")
			}
			for _, one := range shown {
				fmt.Fprintf(command.OutOrStdout(), "%s\n  key %s%s\n", one.Key, one.ID, one.when())
			}
			return nil
		},
	}
	command.Flags().StringVar(&passwordEnv, "password-env", "", "the variable that holds the password of a secret key")
	return command
}

func (k keyShown) when() string {
	text := ""
	if k.From != "" {
		text += ", from " + k.From
	}
	if k.Until != "" {
		text += ", until " + k.Until
	}
	if k.Signs {
		text += "; it signs what this project publishes"
	}
	return text
}

// publicKeyOf reads the public half of either file.
func publicKeyOf(sign config.Sign) (load.PublicKey, error) {
	text, err := os.ReadFile(sign.Key)
	if err != nil {
		return load.PublicKey{}, &pipeline.Error{Kind: pipeline.Config, Problem: "the key cannot be read", Err: err}
	}
	if public, err := load.ParsePublicKey(string(text)); err == nil {
		return public, nil
	}
	key, err := readSecretKey(sign)
	if err != nil {
		return load.PublicKey{}, err
	}
	return key.Public(), nil
}

func (o *options) projectKeys() ([]keyShown, error) {
	project, err := o.openProject()
	if err != nil {
		return nil, err
	}
	key, err := signingKey(project)
	if err != nil {
		return nil, err
	}
	shown := []keyShown{}
	for _, t := range project.Trust {
		public, err := load.ParsePublicKey(t.Key)
		if err != nil {
			return nil, err
		}
		shown = append(shown, keyShown{ID: public.ID(), Key: public.String(), From: t.From, Until: t.Until, Signs: key != nil && key.Public().String() == public.String()})
	}
	return shown, nil
}

// signingKey reads the key with which a project signs; nil if it does not.
func signingKey(project *config.Project) (*load.Key, error) {
	if project.Sign.Key == "" {
		return nil, nil
	}
	return readSecretKey(project.Sign)
}

func readSecretKey(sign config.Sign) (*load.Key, error) {
	wrong := &pipeline.Error{Kind: pipeline.Config, Subject: "the secret key", Where: sign.Key, Effect: "no snapshot can be signed, so none is published"}
	info, err := os.Stat(sign.Key)
	if err != nil {
		wrong.Problem, wrong.Err, wrong.Hint = "it cannot be read", err, "look at sign: in tamiz.yml; a lost key: docs/audit/keys.md"
		return nil, wrong
	}
	if info.Mode().Perm()&0o007 != 0 {
		wrong.Problem, wrong.Found, wrong.Hint = "everybody on this machine can read it", info.Mode().Perm().String(), "chmod 600 "+sign.Key
		return nil, wrong
	}
	text, err := os.ReadFile(sign.Key)
	if err != nil {
		wrong.Problem, wrong.Err = "it cannot be read", err
		return nil, wrong
	}
	password, err := sign.Password(os.Getenv)
	if err != nil {
		return nil, err
	}
	key, err := load.ReadKey(bytes.TrimSpace(text), password)
	var told *pipeline.Error
	if errors.As(err, &told) {
		told.Where = sign.Key
	}
	return key, err
}

// trusted reads the public keys that may sign snapshots of a pipeline.
func trusted(project *config.Project, name string) ([]load.Trusted, error) {
	var list []load.Trusted
	for _, t := range project.TrustOf(name) {
		key, err := load.ParsePublicKey(strings.TrimSpace(t.Key))
		if err != nil {
			return nil, fmt.Errorf("%s, trust: %w", filepath.Join(project.Dir, config.ProjectFile), err)
		}
		list = append(list, load.Trusted{Key: key, From: t.From, Until: t.Until})
	}
	return list, nil
}

// lookAtKeys wants the key that signs to be there, and to be trusted.
func (d *doctor) lookAtKeys() {
	key, err := signingKey(d.project)
	if err != nil {
		d.failed("keys", err)
		return
	}
	for _, name := range d.project.Pipelines {
		trust, err := trusted(d.project, name)
		if err != nil {
			d.failed("keys", err)
			return
		}
		isTrusted := false
		for _, t := range trust {
			isTrusted = isTrusted || key != nil && t.Key.String() == key.Public().String() && t.Until == ""
		}
		if key != nil && !isTrusted {
			d.problem("keys", "write it into trust: in tamiz.yml ("+self()+" keys show FILE prints it)", "snapshots of %s are to be signed by key %s, and trust does not name it, or ends it", name, key.Public().ID())
			return
		}
	}
	if key != nil {
		d.ok("keys", "snapshots are signed by key %s, which is trusted", key.Public().ID())
	}
}
