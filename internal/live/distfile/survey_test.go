// SPDX-License-Identifier: MIT

package distfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/source"
)

// TestSurveyTellsWhatEachMirrorHas, without taking it, and is not taken in by a page in place of an archive.
func TestSurveyTellsWhatEachMirrorHas(t *testing.T) {
	w := newWorld(t)
	m1 := mirror(t, map[string]string{"a.gz": "\x1f\x8b...", "b.xz": "<html>"})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "c"), []byte("C"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := w.fetcher(func(o *distfile.Options) { o.Mirrors = []string{m1, need.Refused(t), "file://" + dir} })
	got, err := f.Survey(t.Context(), []distfile.File{file("a.gz", "x", "http://127.0.0.1:1/a.gz"), file("b.xz", "y"), file("c", "C")})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{m1 + "/a.gz"}; !slices.Equal(got.Files[0].At, want) || len(got.Files[0].Not) != 2 {
		t.Errorf("a.gz: %+v; want it at %q alone, and upstream not asked", got.Files[0], want)
	}
	if b := got.Files[1]; len(b.At) != 0 || b.Not[0].Trouble != source.Wrong {
		t.Errorf("b.xz: %+v; want a page to count as wrong bytes", b)
	}
	if want := []string{"file://" + dir + "/c"}; !slices.Equal(got.Files[2].At, want) {
		t.Errorf("c: %+v; want it at %q", got.Files[2], want)
	}
	if lacking := got.Lacking(); len(lacking) != 1 || lacking[0].Name != "b.xz" {
		t.Errorf("Lacking = %+v; want b.xz", lacking)
	}
	h := got.Places
	if len(h) != 3 || h[0].Gave != 1 || h[0].Asked != 3 || h[1].Troubles[source.Unreachable] != 3 || h[2].Gave != 1 {
		t.Errorf("Places = %+v; want what each answered", h)
	}
	if left := w.files(); len(left) != 0 {
		t.Errorf("a survey left %q", left)
	}
}

// TestSurveyAsksUpstreamWithoutMirrors.
func TestSurveyAsksUpstreamWithoutMirrors(t *testing.T) {
	up := mirror(t, map[string]string{"a": "A", "empty": ""})
	got, err := newWorld(t).fetcher(nil).Survey(t.Context(), []distfile.File{file("a", "A", up+"/a"), file("empty", "A", up+"/empty")})
	if err != nil || len(got.Files[0].At) != 1 || len(got.Files[1].At) != 0 {
		t.Errorf("Survey = %+v, %v; want upstream to have a, and not an empty file", got.Files, err)
	}
}
