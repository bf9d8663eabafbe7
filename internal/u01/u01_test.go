package u01_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"tamiz/internal/u01"
)

func TestOf_GivesTheNumbersOfTheMethod(t *testing.T) {
	// METHODS 0.1.
	for _, c := range []struct {
		key  string
		hash u01.Key
		want float64
	}{
		{"a", 0xaf63dc4c8601ec8c, 0.371730963435},
		{"", 0xcbf29ce484222325, 0.763694525096},
	} {
		if got := u01.Head(c.key); got != c.hash {
			t.Errorf("Head(%q) = %x, want %x", c.key, uint64(got), uint64(c.hash))
		}
		if got := u01.Of(c.key); math.Abs(got-c.want) > 5e-13 {
			t.Errorf("Of(%q) = %.15f, want %.12f", c.key, got, c.want)
		}
	}
}

func TestOf_GivesTheReferenceVectors(t *testing.T) {
	folder := os.Getenv("TAMIZ_VECTORS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	text, err := os.ReadFile(filepath.Join(folder, "hash_u01.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no reference vectors in %s: set TAMIZ_VECTORS to their folder", folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Key   string  `json:"key"`
		FNV   string  `json:"fnv1a64"`
		Mixed string  `json:"mixed"`
		U     float64 `json:"u"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("hash_u01.json holds no vectors")
	}
	for _, v := range vectors {
		if got := fmt.Sprintf("%016x", uint64(u01.Head(v.Key))); got != v.FNV {
			t.Errorf("%q: FNV %s, want %s", v.Key, got, v.FNV)
		}
		mixed, err := strconv.ParseUint(v.Mixed, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		got := u01.Of(v.Key)
		if want := float64(mixed>>11) / (1 << 53); got != want {
			t.Errorf("%q: %v, want exactly %v", v.Key, got, want)
		}
		if math.Abs(got-v.U) > 1e-9*v.U {
			t.Errorf("%q: %v, want %v", v.Key, got, v.U)
		}
	}
}

func TestKey_IsTheSameHoweverItIsPutTogether(t *testing.T) {
	for _, n := range []int{0, 7, 10, 99, 123456, math.MaxInt, -1, -120, math.MinInt} {
		whole := fmt.Sprintf("sample|seed|eta|%d|x", n)
		parts := u01.Head("sample|").Text("seed|eta|").Int(n).Text("|x")
		if got, want := parts.Uniform(), u01.Of(whole); got != want {
			t.Errorf("%s: %v from parts, %v from the whole key", whole, got, want)
		}
		if got, want := parts.Normal(), u01.Normal(whole); got != want {
			t.Errorf("%s: normal %v from parts, %v from the whole key", whole, got, want)
		}
	}
}

func TestNormal_HasTheMomentsAndTailsOfANormal(t *testing.T) {
	const n = 200_000
	var sum, squares float64
	below := 0
	for i := range n {
		z := u01.Head("moments|").Int(i).Normal()
		sum += z
		squares += z * z
		if z < -1.959963984540054 {
			below++
		}
	}
	if mean := sum / n; math.Abs(mean) > 0.01 {
		t.Errorf("mean %v, want 0", mean)
	}
	if variance := squares / n; math.Abs(variance-1) > 0.02 {
		t.Errorf("variance %v, want 1", variance)
	}
	if share := float64(below) / n; math.Abs(share-0.025) > 0.002 {
		t.Errorf("%v lie below -1.96, want 0.025", share)
	}
}

func TestNormal_InvertsTheDistributionFunction(t *testing.T) {
	for i := range 1000 {
		key := u01.Head("inverse|").Int(i)
		back := math.Erfc(-key.Normal()/math.Sqrt2) / 2
		if u := key.Uniform(); math.Abs(back-u) > 1e-12 {
			t.Errorf("key %d: u = %v comes back as %v", i, u, back)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	head := u01.Head("sample|seed|")
	for i := 0; b.Loop(); i++ {
		_ = head.Text("eta|").Int(i).Uniform()
	}
}
