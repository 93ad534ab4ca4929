// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

func content(text string) digest.Digest { return digest.Of([]byte(text)) }

// unpacking gives the ledger's lines of a distfile.
func (s *site) unpacking(t *testing.T, name string) []ledger.Run {
	t.Helper()
	var lines []ledger.Run
	for _, run := range s.runs(t) {
		if run.Stage == "distfile:"+name {
			lines = append(lines, run)
		}
	}
	return lines
}

func TestRunWritesDownADistfile(t *testing.T) {
	s, shelf := newShelf(t, wholePartAndPlain)
	shelf.place = "https://a.test/lib.tar.gz"
	out := s.mustClimb(t)
	lines := s.unpacking(t, "lib.tar.gz")
	if len(lines) != 1 {
		t.Fatalf("%d lines of the distfile; want one", len(lines))
	}
	sum, _ := digest.FromHex(strings.Repeat("ab", 32), 9)
	root, _ := digest.FromHex(strings.Repeat("cd", 32), 80)
	want := ledger.Run{
		Time: lines[0].Time, Chain: "test", Arch: "amd64", Stage: "distfile:lib.tar.gz", Job: lines[0].Job,
		Machine: "unpack", Version: "1", Isolated: true, Steps: [][]string{{"unpack", "lib.tar.gz"}},
		Inputs:   []ledger.File{{Name: "lib.tar.gz", Digest: sum, From: "https://a.test/lib.tar.gz"}},
		Distfile: &ledger.Distfile{File: sum, Tree: root, Strip: 1, Licence: "MIT"},
	}
	same := cmp.Comparer(func(a, b digest.Digest) bool { return a == b })
	if diff := cmp.Diff(want, lines[0], same); diff != "" {
		t.Errorf("the line of the distfile: -want +got\n%s", diff)
	}
	if len(out.Sources) != 2 || cmp.Diff(want, out.Sources[0].Run, same) != "" {
		t.Errorf("Run(): sources %v; want both, with their lines", out.Sources)
	}
}

// TestRunWritesDownADistfileOnce climbs again and again, and wants a line only where something is new.
func TestRunWritesDownADistfileOnce(t *testing.T) {
	s, shelf := newShelf(t, wholePartAndPlain)
	s.mustClimb(t)
	for _, row := range []struct {
		name   string
		change func()
		lines  int
		hits   string
	}{
		{"nothing new", func() {}, 1, "one"},
		{"--rebuild", func() { s.rebuild(shelf, true) }, 1, ""},
		{"another place", func() { s.rebuild(shelf, false); shelf.place = "/media/stick" }, 2, "one"},
		{"another declaration", func() {
			s.write("chain.star", strings.Replace(string(s.files["chain.star"].Data), "strip=1,", "", 1))
		}, 3, "one"},
		{"a ledger that was lost", func() { s.newLedger(t) }, 1, "one"},
	} {
		row.change()
		out := s.mustClimb(t)
		if lines := len(s.unpacking(t, "lib.tar.gz")); lines != row.lines || hits(out) != row.hits {
			t.Errorf("%s: %d lines of the distfile, hits %q; want %d and %q", row.name, lines, hits(out), row.lines, row.hits)
		}
	}
}

// moving are sources that have moved when they are asked for the second time.
type moving struct {
	*shelf
	mu sync.Mutex
}

func (m *moving) Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.place = fmt.Sprintf("place %d", min(m.asked, 1))
	return m.shelf.Fetch(ctx, files...)
}

func TestRunWritesDownOnceWhatTwoStagesFetchAgain(t *testing.T) {
	s, shelf := newShelf(t, wholePartAndPlain)
	s.write("chain.star", string(s.files["chain.star"].Data)+`
stage(name="two", inputs={"cat": program("seed:amd64/cat"), "a": "distfile:lib.tar.gz/src/a.c"},
    steps=[run("cat", "a", "o")], exports=["o"])
`)
	s.options = func(o *Options) { o.Sources = &moving{shelf: shelf} }
	s.mustClimb(t)
	var places []string
	for _, line := range s.unpacking(t, "lib.tar.gz") {
		places = append(places, line.Inputs[0].From)
	}
	if diff := cmp.Diff([]string{"place 0", "place 1"}, places); diff != "" {
		t.Errorf("places in the ledger: -want +got\n%s", diff)
	}
}

// rebuild sets the options of later climbs.
func (s *site) rebuild(shelf *shelf, yes bool) {
	s.options = func(o *Options) { o.Sources, o.Rebuild = shelf, yes }
}

// TestRunNamesEveryPathThatADistfileLacks wants all of them before any stage that takes a distfile runs, and stages that
// need none to have run.
func TestRunNamesEveryPathThatADistfileLacks(t *testing.T) {
	s, _ := newShelf(t, wholePartAndPlain+`, "x": "distfile:lib.tar.gz/nothing", "y": "distfile:lib.tar.gz/src/nor/this"`)
	s.write("chain.star", string(s.files["chain.star"].Data)+`
stage(name="free", inputs={"cat": program("seed:amd64/cat")}, steps=[run("cat", "o")], exports=["o"])
stage(name="two", inputs={"cat": "free/o", "z": "distfile:lib.tar.gz/READMEE"}, steps=[run("cat", "o")], exports=["o"])
`)
	_, err := s.climb(t, t.Context())
	for _, want := range []string{`stage "one": input "x": distfile "lib.tar.gz" has no "nothing"`, `has no "src/nor/this"`,
		`stage "two": input "z": distfile "lib.tar.gz" has no "READMEE"`} {
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("Run() = %v; want it to say %s", err, want)
		}
	}
	for _, job := range s.machine.ran() {
		if job != "amd64/free" {
			t.Errorf("%s ran", job)
		}
	}
}

// onDisk gives a site a store of files, which can be damaged, and sources that fetch only what the store lacks.
func onDisk(t *testing.T, s *site, shelf *shelf) *store.Disk {
	t.Helper()
	disk, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	s.store = disk
	s.options = func(o *Options) { o.Sources = lazy{shelf} }
	return disk
}

// lazy are sources that put nothing where the store has it, as a Fetcher does.
type lazy struct{ *shelf }

func (l lazy) Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error) {
	aside := l.site.store
	defer func() { l.site.store = aside }()
	l.site.store = &store.Mem{} // to learn what it is made of
	all, err := l.shelf.Fetch(ctx, files...)
	for _, f := range all {
		for n := range f.Tree.Nodes() {
			if has, _ := aside.Has(ctx, n.Content); n.Kind == tree.File && !has {
				text, err := store.Bytes(ctx, l.site.store, n.Content, 1<<20)
				if err != nil {
					return nil, err
				}
				if _, err := aside.Put(ctx, bytes.NewReader(text)); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, err
}

// damage changes a byte of stored content and keeps its size.
func damage(t *testing.T, disk *store.Disk, text string) {
	t.Helper()
	name := disk.Path(content(text))
	if err := errors.Join(os.Chmod(name, 0o644), os.WriteFile(name, []byte(strings.Repeat("?", len(text))), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestRunHealsDistfiles(t *testing.T) {
	for name, row := range map[string]struct {
		file    string
		rebuild bool
		healing string
	}{
		"a file that a stage takes":                      {"b;", true, "one"},
		"a file that a stage takes, though nothing runs": {"b;", false, ""},
		"a distfile that is used as it is":               {"patch", true, "one"},
		"a file that nothing takes":                      {"read me", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, shelf := newShelf(t, wholePartAndPlain)
			disk := onDisk(t, s, shelf)
			s.mustClimb(t)
			damage(t, disk, row.file)
			lazily := s.options
			s.options = func(o *Options) { lazily(o); o.Rebuild = row.rebuild }
			out := s.mustClimb(t)
			if n, _ := out.Stages[0].Outputs.Lookup("out"); n.Content != content("a;b;patch") {
				t.Errorf("Run(): out is %v; want what it was", n.Content)
			}
			healed := ""
			for _, e := range s.events {
				if e, ok := e.(StageHealing); ok {
					healed = e.Stage
				}
			}
			if healed != row.healing {
				t.Errorf("Run() told that it healed %q; want %q", healed, row.healing)
			}
			if _, err := store.Bytes(t.Context(), disk, content(row.file), 1<<20); row.healing != "" && err != nil {
				t.Errorf("the damaged file afterwards: %v; want it sound", err)
			}
		})
	}
}
