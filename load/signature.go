package load

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"aead.dev/minisign"

	"tamiz/pipeline"
)

// Key signs manifests: a secret key in the form of minisign. However it is
// printed, it reads ***.
type Key struct{ private *minisign.PrivateKey }

// NewKey makes a key.
func NewKey() (*Key, error) {
	_, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &Key{&private}, nil
}

// ReadKey reads the file of a secret key. The password is that of an encrypted
// one, which costs seconds and 1 GB of memory. A mistake is of kind Config, and
// tells nothing of the key.
func ReadKey(text []byte, password pipeline.Secret) (*Key, error) {
	wrong := func(problem, hint string) error {
		return &pipeline.Error{Kind: pipeline.Config, Problem: problem, Expected: "a secret key as tamiz keys new or minisign -G writes it", Hint: hint}
	}
	var private minisign.PrivateKey
	switch isEncrypted := minisign.IsEncrypted(text); {
	case isEncrypted && password.Reveal() == "":
		return nil, wrong("the key is encrypted, and no password is given", "name the variable that holds it: password_env")
	case isEncrypted:
		var err error
		if private, err = minisign.DecryptKey(password.Reveal(), text); err != nil {
			return nil, wrong("the key cannot be decrypted", "the password is wrong, or the file is damaged")
		}
	default:
		if private.UnmarshalText(bytes.TrimSpace(text)) != nil {
			return nil, wrong("the file holds no secret key", "")
		}
	}
	return &Key{&private}, nil
}

// Text is the file of a secret key, encrypted unless the password is "".
func (k *Key) Text(password pipeline.Secret) ([]byte, error) {
	text, err := k.private.MarshalText()
	if password.Reveal() != "" {
		text, err = minisign.EncryptKey(password.Reveal(), *k.private)
	}
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	return append(text, '\n'), nil
}

// Public is the key with which the signatures are verified.
func (k *Key) Public() PublicKey { return PublicKey{k.private.Public().(minisign.PublicKey)} }

// Format prints *** for every verb.
func (k *Key) Format(state fmt.State, _ rune) { fmt.Fprint(state, "***") }

// sign gives the file of the signature of a manifest: equal manifests and keys
// give equal bytes, since it holds no time.
func (k *Key) sign(manifest []byte, name, id string) []byte {
	reader := minisign.NewReader(bytes.NewReader(manifest))
	io.Copy(io.Discard, reader) // memory: it cannot fail
	return reader.SignWithComments(*k.private, trustedComment(name, id), untrustedComment(k.private.ID()))
}

func trustedComment(name, id string) string { return "tamiz manifest of " + name + " " + id }

func untrustedComment(id uint64) string { return "signature by minisign key " + keyID(id) }

func keyID(id uint64) string { return strings.ToUpper(fmt.Sprintf("%016x", id)) }

// PublicKey tells whether a manifest was signed by the key that it belongs to.
type PublicKey struct{ key minisign.PublicKey }

// ParsePublicKey reads a public key: its line, or a file with a comment above.
func ParsePublicKey(text string) (PublicKey, error) {
	var p PublicKey
	text = strings.TrimSpace(text)
	lines := strings.Split(text, "\n")
	if err := p.key.UnmarshalText([]byte(text)); err != nil || p.String() != strings.TrimSpace(lines[len(lines)-1]) {
		return p, &pipeline.Error{Kind: pipeline.Config, Problem: "this is no public key", Expected: "a line such as RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3, or the file of one",
			Found: fmt.Sprintf("%.80q", text), Hint: "tamiz keys new makes a pair; the line stands in its .pub file"}
	}
	return p, nil
}

// String is the line that people hand on.
func (p PublicKey) String() string { return p.key.String() }

// ID tells keys apart, as minisign writes it.
func (p PublicKey) ID() string { return keyID(p.key.ID()) }

// Text is the file of the key.
func (p PublicKey) Text() []byte {
	return []byte("untrusted comment: minisign public key " + p.ID() + "\n" + p.String() + "\n")
}

// Trusted is a public key and the snapshots that it may sign. A snapshot that
// was published after others counts as no older than the newest of those, so
// that a key that is trusted no more cannot sign under an old date.
type Trusted struct {
	Key   PublicKey
	From  string // the first snapshot; "": the first of all
	Until string // the last; "": no end
}

func (t Trusted) covers(position string) bool {
	return (t.From == "" || comparePlace(t.From, position) <= 0) && (t.Until == "" || comparePlace(position, t.Until) <= 0)
}

// asks reports whether a snapshot must be signed: keys had begun.
func asks(trust []Trusted, position string) bool {
	for _, t := range trust {
		if t.From == "" || comparePlace(t.From, position) <= 0 {
			return true
		}
	}
	return false
}

// comparePlace compares the ids of snapshots by period and revision.
func comparePlace(a, b string) int {
	periodA, periodB := a[:max(0, strings.LastIndex(a, "."))], b[:max(0, strings.LastIndex(b, "."))]
	if order := strings.Compare(periodA, periodB); order != 0 {
		return order
	}
	return revisionOf(a, periodA) - revisionOf(b, periodB)
}

const (
	signatureFile   = "manifest.json.minisig"
	signatureEnding = ".minisig"
)

// signature is the file of one, as it was read.
type signature struct {
	minisign.Signature
	text []byte
}

// readSignature fails if a byte is not as Tamiz writes it: minisign itself
// would pass over changes of the first comment.
func readSignature(text []byte, name, id string) (*signature, error) {
	s := &signature{text: text}
	if err := s.UnmarshalText(text); err != nil {
		return nil, errors.New("it cannot be read")
	}
	whole := s.Signature
	whole.UntrustedComment = untrustedComment(s.KeyID)
	if whole.String() != string(text) {
		return nil, errors.New("it is not as it was written")
	}
	if want := trustedComment(name, id); s.TrustedComment != want {
		return nil, errors.New("it is of something else: " + strconv.Quote(s.TrustedComment))
	}
	return s, nil
}

func (s *signature) by() string { return keyID(s.KeyID) }

func (s *signature) verifies(key PublicKey, manifest []byte) bool {
	return minisign.Verify(key.key, manifest, s.text)
}

// mayPublish wants what is to be published at a place of the history to be
// signed as trust asks, if it asks for anything: readers would refuse it else.
func mayPublish(key *Key, trust []Trusted, position string) error {
	wrong := &pipeline.Error{Kind: pipeline.Config, Subject: position, Where: "tamiz.yml, sign and trust", Effect: "nothing was published; readers still see the last snapshot"}
	if key == nil || len(trust) == 0 {
		if !asks(trust, position) {
			return nil
		}
		wrong.Problem, wrong.Hint = "it must be signed, and no key is given", "name the secret key: sign: {key: FILE}"
		return wrong
	}
	for _, t := range trust {
		if t.Key.String() == key.Public().String() && t.covers(position) {
			return nil
		}
	}
	wrong.Problem, wrong.Found = "its signature would not be trusted", "key "+key.Public().ID()+" does not stand in trust, or not for this snapshot"
	wrong.Hint = "write it there, with the snapshot from which it is used: tamiz keys show"
	return wrong
}
