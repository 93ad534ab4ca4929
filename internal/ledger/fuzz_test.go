// SPDX-License-Identifier: MIT

package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rung-build/rung/internal/digest"
)

func FuzzDecode(f *testing.F) {
	of := func(r Run) Line { return Line{Run: &r} }
	compared, empty := comparison("seed"), Comparison{}
	for _, r := range []record{
		{Line: of(sample("a"))}, {Prev: digest.Of(nil).Hex(), Line: of(sample("b"))}, {Line: of(Run{})},
		{Line: Line{Comparison: &compared}}, {Line: Line{Comparison: &empty}},
	} {
		line, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		if again, err := decode(line); err != nil || !cmp.Equal(r, again, compareDigests) {
			f.Fatalf("the seed does not reach the end: decode(%s) = %+v, %v", line, again, err)
		}
		f.Add(line)
	}
	f.Add([]byte(`{"prev":"","comparison":{},"stage":"both"}`))
	f.Add([]byte(`{"prev":"","same":[]}`)) // written as none
	f.Add([]byte(`{"prev":"","time":"0000-01-01T00:00:00-23:59"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := decode(line)
		if err != nil {
			return
		}
		b, err := r.encode()
		if err != nil {
			t.Fatalf("encoding what was decoded from %q: %v", line, err)
		}
		again, err := decode(b)
		if err != nil {
			t.Fatalf("decoding %q again: %v", b, err)
		}
		if diff := cmp.Diff(r, again, compareDigests, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("decoding again differs:\n%s", diff)
		}
	})
}
