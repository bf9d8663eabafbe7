package pipeline

import "fmt"

// Secret is a password or key. However it is printed or written as JSON, it
// reads ***.
type Secret struct{ value *string } // a pointer: even a print that looks inside a larger struct shows an address alone

// NewSecret keeps a value from being shown.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal gives the value, to be sent to whom it is for and to nobody else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Format prints *** for every verb.
func (s Secret) Format(state fmt.State, _ rune) { fmt.Fprint(state, "***") }

// MarshalText writes ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// String gives ***.
func (s Secret) String() string { return "***" }
