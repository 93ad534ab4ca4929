// SPDX-License-Identifier: MIT

package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
)

func of(text string) digest.Digest { return digest.Of([]byte(text)) }

// history is a ledger: low made a and b, mid failed once and then made m of both, top made t of m and a. An old run of
// top, and one for another architecture, stand before.
func history() []ledger.Run {
	at := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	run := func(stage string, inputs, outputs []ledger.File, steps ...[]string) ledger.Run {
		return ledger.Run{Time: at, Chain: "seed", Arch: "amd64", Stage: stage, Job: of("job " + stage), Machine: "sandbox",
			Version: "1", Isolated: true, Steps: steps, Inputs: inputs, Outputs: outputs, Wall: time.Second}
	}
	file := func(name, text, from string) ledger.File {
		return ledger.File{Name: name, Digest: of(text), From: from}
	}
	old := run("top", nil, []ledger.File{file("t", "old", "")})
	old.Job = of("old job")
	other := run("low", nil, []ledger.File{file("a", "arm", "")})
	other.Arch = "arm64"
	low := run("low", []ledger.File{file("p", "p", "seed:amd64/p"), file("in", "in", "seed:in")},
		[]ledger.File{file("a", "a", ""), file("b", "b", "")}, []string{"p", "in", "a b", ""})
	low.Same = [][2]string{{"a", "p"}}
	mid := run("mid", []ledger.File{file("a", "a", "low/a"), file("bee", "b", "low/b")}, []ledger.File{file("m", "m", "")},
		[]string{"a", "bee", "m"})
	failed := mid
	failed.Failure, failed.Outputs, failed.Job = "exit status 1", nil, of("failed job")
	top := run("top", []ledger.File{file("m", "m", "mid/m"), file("a", "a", "low/a"), file("lost", "lost", "gone/lost")},
		[]ledger.File{file("t", "t", "")}, []string{"m", "t"})
	top.Isolated = false
	return []ledger.Run{old, other, low, failed, mid, top}
}

// A file that a comparison of machines made again, last on one that isolates nothing, is told of as it was made first.
func TestWhyPrefersMachinesThatIsolate(t *testing.T) {
	runs := history()
	again := runs[4]
	again.Machine, again.Isolated = "host", false
	why, err := NewWhy(append(runs, again), Question{What: "m"})
	if err != nil || why.Artefact.Making.Machine != "sandbox" {
		t.Errorf("NewWhy(m) = made on %+v, %v; want the run on sandbox", why.Artefact.Making, err)
	}
	why, err = NewWhy(append(runs[:4:4], again), Question{What: "m"})
	if err != nil || why.Artefact.Making.Machine != "host" {
		t.Errorf("NewWhy(m) = made on %+v, %v; want the only run, on host", why.Artefact.Making, err)
	}
}

func TestWhyText(t *testing.T) {
	why, err := NewWhy(history(), Question{What: "t"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := why.Text(&b); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("{a}", of("a").Short(), "{b}", of("b").Short(), "{m}", of("m").Short(),
		"{t}", of("t").Short(), "{T}", of("t").Hex(), "{p}", of("p").Short(), "{P}", of("p").Hex(), "{i}", of("in").Short(),
		"{I}", of("in").Hex(), "{l}", of("lost").Short(), "{jt}", of("job top").Short(), "{jm}", of("job mid").Short(),
		"{jl}", of("job low").Short()).Replace(
		`top/t  {t}  1 byte
sha256 {T}
│ made by amd64/top, job {jt}, on sandbox (1) (not isolated: the steps could see the host), 2026-11-21T06:00:00Z, 1.00 s
│  1  m t
├─ mid/m  {m}  1 byte
│  │ made by amd64/mid, job {jm}, on sandbox (1), 2026-11-21T06:00:00Z, 1.00 s
│  │  1  a bee m
│  ├─ low/a  {a}  1 byte
│  │  │ made by amd64/low, job {jl}, on sandbox (1), 2026-11-21T06:00:00Z, 1.00 s
│  │  │  1  p in "a b" ""
│  │  │ same: a == p
│  │  ├─ seed:amd64/p  {p}  1 byte
│  │  └─ seed:in  {i}  2 bytes
│  └─ bee = low/b  {b}  1 byte  (told above)
├─ low/a  {a}  1 byte  (told above)
└─ gone/lost  {l}  4 bytes  (no run in the ledger made it)

from 2 files of the seed:
{P}  amd64/p
{I}  in
`)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Text() differs (-want +got):\n%s", diff)
	}
}

func TestWhyFinds(t *testing.T) {
	for name, test := range map[string]struct {
		q    Question
		want string // from, and the text it is the digest of
		kind fault.Kind
	}{
		"the latest run of a stage": {Question{What: "top/t"}, "top/t t", 0},
		"a digest's text form":      {Question{What: of("b").String()}, "low/b b", 0},
		"eight digits":              {Question{What: of("old").Hex()[:8]}, "top/t old", 0},
		"a file of the seed":        {Question{What: of("in").Hex()}, "seed:in in", 0},
		"a reference to the seed":   {Question{What: "seed:amd64/p"}, "seed:amd64/p p", 0},
		"a name for one arch":       {Question{What: "a", Arch: "arm64"}, "low/a arm", 0},
		"a name for two arches":     {Question{What: "a"}, "", fault.Usage},
		"seven digits":              {Question{What: of("b").Hex()[:7]}, "", fault.NotFound},
		"an unknown name":           {Question{What: "nothing"}, "", fault.NotFound},
		"an empty name":             {Question{What: ""}, "", fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			why, err := NewWhy(history(), test.q)
			if test.want == "" {
				if err == nil || fault.KindOf(err) != test.kind {
					t.Errorf("NewWhy(%+v) = %v, %v; want %v", test.q, why, err, test.kind)
				}
				return
			}
			from, text, _ := strings.Cut(test.want, " ")
			if err != nil || why.Artefact.From != from || why.Artefact.Digest != of(text) {
				t.Errorf("NewWhy(%+v) = %+v, %v; want %s", test.q, why.Artefact, err, test.want)
			}
		})
	}
}

func TestWhyJSONHasTheSameFacts(t *testing.T) {
	why, err := NewWhy(history(), Question{What: "t"})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, why)
}

// borrowed is a ledger in which lib.tar.gz was packed anew, and one used three of its files and one of
// plain.txt, which is no archive.
func borrowed() []ledger.Run {
	runs := history()
	file := func(name, text, from string) ledger.File {
		return ledger.File{Name: name, Digest: of(text), From: from}
	}
	line := runs[0]
	unpack := func(name, text, place, declared string) ledger.Run {
		run := line
		run.Stage, run.Job, run.Machine, run.Wall = "distfile:"+name, of("job "+name+" "+text), "unpack", 0
		run.Steps, run.Inputs, run.Outputs = [][]string{{"unpack", name}}, []ledger.File{file(name, text, place)}, nil
		run.Distfile = &ledger.Distfile{File: of(declared), Licence: "MIT"}
		return run
	}
	old := unpack("lib.tar.gz", "declared", "/media/stick/lib.tar.gz", "declared")
	lib := unpack("lib.tar.gz", "anew", "https://a.test/lib.tar.gz", "declared")
	plain := unpack("plain.txt", "plain", "/media/stick/plain.txt", "plain")
	one := line
	one.Stage, one.Job, one.Steps = "one", of("job one"), [][]string{{"p", "x"}}
	one.Inputs = []ledger.File{file("p", "p", "seed:amd64/p"), file("lib/a.c", "a.c", "distfile:lib.tar.gz/a.c"),
		file("lib/c.c", "c", "distfile:lib.tar.gz/c.c"), file("text", "plain", "distfile:plain.txt"),
		file("x.c", "c", "distfile:lib.tar.gz/c.c")}
	one.Outputs = []ledger.File{file("x", "x", "")}
	return append(runs, old, lib, plain, one)
}

func TestWhyCollapsesWhatComesFromADistfile(t *testing.T) {
	why, err := NewWhy(borrowed(), Question{What: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := why.Text(&b); err != nil {
		t.Fatal(err)
	}
	pairs := []string{"{AT}", "2026-11-21T06:00:00Z"}
	for _, text := range []string{"x", "p", "anew", "declared", "plain", "job one", "job lib.tar.gz anew",
		"job plain.txt plain"} {
		pairs = append(pairs, "{"+text+"}", of(text).Short(), "{="+text+"}", of(text).Hex())
	}
	want := strings.NewReplacer(pairs...).Replace(`one/x  {x}  1 byte
sha256 {=x}
│ made by amd64/one, job {job one}, on sandbox (1), {AT}, 1.00 s
│  1  p x
├─ seed:amd64/p  {p}  1 byte
├─ 3 files of distfile:lib.tar.gz, 5 B, MIT
│  │ unpacked by rung, job {job lib.tar.gz anew}, {AT}
│  │  1  unpack lib.tar.gz
│  └─ https://a.test/lib.tar.gz  {anew}  4 bytes, packed anew (declared is {=declared})
└─ text = distfile:plain.txt  {plain}  5 bytes, MIT
   │ unpacked by rung, job {job plain.txt plain}, {AT}
   │  1  unpack plain.txt
   └─ /media/stick/plain.txt  {plain}  5 bytes, as declared

from 1 file of the seed:
{=p}  amd64/p
and from 2 distfiles:
{=anew}  lib.tar.gz, MIT, packed anew (declared is {=declared}), from https://a.test/lib.tar.gz
{=plain}  plain.txt, MIT, as declared, from /media/stick/plain.txt
`)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Text() differs (-want +got):\n%s", diff)
	}
	roundTrip(t, why)
}

// roundTrip wants a report's JSON to read as the same report.
func roundTrip(t *testing.T, why Why) {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, why); err != nil {
		t.Fatal(err)
	}
	var again Why
	if err := json.Unmarshal(b.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(why, again, cmp.Comparer(func(a, b digest.Digest) bool { return a == b })); diff != "" {
		t.Errorf("JSON() reads as something else (-want +got):\n%s", diff)
	}
}

func TestWhyOfADistfile(t *testing.T) {
	for what, want := range map[string]string{
		"lib.tar.gz":              "distfile:lib.tar.gz anew",
		"distfile:lib.tar.gz":     "distfile:lib.tar.gz anew",
		of("anew").Hex():          "distfile:lib.tar.gz anew",
		"distfile:lib.tar.gz/c.c": "distfile:lib.tar.gz/c.c c",
		"distfile:plain.txt":      "distfile:plain.txt plain",
	} {
		from, text, _ := strings.Cut(want, " ")
		why, err := NewWhy(borrowed(), Question{What: what})
		if err != nil || why.Artefact.From != from || why.Artefact.Digest != of(text) || why.Artefact.Making == nil {
			t.Errorf("NewWhy(%q) = %+v, %v; want %s, and how it was unpacked", what, why.Artefact, err, want)
		}
	}
}
