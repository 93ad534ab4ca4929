// SPDX-License-Identifier: MIT

package digest

import (
	"encoding/json"
	"strings"
	"testing"
)

// Known answers: FIPS 180-2, appendix B.1, and the well-known digest of nothing.
const (
	sumABC   = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	sumEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func TestOfKnownAnswers(t *testing.T) {
	for content, want := range map[string]string{"abc": sumABC + "/3", "": sumEmpty + "/0"} {
		if got := Of([]byte(content)).String(); got != want {
			t.Errorf("Of(%q) = %s; want %s", content, got, want)
		}
	}
}

func TestHasherAgreesWithOf(t *testing.T) {
	h := NewHasher()
	content := []byte(strings.Repeat("some content", 100))
	for i := 0; i <= len(content); i += 100 {
		if got, want := h.Digest(), Of(content[:i]); got != want {
			t.Errorf("Hasher after %d bytes = %v; want %v", i, got, want)
		}
		if n, err := h.Write(content[i:min(i+100, len(content))]); err != nil || n < 0 {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
}

func TestDigestParts(t *testing.T) {
	d := Of([]byte("abc"))
	if d.Hex() != sumABC || d.Short() != sumABC[:12] || d.Size() != 3 || d.IsZero() {
		t.Errorf("Hex, Short, Size, IsZero = %s, %s, %d, %v", d.Hex(), d.Short(), d.Size(), d.IsZero())
	}
	var zero Digest
	if !zero.IsZero() || zero.String() != "" || Of(nil).IsZero() {
		t.Errorf("zero: IsZero %v, String %q; of nothing: IsZero %v", zero.IsZero(), zero.String(), Of(nil).IsZero())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "/", sumABC, sumABC + "/", sumABC + "/-1", sumABC + "/+3", sumABC + "/03", sumABC + "/3 ", sumABC + "/3/3",
		sumABC + "/9223372036854775808", strings.ToUpper(sumABC) + "/3", sumABC[1:] + "/3", sumABC + "0/3",
		"g" + sumABC[1:] + "/3", strings.Repeat("0", 64) + "/0",
	} {
		if d, err := Parse(s); err == nil || !d.IsZero() {
			t.Errorf("Parse(%q) = %v, %v; want an error", s, d, err)
		}
	}
	if d, err := FromHex(sumABC, -1); err == nil || !d.IsZero() {
		t.Errorf("FromHex(size -1) = %v, %v; want an error", d, err)
	}
}

func TestDigestInJSON(t *testing.T) {
	type file struct {
		A, B Digest
	}
	in := file{A: Of([]byte("abc"))}
	b, err := json.Marshal(in)
	if want := `{"A":"` + sumABC + `/3","B":""}`; err != nil || string(b) != want {
		t.Fatalf("Marshal = %s, %v; want %s", b, err, want)
	}
	out := file{B: Of(nil)}
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("Unmarshal = %+v, %v; want %+v", out, err, in)
	}
	if err := json.Unmarshal([]byte(`{"A":"abc"}`), &out); err == nil || out != in {
		t.Errorf("Unmarshal of a bad digest = %+v, %v; want an error and no change", out, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{sumABC + "/3", sumEmpty + "/0", sumABC + "/9223372036854775807"} {
		if d, err := Parse(s); err != nil || d.String() != s {
			f.Fatalf("the seed does not reach the end: Parse(%q) = %v, %v", s, d, err)
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err != nil {
			if !d.IsZero() {
				t.Errorf("Parse(%q) = %v beside %v", s, d, err)
			}
			return
		}
		if d.String() != s || d.IsZero() || d.Size() < 0 {
			t.Errorf("Parse(%q).String() = %q, size %d", s, d.String(), d.Size())
		}
	})
}
