// Package u01 turns a text key into a number between 0 and 1: chance that is the same on every machine and in every run.
//
// A key comes in, such as "sample|20210824|eta|17"; a float64 in [0, 1), or a standard normal number, goes out
// (METHODS 0.1: FNV-1a of 64 bits, mixed by the finaliser of SplitMix64, the upper 53 bits as a fraction).
//
// It never keeps a state, reads a clock, or depends on the order in which the keys are asked for.
package u01

import "math"

const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

// Key is the hash of the head of a key. FNV walks from left to right, so a caller that asks for many keys with
// one beginning hashes that beginning once; text is appended with Text and Int.
type Key uint64

// Head begins a key with text.
func Head(text string) Key { return Key(fnvOffset).Text(text) }

// Text gives the key with text appended.
func (k Key) Text(text string) Key {
	for i := range len(text) {
		k = (k ^ Key(text[i])) * fnvPrime
	}
	return k
}

// Int gives the key with n appended, written in decimal.
func (k Key) Int(n int) Key {
	if n < 0 {
		// The absolute value of the least int is no int, hence uint64.
		return k.Text("-").digits(-uint64(n))
	}
	return k.digits(uint64(n))
}

func (k Key) digits(n uint64) Key {
	if n >= 10 {
		k = k.digits(n / 10)
	}
	return (k ^ Key('0'+n%10)) * fnvPrime
}

// Uniform gives the number in [0, 1) that belongs to the key.
func (k Key) Uniform() float64 {
	z := uint64(k) + 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

// Normal gives the standard normal number that belongs to the key: the inverse distribution function at Uniform.
func (k Key) Normal() float64 {
	u := k.Uniform()
	if u == 0 {
		// One key in 2^53 would be minus infinity; it gets half of the least positive value instead.
		u = 1.0 / (1 << 54)
	}
	// Uniform is a multiple of 2^-53, so 2u-1 is exact and nothing is lost in the tails.
	return math.Sqrt2 * math.Erfinv(2*u-1)
}

// Of gives the number in [0, 1) that belongs to the key.
func Of(key string) float64 { return Head(key).Uniform() }

// Normal gives the standard normal number that belongs to the key.
func Normal(key string) float64 { return Head(key).Normal() }
