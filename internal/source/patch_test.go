// SPDX-License-Identifier: MIT

package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// counted is a file of the lines "line 1" to "line 9".
const counted = "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\nline 9\n"

// second and eighth change those lines of a file.
const (
	second = `Why the second line is wrong.
--- a/dir/a.txt	2020-01-02 03:04:05
+++ b/dir/a.txt
@@ -1,3 +1,4 @@
 line 1
-line 2
+LINE 2
+line 2.5
 line 3
`
	eighth = "--- a/dir/a.txt\n+++ b/dir/a.txt\n@@ -7,3 +7,2 @@\n line 7\n-line 8\n line 9\n"
)

// written puts files into a store, and gives their tree.
func written(t *testing.T, blobs store.Blobs, files map[string]string) tree.Tree {
	t.Helper()
	var nodes []tree.Node
	for name, text := range files {
		content, err := blobs.Put(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, tree.Node{Path: name, Kind: tree.File, Mode: 0o555, Content: content})
	}
	all, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read gives the files of a tree.
func read(t *testing.T, blobs store.Blobs, all tree.Tree) map[string]string {
	t.Helper()
	files := map[string]string{}
	for n := range all.Nodes() {
		if n.Kind == tree.File {
			text, err := store.Bytes(t.Context(), blobs, n.Content, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			files[n.Path] = string(text)
		}
	}
	return files
}

// patches reads patches, named 1, 2 and so on.
func patches(t *testing.T, texts ...string) []source.Patch {
	t.Helper()
	var all []source.Patch
	for i, text := range texts {
		p, err := source.ParsePatch(string(rune('1'+i)), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestApplyPatches(t *testing.T) {
	blobs := &store.Mem{}
	before := written(t, blobs, map[string]string{"dir/a.txt": counted, "b": "no newline", "c": "other"})
	b := "--- a/b\n+++ b/b\n@@ -1 +1,2 @@\n-no newline\n\\ No newline at end of file\n+now\n+two lines\n"
	// Each is against the file as it was: the second has made it a line longer, and the eighth is still the eighth.
	after, changed, err := source.ApplyPatches(t.Context(), blobs, before, patches(t, second+b, eighth)...)
	if err != nil {
		t.Fatal(err)
	}
	patched := strings.NewReplacer("line 2\n", "LINE 2\nline 2.5\n", "line 8\n", "").Replace(counted)
	want := map[string]string{"dir/a.txt": patched, "b": "now\ntwo lines\n"}
	if diff := cmp.Diff(want, read(t, blobs, changed)); diff != "" {
		t.Errorf("changed files: -want +got\n%s", diff)
	}
	want["c"] = "other"
	if diff := cmp.Diff(want, read(t, blobs, after)); diff != "" {
		t.Errorf("the tree: -want +got\n%s", diff)
	}
	if n, _ := after.Lookup("dir/a.txt"); !n.Executable() {
		t.Error("the patched file is not executable any more")
	}
	other, _, err := source.ApplyPatches(t.Context(), blobs, before, patches(t, eighth, second+b)...)
	if err != nil || !other.Equal(after) {
		t.Errorf("patches in another order: %v, %v; want the same tree", other.Diff(after), err)
	}
	if same, none, err := source.ApplyPatches(t.Context(), blobs, before); err != nil || !same.Equal(before) || none.Len() > 0 {
		t.Errorf("no patches: %v, %d changes, %v; want the tree as it was", same.Diff(before), none.Len(), err)
	}
}

func TestApplyPatchesRefuses(t *testing.T) {
	hunk := func(text string) string { return "--- a/dir/a.txt\n+++ b/dir/a.txt\n" + text }
	for name, row := range map[string]struct {
		patches []string
		says    []string
	}{
		"another line": {[]string{hunk("@@ -4,2 +4,2 @@\n line 4\n-line five\n+line V\n")},
			[]string{`patch "1"`, "hunk 1 (@@ -4,2 +4,2 @@)", `"dir/a.txt"`, `line 5 is "line 5", not "line five"`}},
		"a line further on": {[]string{hunk("@@ -4,2 +4,2 @@\n line 5\n-line 6\n+line VI\n")},
			[]string{`line 4 is "line 4", not "line 5"`}},
		"blanks": {[]string{hunk("@@ -4,1 +4,1 @@\n-line 4 \n+line IV\n")}, []string{`not "line 4 "`}},
		"an end too early": {[]string{hunk("@@ -9,2 +9,1 @@\n line 9\n-line 10\n")},
			[]string{"hunk 1", "the file ends at line 9"}},
		"the second hunk": {[]string{second, eighth + "@@ -9,1 +8,1 @@\n-line 9\n+x\n"},
			[]string{`patch "2": hunk 2 (@@ -9,1 +8,1 @@) changes lines of "dir/a.txt" that hunk 1`, `of patch "2" changes too`}},
		"the same lines twice": {[]string{second, hunk("@@ -3,1 +3,1 @@\n-line 3\n+x\n")},
			[]string{`patch "2": hunk 1 (@@ -3,1 +3,1 @@)`, `of patch "1"`}},
		"no such file": {[]string{"--- a/dir/x\n+++ b/dir/x\n@@ -1 +1 @@\n-a\n+b\n"},
			[]string{`patch "1": there is no file "dir/x"`}},
		"a folder": {[]string{"--- a/dir\n+++ b/dir\n@@ -1 +1 @@\n-a\n+b\n"}, []string{`there is no file "dir"`}},
	} {
		t.Run(name, func(t *testing.T) {
			blobs := &store.Mem{}
			before := written(t, blobs, map[string]string{"dir/a.txt": counted})
			got, _, err := source.ApplyPatches(t.Context(), blobs, before, patches(t, row.patches...)...)
			if err == nil || fault.KindOf(err) != fault.Usage || got.Len() > 0 {
				t.Fatalf("ApplyPatches() = %d nodes, %v; want a fault of kind Usage alone", got.Len(), err)
			}
			for _, want := range row.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("ApplyPatches() = %v; want it to say %s", err, want)
				}
			}
		})
	}
}

func TestApplyPatchesTellsOfMissingContent(t *testing.T) {
	before := written(t, &store.Mem{}, map[string]string{"dir/a.txt": counted})
	var missing *store.MissingError
	if _, _, err := source.ApplyPatches(t.Context(), &store.Mem{}, before, patches(t, second)...); !errors.As(err, &missing) {
		t.Errorf("ApplyPatches() without the file's content = %v; want the store's error", err)
	}
}

func TestParsePatchRefuses(t *testing.T) {
	for name, row := range map[string]struct{ text, says string }{
		"nothing":            {"", "changes nothing"},
		"a comment only":     {"Nothing to see.\n", "changes nothing"},
		"headers of git":     {"diff --git a/x b/x\n" + eighth, "headers of git"},
		"a rename":           {"x\ndiff --git a/x b/y\nrename from x\nrename to y\n", "headers of git"},
		"a new file":         {"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", `removes the file "b/x"`},
		"a file removed":     {"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", `removes the file "a/x"`},
		"no prefix":          {"--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n", `not "x"`},
		"a path out":         {"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", `not "b/../x"`},
		"no context":         {"--- a/x\n+++ b/x\n@@ -3,0 +4 @@\n+b\n", "no line of context"},
		"a file twice":       {second + eighth, "two places"},
		"a hunk cut short":   {strings.TrimSuffix(eighth, " line 9\n"), "line"},
		"a hunk of no file":  {"@@ -1 +1 @@\n-a\n+b\n", "line 1"},
		"a hunk behind text": {eighth + "text\n@@ -1 +1 @@\n-a\n+b\n", "line"},
		"more than it says":  {eighth + " line 10\n line 11\n@@ -1 +1 @@\n", "line"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := source.ParsePatch("the.patch", []byte(row.text))
			if err == nil || fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), `"the.patch"`) ||
				!strings.Contains(err.Error(), row.says) {
				t.Errorf("ParsePatch() = %v, %v; want a fault of kind Usage that says %s", p.Files, err, row.says)
			}
		})
	}
}

// TestParsePatchReadsThoseOfTheSeed wants each patch of the seed to change a file, and to say first why.
func TestParsePatchReadsThoseOfTheSeed(t *testing.T) {
	names, err := filepath.Glob("../../seed/*/*.patch")
	if err != nil || len(names) == 0 {
		t.Fatalf("no patches in the seed (%v)", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := source.ParsePatch(name, text)
		if err != nil || len(p.Files) == 0 {
			t.Errorf("ParsePatch(%s) = %v, %v; want the files that it changes", name, p.Files, err)
		}
		if strings.HasPrefix(string(text), "---") {
			t.Errorf("%s does not say what it is for", name)
		}
	}
}

// FuzzParsePatch wants what is read to be applied or refused, and never anything else.
func FuzzParsePatch(f *testing.F) {
	for _, text := range []string{second, eighth} {
		f.Add([]byte(text), counted)
	}
	f.Fuzz(func(t *testing.T, text []byte, file string) {
		p, err := source.ParsePatch("x", text)
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("ParsePatch() = %v; want a fault of kind Usage", err)
			}
			return
		}
		files := map[string]string{}
		for _, name := range p.Files {
			if strings.ContainsRune(name, 0) {
				return
			}
			files[name] = file
		}
		for name := range files {
			for other := range files {
				if strings.HasPrefix(other, name+"/") {
					return // no tree has both
				}
			}
		}
		blobs := &store.Mem{}
		before := written(t, blobs, files)
		_, changed, err := source.ApplyPatches(t.Context(), blobs, before, p)
		fits := strings.Contains(string(text), second) && file == counted
		switch {
		case err != nil && fault.KindOf(err) != fault.Usage:
			t.Errorf("ApplyPatches() = %v; want a fault of kind Usage", err)
		case err == nil && changed.Len() < len(p.Files):
			t.Errorf("ApplyPatches() changed %d nodes of the files %q", changed.Len(), p.Files)
		case err != nil && fits && len(p.Files) == 1 && string(text) == second:
			t.Errorf("ApplyPatches(the seed) = %v; want it to fit", err)
		}
	})
}
