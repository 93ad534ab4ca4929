// SPDX-License-Identifier: MIT

package page

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
)

func of(text string) digest.Digest { return digest.Of([]byte(text)) }

var sameDigest = cmp.Comparer(func(a, b digest.Digest) bool { return a == b })

const definitions = `
distfile(name = "lib-1.tar.gz", size = 9, sha256 = "` + sum9 + `", licence = "MIT OR <b>0BSD</b>",
    tree = "` + sum9 + `/9", places = ["debian:pool/main/l/lib.tar.gz", "https://example.org/lib-1.tar.gz"])
stage(name = "low", inputs = {"p": program("seed:amd64/p"), "t": "seed:t"}, steps = [run("p", "t", "a"), run("p", "t", "b")],
    exports = ["a"], same = [("b", "a")])
stage(name = "mid", inputs = {"a": "low/a", "lib": "distfile:lib-1.tar.gz"}, steps = [run("a", "lib/x", "m")], exports = ["m", "inc"])
stage(name = "top", inputs = {"m": "mid/m", "t": "seed:t"}, steps = [run("m", "t")], exports = ["t.a"])
`

// sum9 stands for a SHA-256.
const sum9 = "9999999999999999999999999999999999999999999999999999999999999999"

func file(name, text, from string) ledger.File {
	return ledger.File{Name: name, Digest: of(text), From: from}
}

// material is a chain of three stages, of which the first two were run: low three times, first with another text and
// last elsewhere, with nothing isolated.
func material(t testing.TB) Material {
	t.Helper()
	plan, err := chain.Load("seed", fstest.MapFS{
		"chain.star":    {Data: []byte(definitions)},
		"amd64/p":       {Data: []byte("program")},
		"t":             {Data: []byte("text")},
		"amd64/answers": {Data: []byte(of("a!").Hex() + "  low/a\n" + of("other").Hex() + "  mid/m\n")},
	}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	run := func(stage, job string, steps [][]string, inputs, outputs []ledger.File) ledger.Run {
		at = at.Add(time.Minute)
		return ledger.Run{Time: at, Chain: "seed", Arch: "amd64", Stage: stage, Job: of(job), Machine: "sandbox", Version: "1",
			Isolated: true, Steps: steps, Inputs: inputs, Outputs: outputs, Wall: time.Second, CPU: time.Second / 2, Memory: 1 << 20,
			Log: of("log")}
	}
	lowSteps := [][]string{{"p", "t", "a"}, {"p", "t", "b"}}
	taken := []ledger.File{file("p", "program", "seed:amd64/p"), file("t", "text", "seed:t")}
	made := []ledger.File{file("a", "a!", ""), file("b", "a!", "")}
	old := run("low", "old", lowSteps, []ledger.File{taken[0], file("t", "older", "seed:t")}, made)
	low := run("low", "low", lowSteps, taken, made)
	low.Same, low.Machine, low.Isolated = [][2]string{{"b", "a"}}, "chroot", false
	mid := run("mid", "mid", [][]string{{"a", "lib/x", "m"}}, []ledger.File{file("a", "a!", "low/a"),
		file("lib/x", "source", "distfile:lib-1.tar.gz/x")}, []ledger.File{file("m", "made", ""), file("inc/h", "header", "")})
	failed := run("mid", "mid", mid.Steps, mid.Inputs, nil)
	failed.Failure = "exit status 1"
	again := low
	again.Time, again.Machine = failed.Time.Add(time.Hour), "host"
	declared, _ := digest.FromHex(sum9, 9)
	lib := ledger.Run{Time: at, Chain: "seed", Arch: "amd64", Stage: "distfile:lib-1.tar.gz", Job: of("lib"), Machine: "unpack",
		Isolated: true, Inputs: []ledger.File{file("lib-1.tar.gz", "repacked", "https://mirror.example/lib")},
		Distfile: &ledger.Distfile{File: declared, Licence: "MIT"}}
	return Material{
		Plan: plan, Runs: []ledger.Run{old, low, lib, mid, failed, again}, Head: ledger.Head{Lines: 6, Digest: of("last line")},
		Texts: []Text{{Stage: "low", Language: "hex0", Files: 1, Code: 1234, Comments: 5, Bytes: 4}}, Rung: "v1", Go: "go1",
		Stored: map[digest.Digest]bool{of("low"): true}, Said: map[digest.Digest]string{of("mid"): "hello\n"},
	}
}

func newReport(t testing.TB, m Material) Report {
	t.Helper()
	r, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReportStages(t *testing.T) {
	r := newReport(t, material(t))
	low, mid, top := r.Stages[0], r.Stages[1], r.Stages[2]
	if !low.Made || low.Outdated != nil || low.Machine != "host" || low.Isolated || !low.Stored {
		t.Errorf("low is %+v; want the latest run, on the host, with the stored result", low)
	}
	want := Repeats{Runs: 2, Machines: []string{"chroot", "host"}}
	if diff := cmp.Diff(want, low.Repeats); diff != "" {
		t.Errorf("the runs of low's job (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Same{{A: "b", B: "a", Digest: of("a!")}}, low.Same, sameDigest); diff != "" {
		t.Errorf("low's fixed points (-want +got):\n%s", diff)
	}
	wantFiles := []Output{{Name: "a", Digest: of("a!"), Export: true, Answer: Equal}, {Name: "b", Digest: of("a!")}}
	if diff := cmp.Diff(wantFiles, low.Files, sameDigest); diff != "" {
		t.Errorf("low's files (-want +got):\n%s", diff)
	}
	if low.Bytes != 2 || mid.Bytes != 4+6 {
		t.Errorf("exported bytes = %d, %d; want 2 and 10", low.Bytes, mid.Bytes)
	}
	if mid.Stored || mid.Says != "hello" || mid.Files[0].Answer != Unequal || !mid.Files[1].Export {
		t.Errorf("mid is %+v; want a result that is not stored, hello, an unequal answer, inc/h as an export", mid)
	}
	if top.Made || len(top.Steps) != 1 || len(top.Takes) != 2 || top.Takes[0].Files[0].Digest != of("made") {
		t.Errorf("top is %+v; want it not made, with what it will take", top)
	}
}

func TestReportFlows(t *testing.T) {
	r := newReport(t, material(t))
	kinds := func(s Stage) (all []string) {
		for _, f := range s.Takes {
			all = append(all, string(f.Kind)+" "+f.From)
		}
		return all
	}
	for i, want := range [][]string{{"seed ", "text "}, {"stage low", "distfile lib-1.tar.gz"}, {"stage mid", "text "}} {
		if diff := cmp.Diff(want, kinds(r.Stages[i])); diff != "" {
			t.Errorf("flows into %s (-want +got):\n%s", r.Stages[i].Name, diff)
		}
	}
}

func TestReportSources(t *testing.T) {
	declared, _ := digest.FromHex(sum9, 9)
	want := []Source{{Name: "lib-1.tar.gz", Licence: "MIT OR <b>0BSD</b>", File: declared, Tree: declared,
		Places: []string{"debian:pool/main/l/lib.tar.gz", "https://example.org/lib-1.tar.gz"}, Repacked: true, Takers: []string{"mid"},
		Fetched: &Fetch{Place: "https://mirror.example/lib", File: of("repacked")}}}
	if diff := cmp.Diff(want, newReport(t, material(t)).Sources, sameDigest); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestReportVerdict(t *testing.T) {
	want := Verdict{Stages: 3, Made: 2, Steps: 3, Exposed: 1, FixedPoints: 1, Artefacts: 3, Answered: 1, Unequal: 1,
		Wall: 2 * time.Second, CPU: time.Second, Memory: 1 << 20, Bytes: 12,
		Largest: File{Name: "mid/inc/h", Digest: of("header")}, Machines: []string{"host 1", "sandbox 1"}}
	r := newReport(t, material(t))
	if diff := cmp.Diff(want, r.Verdict, sameDigest); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
	if want := time.Date(2026, 11, 21, 7, 4, 0, 0, time.UTC); !r.AsOf.Equal(want) {
		t.Errorf("as of %v; want %v, when the latest run began", r.AsOf, want)
	}
}

// A run that took what the chain takes no more is told of only where there is no better one, and says so.
func TestReportOutdated(t *testing.T) {
	m := material(t)
	m.Runs = []ledger.Run{m.Runs[0], m.Runs[3]} // low with the older text, and mid
	m.Runs[1].Steps = [][]string{{"a", "elsewise"}}
	m.Runs[1].Inputs = []ledger.File{file("a", "another a", "low/a")}
	r := newReport(t, m)
	for i, want := range [][]string{{"seed:t has changed since"}, {"low/a is made anew since", "its steps have changed since"}} {
		if diff := cmp.Diff(want, r.Stages[i].Outdated); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.Stages[i].Name, diff)
		}
	}
	if r.Verdict.Outdated != 2 || r.Verdict.Unequal != 0 {
		t.Errorf("verdict = %+v; want two outdated stages, none compared with today's answers", r.Verdict)
	}
}

func TestReportOfDifferentBytes(t *testing.T) {
	m := material(t)
	m.Runs[5].Outputs = []ledger.File{file("a", "a!", ""), file("b", "b!", "")}
	r := newReport(t, m)
	if !r.Stages[0].Repeats.Differ || r.Verdict.Differ != 1 {
		t.Errorf("%+v; want runs that differ", r.Stages[0].Repeats)
	}
}

func TestReportOfNothing(t *testing.T) {
	m := material(t)
	m.Runs = m.Runs[4:5]
	if _, err := New(m); fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.HintOf(err), "rung bootstrap") {
		t.Errorf("New of a failed run = %v, hint %q; want not found, and rung bootstrap", err, fault.HintOf(err))
	}
}

func TestReportJSONHasTheSameFacts(t *testing.T) {
	r := newReport(t, material(t))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again Report
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again, sameDigest); diff != "" {
		t.Errorf("JSON reads as something else (-want +got):\n%s", diff)
	}
}

func TestReportText(t *testing.T) {
	var b bytes.Buffer
	if err := newReport(t, material(t)).Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `stage  steps  time         cpu     memory   bytes out  machine  when
low    2      1.00 s       0.50 s  1.0 MiB  2          host     2026-11-21 07:04:00 UTC
mid    1      1.00 s       0.50 s  1.0 MiB  10         sandbox  2026-11-21 06:03:00 UTC
top    1      not run yet                                       

open  2 of 3 stages made
yes   1 fixed point holds
no    1 artefact is not equal to the answer
no    1 stage ran without isolation: the steps could see the host
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Text() differs (-want +got):\n%s", diff)
	}
}
