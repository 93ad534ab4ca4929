// SPDX-License-Identifier: MIT

package distfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
)

// TestWriteMirror: files appear under their names, wrong ones are replaced, right ones kept, and a damaged one of the
// cache keeps no other from its place.
func TestWriteMirror(t *testing.T) {
	w := newWorld(t)
	up := mirror(t, map[string]string{"a": "A", "b": "B", "c": "C", "d": "D"})
	files := []distfile.File{file("d", "D", up+"/d"), file("a", "A", up+"/a"), file("b", "B", up+"/b"), file("c", "C", up+"/c"),
		file("gone", "G")}
	w.fetch(nil, files...)
	if err := os.WriteFile(w.cache.Path(sum("D")), []byte("damage"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new", "mirror")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"a": "A", "b": "half of B"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.cache.WriteMirror(t.Context(), dir, files)
	if fault.KindOf(err) != fault.Mismatch || got != (distfile.Placed{Written: 2, There: 1}) {
		t.Errorf("WriteMirror = %+v, %v; want two written, one there, and the damage told", got, err)
	}
	for name, want := range map[string]string{"a": "A", "b": "B", "c": "C", "d": "", "gone": ""} {
		if text, _ := os.ReadFile(filepath.Join(dir, name)); string(text) != want {
			t.Errorf("%s = %q; want %q", name, text, want)
		}
	}
	w.fetch(nil, files...)
	if got, err = w.cache.WriteMirror(t.Context(), dir, files); err != nil || got != (distfile.Placed{Written: 1, There: 3}) {
		t.Errorf("WriteMirror again = %+v, %v; want the damaged one written", got, err)
	}
}
