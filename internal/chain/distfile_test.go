// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/tree"
)

// shelf is Sources with one tree, which it puts into the store each time it is asked.
type shelf struct {
	site  *site
	asked int
	place string // where everything came from
	err   error
}

func (s *shelf) Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	var all []source.Fetched
	for _, d := range files {
		t, err := s.tree(ctx, d)
		if err != nil {
			return nil, err
		}
		all = append(all, source.Fetched{Distfile: d, File: d.File, Tree: t, Place: s.place})
	}
	return all, nil
}

func (s *shelf) tree(ctx context.Context, d source.Distfile) (tree.Tree, error) {
	files := map[string]string{"src/a.c": "a;", "src/b.c": "b;", "README": "read me"}
	if d.Tree.IsZero() {
		files = map[string]string{d.Name: "patch"}
	}
	var nodes []tree.Node
	for name, text := range files {
		content, err := s.site.store.Put(ctx, bytes.NewReader([]byte(text)))
		if err != nil {
			return tree.Tree{}, err
		}
		nodes = append(nodes, tree.Node{Path: name, Kind: tree.File, Mode: 0o444, Content: content})
	}
	return tree.New(nodes...)
}

// declarations are a distfile with a tree and one without.
var declarations = `
distfile(name="lib.tar.gz", size=9, sha256="` + strings.Repeat("ab", 32) + `",
	tree="` + strings.Repeat("cd", 32) + `/80",
    licence="MIT", strip=1, places=["debian:pool/main/l/lib/lib.tar.gz"])
distfile(name="fix.patch", size=5, sha256="` + strings.Repeat("ef", 32) + `", licence="MIT",
	places=["https://a.test/x"])
`

func newShelf(t *testing.T, inputs string) (*site, *shelf) {
	t.Helper()
	s := newSite(t, declarations+`
stage(name="one", inputs={"cat": program("seed:amd64/cat"), `+inputs+`},
    steps=[run("cat", "lib/src/a.c", "b.c", "fix", "out")], exports=["out"])
`)
	shelf := &shelf{site: s}
	s.options = func(o *Options) { o.Sources = shelf }
	return s, shelf
}

const wholePartAndPlain = `"lib": "distfile:lib.tar.gz", "b.c": "distfile:lib.tar.gz/src/b.c", "fix": "distfile:fix.patch"`

func TestRunTakesDistfiles(t *testing.T) {
	s, shelf := newShelf(t, wholePartAndPlain)
	out := s.mustClimb(t)
	if n, _ := out.Stages[0].Outputs.Lookup("out"); n.Content != digest.Of([]byte("a;b;patch")) {
		t.Errorf("Run(): out is %v; want what the distfiles hold", n.Content)
	}
	var from []string
	runs := s.runs(t)
	for _, in := range runs[len(runs)-1].Inputs {
		from = append(from, in.Name+" "+in.From)
	}
	want := []string{"b.c distfile:lib.tar.gz/src/b.c", "cat seed:amd64/cat", "fix distfile:fix.patch",
		"lib/README distfile:lib.tar.gz/README", "lib/src/a.c distfile:lib.tar.gz/src/a.c",
		"lib/src/b.c distfile:lib.tar.gz/src/b.c"}
	if diff := cmp.Diff(want, from); diff != "" {
		t.Errorf("inputs in the ledger: -want +got\n%s", diff)
	}
	shelf.asked = 0
	if again := s.mustClimb(t); hits(again) != "one" || shelf.asked != 1 {
		t.Errorf("the second Run(): hits %q, sources asked %d times; want one and once", hits(again), shelf.asked)
	}
}

func TestRunTellsWhatSourcesSay(t *testing.T) {
	s, shelf := newShelf(t, wholePartAndPlain)
	shelf.err = fault.New(fault.Unavailable, "no network")
	_, err := s.climb(t, t.Context())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no network") {
		t.Errorf("Run() = %v; want the error of the sources", err)
	}
}

func TestRunRefusesPathsThatADistfileLacks(t *testing.T) {
	s, _ := newShelf(t, wholePartAndPlain+`, "x": "distfile:lib.tar.gz/nothing"`)
	_, err := s.climb(t, t.Context())
	if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), `"lib.tar.gz" has no "nothing"`) {
		t.Errorf("Run() = %v; want a fault that names the path", err)
	}
}

func TestLoadChecksDistfiles(t *testing.T) {
	for _, test := range []struct{ name, inputs, says string }{
		{"unknown", `"x": "distfile:other"`, `there is no distfile "other"`},
		{"no tree", `"x": "distfile:fix.patch/a"`, "it has no tree"},
		{"no path", `"x": "distfile:lib.tar.gz/../a"`, `not "distfile:lib.tar.gz/../a"`},
	} {
		s, _ := newShelf(t, wholePartAndPlain+", "+test.inputs)
		if _, err := Load("test", s.files, "amd64"); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("Load(%s) = %v; want it to say %s", test.name, err, test.says)
		}
	}
}
