// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine/fake"
	"github.com/rung-build/rung/internal/store"
)

// talking is a site with a program that prints its arguments, and a stage whose last step is one.
func talking(t *testing.T, last string) *site {
	t.Helper()
	s := newSite(t, `
stage(name="one", inputs={"cat": program("seed:amd64/cat"), "say": program("seed:amd64/say")},
    steps=[run("say", "first"), run("cat", "say", "o"), run("say"`+last+`)], exports=["o"], says="say", product=True)
stage(name="two", inputs={"cat": "one/o"}, steps=[run("cat", "o")], exports=["o"])
`)
	s.write("amd64/say", "program say")
	s.machine.Programs["say"] = func(_ context.Context, state *fake.State) int {
		for _, word := range state.Argv[1:] {
			state.Out.Write([]byte(word + "\n"))
		}
		return 0
	}
	return s
}

func TestRunTellsWhatTheLastStepSaid(t *testing.T) {
	long := strings.Repeat("x", maxSaid-1) + "\n"
	for last, want := range map[string]string{
		`, "Hello", "there"`:                   "Hello\nthere\n",
		``:                                     "",
		`, "` + long[:maxSaid-1] + `", "more"`: long,
	} {
		s := talking(t, last)
		for _, hit := range []bool{false, true} {
			out := s.mustClimb(t)
			if done := out.Stages[0]; done.Said != want || done.Hit != hit || out.Stages[1].Said != "" {
				t.Errorf("Run(): said %q, hit %v; want %q, %v, and nothing of others", done.Said, done.Hit, want, hit)
			}
		}
	}
}

// TestRunHealsWhatWasSaid wants a stage to run again whose log is gone, where that is to be shown and only there.
func TestRunHealsWhatWasSaid(t *testing.T) {
	s := talking(t, `, "Hello"`)
	disk, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	s.store = disk
	s.mustClimb(t)
	damage(t, disk, "first\nHello\n")
	out := s.mustClimb(t)
	if done := out.Stages[0]; done.Hit || done.Healed == nil || done.Said != "Hello\n" {
		t.Errorf("Run() with a damaged log: hit %v, healed %v, said %q; want it run again", done.Hit, done.Healed, done.Said)
	}
	text := string(s.files["chain.star"].Data)
	s.write("chain.star", strings.Replace(text, `, says="say"`, "", 1))
	damage(t, disk, "first\nHello\n")
	if out := s.mustClimb(t); hits(out) != "one two" || out.Stages[0].Said != "" {
		t.Errorf("Run() that does not ask: hits %q, said %q; want both, and nothing", hits(out), out.Stages[0].Said)
	}
}

func TestSaidRefusesARecordThatCannotBe(t *testing.T) {
	blobs := &store.Mem{}
	log, err := blobs.Put(t.Context(), strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{Options: Options{Blobs: blobs}}
	for said, want := range map[int64]string{2: "bc", 3: "abc", 0: ""} {
		if got, err := r.said(t.Context(), Stage{Says: "x"}, ledger.Run{Log: log, Said: said}); err != nil || got != want {
			t.Errorf("said() of %d bytes = %q, %v; want %q", said, got, err, want)
		}
	}
	if got, err := r.said(t.Context(), Stage{Says: "x"}, ledger.Run{Log: log, Said: 4}); fault.KindOf(err) != fault.Mismatch {
		t.Errorf("said() of 4 bytes out of 3 = %q, %v; want a fault of kind Mismatch", got, err)
	}
}

func TestLoadChecksSaysAndProduct(t *testing.T) {
	s := talking(t, "")
	plan, err := Load("test", s.files, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if product, ok := plan.Product(); !ok || product.Name != "one" {
		t.Errorf("Product() = %q, %v; want one", product.Name, ok)
	}
	text := string(s.files["chain.star"].Data)
	for name, row := range map[string]struct{ old, new, says string }{
		"another program": {`says="say"`, `says="cat"`, `says: the program of the last step is "say", not "cat"`},
		"two products":    {`exports=["o"])`, `exports=["o"], product=True)`, `product: stage "one" is one already`},
	} {
		s.write("chain.star", strings.Replace(text, row.old, row.new, 1))
		if _, err := Load("test", s.files, "amd64"); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: Load() = %v; want it to say %s", name, err, row.says)
		}
	}
	s.write("chain.star", strings.Replace(text, ", product=True", "", 1))
	if plan, err = Load("test", s.files, "amd64"); err != nil {
		t.Fatal(err)
	}
	if product, ok := plan.Product(); ok {
		t.Errorf("Product() = %q; want none", product.Name)
	}
}
