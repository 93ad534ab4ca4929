// SPDX-License-Identifier: MIT

package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/tree"
)

var hello = digest.Of([]byte("hello"))

// outcome is a climb of two stages: the first a hit with an answer and a fixed point, the second run to heal.
func outcome(t *testing.T) chain.Outcome {
	t.Helper()
	plan, err := chain.Load("seed", fstest.MapFS{
		"chain.star": {Data: []byte(`
stage(name = "low", inputs = {"p": program("seed:amd64/p")}, steps = [run("p"), run("p", "x")], exports = ["a"],
    same = [("a", "p")])
stage(name = "top", inputs = {"a": "low/a"}, steps = [run("a")], exports = ["d"])
`)},
		"amd64/p":       {Data: []byte("hello")},
		"amd64/answers": {Data: []byte(hello.Hex() + "  low/a\n")},
	}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	files := func(paths ...string) tree.Tree {
		var nodes []tree.Node
		for _, p := range paths {
			nodes = append(nodes, tree.Node{Path: p, Kind: tree.File, Mode: 0o444, Content: hello})
		}
		all, err := tree.New(nodes...)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	run := ledger.Run{Machine: "sandbox"}
	plan.Stages[1].Says = "a"
	lib := ledger.Run{Stage: "distfile:lib.tar", Inputs: []ledger.File{{Name: "lib.tar", Digest: hello, From: "/media/lib.tar"}},
		Distfile: &ledger.Distfile{File: digest.Of([]byte("declared")), Licence: "MIT"}}
	return chain.Outcome{Plan: plan, Wall: 75 * time.Second, Sources: []chain.Source{{Run: lib}}, Stages: []chain.Done{
		{Stage: plan.Stages[0], Job: hello, Hit: true, Outputs: files("a"), Run: run, Wall: 12 * time.Millisecond},
		{Stage: plan.Stages[1], Job: hello, Healed: errors.New("cut"), Outputs: files("d/x", "d/y"), Run: run,
			Said: "Hello\x1b[2J\nthere\n", Wall: 74 * time.Second},
	}}
}

func TestClimbText(t *testing.T) {
	var b bytes.Buffer
	climb := NewClimb(outcome(t), "sandbox", true, "build/amd64")
	climb.Export = "top.tar"
	if err := climb.Text(&b); err != nil {
		t.Fatal(err)
	}
	// The digest of a stage is what `sha256sum FILES | sha256sum` prints in its folder.
	listing := func(names ...string) string {
		text := ""
		for _, n := range names {
			text += hello.Hex() + "  " + n + "\n"
		}
		return digest.Of([]byte(text)).Short()
	}
	declared := digest.Of([]byte("declared"))
	want := `stage  steps  time      how     bytes out  digest
low    2      0.01 s    hit     5          ` + listing("a") + `
top    1      1 m 14 s  healed  10         ` + listing("d/x", "d/y") + `

seed       amd64/p, 5 bytes, sha256 ` + hello.Hex() + `
distfile   lib.tar, 5 bytes, sha256 ` + hello.Hex() + `, MIT, packed anew (declared is ` + declared.Hex() + `)
same       low: a == p
answers    1 of 3 artefacts are equal to their answer, 2 have none
artefacts  3 files, 15 bytes, in build/amd64
archive    top.tar
total      2 stages, 1 hit, 1 m 15 s on machine sandbox
says       top: a: Hello�[2J
says       top: a: there
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Text() differs (-want +got):\n%s", diff)
	}
}

func TestClimbJSONHasTheSameFacts(t *testing.T) {
	climb := NewClimb(outcome(t), "host", false, "build/amd64")
	var b bytes.Buffer
	if err := JSON(&b, climb); err != nil {
		t.Fatal(err)
	}
	var again Climb
	if err := json.Unmarshal(b.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(climb, again, cmp.Comparer(func(a, b digest.Digest) bool { return a == b })); diff != "" {
		t.Errorf("JSON() reads as something else (-want +got):\n%s", diff)
	}
	if again.Isolated || again.Stages[1].Healed != "cut" || again.Verdict.Answered != 1 {
		t.Errorf("JSON() = %s; want the facts of the climb", b.String())
	}
}

func TestClimbTextTellsOfWriteErrors(t *testing.T) {
	if err := NewClimb(outcome(t), "sandbox", true, "out").Text(full{}); !errors.Is(err, errFull) {
		t.Errorf("Text() to a full disk = %v; want its error", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestQuantities(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 19: "1.5 MiB", 5 << 50: "5120.0 TiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q; want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.00 s", 70 * time.Millisecond: "0.07 s", 12300 * time.Millisecond: "12.3 s", 125 * time.Second: "2 m 05 s",
		3600 * time.Second: "60 m 00 s",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q; want %q", d, got, want)
		}
	}
}
