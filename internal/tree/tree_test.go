// SPDX-License-Identifier: MIT

package tree

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
)

func file(p, content string) Node {
	return Node{Path: p, Kind: File, Mode: 0o644, Content: digest.Of([]byte(content))}
}

func dir(p string) Node { return Node{Path: p, Kind: Dir, Mode: 0o755} }

func link(p, target string) Node { return Node{Path: p, Kind: Symlink, Mode: 0o777, Target: target} }

func mustNew(t testing.TB, nodes ...Node) Tree {
	t.Helper()
	tr, err := New(nodes...)
	if err != nil {
		t.Fatalf("New(%+v): %v", nodes, err)
	}
	return tr
}

func checkPaths(t testing.TB, what string, tr Tree, want ...string) {
	t.Helper()
	var got []string
	for n := range tr.Nodes() {
		got = append(got, n.Path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths of %s differ (-want +got):\n%s", what, diff)
	}
}

func TestNewSortsAndAddsParents(t *testing.T) {
	tr := mustNew(t, file("b/c/d", "1"), file("a0", "2"), file("a/b", "3"), file("a-b", "4"))
	checkPaths(t, "the tree", tr, "a", "a-b", "a/b", "a0", "b", "b/c", "b/c/d")
	if n, ok := tr.Lookup("b/c"); !ok || n != dir("b/c") {
		t.Errorf("Lookup(%q) = %+v, %v; want a directory of mode 0755", "b/c", n, ok)
	}
	if n, ok := tr.Lookup("b/d"); ok {
		t.Errorf("Lookup(%q) = %+v; want nothing", "b/d", n)
	}
	if tr.Len() != 7 || tr.Size() != 4 {
		t.Errorf("Len, Size = %d, %d; want 7, 4", tr.Len(), tr.Size())
	}
}

func TestNewRefuses(t *testing.T) {
	device := Node{Path: "d", Kind: CharDevice, Major: 1}
	withContent := device
	withContent.Content = digest.Of(nil)
	numbered := dir("d")
	numbered.Minor = 3
	targeted := file("f", "")
	targeted.Target = "x"
	wide := file("f", "")
	wide.Mode = 0o10644
	for name, nodes := range map[string][]Node{
		"the empty path": {dir("")}, "the root": {dir(".")}, "the parent": {dir("..")}, "a way out": {dir("../a")},
		"an absolute path": {dir("/a")}, "a slash at the end": {dir("a/")}, "two slashes": {dir("a//b")},
		"a dot inside": {dir("a/./b")}, "a NUL": {dir("a\x00")}, "a path twice": {dir("a"), file("a", "")},
		"a node below a file": {file("a/b/c", ""), file("a", "")}, "a node below a link": {link("a", "b"), file("a/b", "")},
		"a file without content": {{Path: "f", Kind: File}}, "a device with content": {withContent},
		"a link without a target": {{Path: "l", Kind: Symlink}}, "a file with a target": {targeted},
		"a directory with numbers": {numbered}, "more than permissions": {wide}, "no kind": {{Path: "a"}},
		"an unknown kind": {{Path: "a", Kind: Fifo + 1}},
	} {
		if tr, err := New(nodes...); err == nil || tr.Len() != 0 {
			t.Errorf("%s: New(%+v) = %d nodes, %v; want an error", name, nodes, tr.Len(), err)
		}
	}
}

func TestNodeEscapes(t *testing.T) {
	for _, row := range []struct {
		path, target string
		want         bool
	}{
		{"l", "a", false}, {"l", "a/b/", false}, {"l", ".", false}, {"l", "./a", false}, {"d/l", "..", false},
		{"d/e/l", "../../a", false}, {"d/e/l", ".././..//a", false}, {"l", "...", false}, {"d/l", "..a", false},
		{"l", "..", true}, {"l", "../a", true}, {"d/l", "../..", true}, {"l", "/", true}, {"d/l", "/etc/passwd", true},
		{"d/e/l", "a/../../../..", true}, {"d/e/l", "../a/..", true}, {"l", "./..", true},
	} {
		if got := link(row.path, row.target).Escapes(); got != row.want {
			t.Errorf("link %q to %q: Escapes() = %v; want %v", row.path, row.target, got, row.want)
		}
	}
	if file("f", "").Escapes() {
		t.Error("a file: Escapes() = true; want false")
	}
}

func TestTreeSub(t *testing.T) {
	tr := mustNew(t, file("a/b/c", "1"), file("a/b-c", "2"), file("a-b/c", "3"), link("a/l", "b"))
	sub, err := tr.Sub("a")
	if err != nil {
		t.Fatal(err)
	}
	checkPaths(t, "Sub", sub, "b", "b-c", "b/c", "l")
	if whole, err := tr.Sub("."); err != nil || !whole.Equal(tr) {
		t.Errorf("Sub(.) = %v, %v; want the tree itself", whole.Diff(tr), err)
	}
	for _, name := range []string{"a/l", "x", "a/b/c", ""} {
		if sub, err := tr.Sub(name); err == nil || sub.Len() != 0 {
			t.Errorf("Sub(%q) = %d nodes, %v; want an error", name, sub.Len(), err)
		}
	}
}

func TestTreeOnly(t *testing.T) {
	tr := mustNew(t, file("a/b/c", "1"), file("a/b/d/e", "2"), file("a/b-c", "3"), file("a/x", "4"), file("b", "5"))
	only, err := tr.Only("a/b", "b", "a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	checkPaths(t, "Only", only, "a", "a/b", "a/b/c", "a/b/d", "a/b/d/e", "b")
	if none, err := tr.Only(); err != nil || none.Len() != 0 {
		t.Errorf("Only() = %d nodes, %v; want none", none.Len(), err)
	}
	if _, err := tr.Only("a", "c"); err == nil || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("Only of what is not there: %v; want an error that names it", err)
	}
}

func TestTreeDiffNamesTheFirstDifference(t *testing.T) {
	base := []Node{file("a", "1"), dir("d"), link("l", "a"), {Path: "n", Kind: CharDevice, Major: 1, Minor: 3}}
	change := func(i int, edit func(*Node)) Tree {
		nodes := slices.Clone(base)
		edit(&nodes[i])
		return mustNew(t, nodes...)
	}
	for name, row := range map[string]struct {
		other Tree
		want  string
	}{
		"nothing":      {mustNew(t, base...), ""},
		"content":      {change(0, func(n *Node) { n.Content = digest.Of([]byte("2")) }), `"a": content 6b86b273`},
		"mode":         {change(0, func(n *Node) { n.Mode = 0o755 }), `"a": mode 0644, not 0755`},
		"owner":        {change(1, func(n *Node) { n.GID = 5 }), `"d": owner 0:0, not 0:5`},
		"time":         {change(1, func(n *Node) { n.ModTime = -5 }), `"d": time 0, not -5`},
		"target":       {change(2, func(n *Node) { n.Target = "b" }), `"l": target "a", not "b"`},
		"device":       {change(3, func(n *Node) { n.Minor = 5 }), `"n": device 1:3, not 1:5`},
		"kind":         {change(3, func(n *Node) { n.Kind = BlockDevice }), `"n": a char, not a block`},
		"one more":     {mustNew(t, append(slices.Clone(base), file("z", ""))...), `"z": only in the second`},
		"one less":     {mustNew(t, base[:3]...), `"n": only in the first`},
		"one between":  {mustNew(t, append(slices.Clone(base), file("b", ""))...), `"b": only in the second`},
		"first absent": {mustNew(t, base[1:]...), `"a": only in the first`},
	} {
		got := mustNew(t, base...).Diff(row.other)
		if !strings.HasPrefix(got, row.want) || (got == "") != (row.want == "") {
			t.Errorf("%s: Diff = %q; want %q", name, got, row.want)
		}
		if equal := mustNew(t, base...).Equal(row.other); equal != (row.want == "") {
			t.Errorf("%s: Equal = %v; want %v", name, equal, row.want == "")
		}
	}
}

func TestKindString(t *testing.T) {
	for k := File; k <= Fifo; k++ {
		if s := k.String(); s == "" || strings.HasPrefix(s, "kind") {
			t.Errorf("Kind(%d).String() = %q; want a name", uint8(k), s)
		}
	}
	if s := Kind(77).String(); s != "kind 77" {
		t.Errorf("Kind(77).String() = %q; want %q", s, "kind 77")
	}
}
