// SPDX-License-Identifier: MIT

package qemu

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
	"github.com/rung-build/rung/seed"
)

// newConducted is a machine with the kernel that tests boot, without KVM.
func newConducted(t testing.TB, scheme Scheme) *SchemeMachine {
	t.Helper()
	need.Arch(t, arch)
	return NewScheme(Options{
		Options: agent.Options{Now: time.Now, Slow: 6}, Accel: accelTCG,
		Program: need.Tool(t, "qemu-system-x86_64"), Kernel: need.Kernel(t),
	}, scheme)
}

// TestConductors climbs boot0 to boot2 one program a boot, and once more with the scheme1 that comes of it. A climb
// compares each export with its answer, and the second one with what the first one gave.
func TestConductors(t *testing.T) {
	need.Whole(t)
	below := newConducted(t, func(machine.Job) (digest.Digest, bool) { return digest.Digest{}, false })
	if err := below.Check(t.Context()); err != nil {
		t.Fatalf("Check = %v", err)
	}
	plan, err := chain.Load("seed", seed.Files(), arch)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = plan.Through("boot2"); err != nil {
		t.Fatal(err)
	}
	blobs := &store.Mem{}
	book, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	o := chain.Options{Blobs: blobs, Actions: blobs, Ledger: book, Machine: below, Jobs: 2, Now: time.Now}
	climb := func() map[string]tree.Node {
		t.Helper()
		out, err := chain.Run(t.Context(), plan, o)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]tree.Node{}
		for _, s := range out.Stages {
			t.Logf("%s: %v on %s", s.Stage.Name, s.Wall, o.Machine.Info().Name)
			for n := range s.Outputs.Nodes() {
				made[s.Stage.Name+"/"+n.Path] = n
			}
		}
		return made
	}
	first := climb()
	scheme := first["boot2/scheme1"].Content
	conducted := newConducted(t, func(machine.Job) (digest.Digest, bool) { return scheme, true })
	o.Machine, o.Rebuild = conducted, true
	if diff := cmp.Diff(first, climb(), cmp.Comparer(func(a, b digest.Digest) bool { return a == b })); diff != "" {
		t.Errorf("one program a boot, and scheme1 (-first +second):\n%s", diff)
	}
	t.Run("Conducted", func(t *testing.T) { testConducted(t, conducted, blobs, first["boot2/scheme1"]) })
	t.Run("Failures", func(t *testing.T) { testConductedFailures(t, conducted, blobs, first["boot2/scheme1"]) })
	t.Run("FailuresBelow", func(t *testing.T) { testFailuresBelow(t, below, blobs, first["boot2/catm"]) })
	t.Run("NoProgram", func(t *testing.T) { testNoProgram(t, below, blobs) })
	t.Run("Ended", func(t *testing.T) { testConductorEnds(t, blobs, first["boot2/catm"]) })
}

// schemeJob is a job of scheme1 on texts, each by its name and run in its own step.
func schemeJob(t *testing.T, blobs store.Blobs, scheme tree.Node, exports []string, texts ...string) machine.Job {
	t.Helper()
	scheme.Path, scheme.Mode = "scheme1", machine.ModeExecutable
	nodes := []tree.Node{scheme, machinetest.File(t, blobs, "d/in", "input", machine.ModeFile),
		machinetest.File(t, blobs, "d/x/program", string(exitZero()), machine.ModeExecutable)}
	job := machine.Job{
		Name: t.Name(), Arch: arch, Exports: exports,
		Limits: machine.Limits{Time: time.Minute, Memory: 256 << 20, Output: 1 << 20, Files: 100},
	}
	for i, text := range texts {
		name := fmt.Sprintf("%d.scm", i)
		nodes = append(nodes, machinetest.File(t, blobs, name, text, machine.ModeFile))
		job.Steps = append(job.Steps, machine.Step{Argv: []string{"scheme1", name}, Limit: time.Minute})
	}
	job.Inputs = machinetest.Tree(t, nodes...)
	return job
}

const writeFile = `(define (put name text)
  (let ((port (open-output-file name)))
    (write-string text port)
    (close-port port)))
`

// all is every byte, the ones that frames and terminals act upon among them.
func all() string {
	b := make([]byte, 0, 256)
	for c := range 256 {
		b = append(b, byte(c))
	}
	return string(b)
}

func testConducted(t *testing.T, m machine.Machine, blobs store.Blobs, scheme tree.Node) {
	job := schemeJob(t, blobs, scheme, []string{"d", "e/bytes", "e/large", "empty", "link"},
		writeFile+`(newline) (display "first\r\n") (put "empty" "")
(let next ((i 0) (l '()))
  (if (< i 256)
    (next (+ i 1) (cons (integer->char i) l))
    (put "e/bytes" (list->string (reverse l)))))
(put "link" "#! not a link")`,
		writeFile+`(display "no line feed") (put "e/large" (make-string 300000 #\newline))`)
	r, err := m.Run(t.Context(), job, blobs, nil)
	if err != nil || r.Failure != nil {
		t.Fatalf("Run = %v, %v", r.Failure, err)
	}
	var got []string
	for n := range r.Outputs.Nodes() {
		got = append(got, fmt.Sprintf("%v %#o %s %v", n.Kind, n.Mode, n.Path, n.Content))
	}
	file := func(mode, name, content string) string {
		return fmt.Sprintf("file %s %s %v", mode, name, digest.Of([]byte(content)))
	}
	none := fmt.Sprint(digest.Digest{})
	want := []string{
		"dir 0555 d " + none, file("0444", "d/in", "input"), "dir 0555 d/x " + none,
		file("0555", "d/x/program", string(exitZero())), "dir 0555 e " + none, file("0444", "e/bytes", all()),
		file("0444", "e/large", strings.Repeat("\n", 300000)), file("0444", "empty", ""),
		file("0444", "link", "#! not a link"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
	if log := text(t, blobs, r.Log); log != "\nfirst\r\nno line feed" {
		t.Errorf("log = %q; want an empty line first, and what follows", log)
	}
	if shown := text(t, blobs, r.Console); !strings.Contains(shown, "Run /.rung/scheme1 as init process") {
		t.Errorf("the console does not tell of scheme1:\n%s", shown)
	}
}

func testConductedFailures(t *testing.T, m machine.Machine, blobs store.Blobs, scheme tree.Node) {
	tests := []struct {
		name   string
		job    machine.Job
		change func(*machine.Job)
		want   machine.Failure
	}{
		{"exit status", schemeJob(t, blobs, scheme, nil, "(exit 0)", "(exit 7)", "(exit 0)"), func(*machine.Job) {},
			machine.Failure{Cause: machine.CauseExit, Step: 1, Detail: "exit status 7"}},
		{"missing", schemeJob(t, blobs, scheme, []string{"d", "no"}, "(exit 0)"), func(*machine.Job) {},
			machine.Failure{Cause: machine.CauseMissing, Step: 1, Detail: `no file "no"`}},
		{"start", schemeJob(t, blobs, scheme, nil, "(exit 0)"), func(j *machine.Job) { j.Steps[0].Argv[0] = "gone" },
			machine.Failure{Cause: machine.CauseStart, Step: 0, Detail: `cannot start "gone": no such file or directory`}},
		{"time", schemeJob(t, blobs, scheme, nil, "(let on () (on))"),
			func(j *machine.Job) { j.Steps[0].Limit = time.Second },
			machine.Failure{Cause: machine.CauseTime, Step: 0, Detail: "ran longer than 6s"}},
	}
	for _, tt := range tests {
		tt.change(&tt.job)
		r, err := m.Run(t.Context(), tt.job, blobs, nil)
		if err != nil || r.Failure == nil || *r.Failure != tt.want || r.Outputs.Len() != 0 {
			t.Errorf("%s: Run = %+v, %v; want %+v", tt.name, r.Failure, err, tt.want)
		}
	}
}

func testFailuresBelow(t *testing.T, m machine.Machine, blobs store.Blobs, catm tree.Node) {
	job := belowJob(t, blobs, catm)
	job.Steps[0].Argv[1] = "gone"
	r, err := m.Run(t.Context(), job, blobs, nil)
	want := machine.Failure{Cause: machine.CauseExit, Step: 0, Detail: "exit status 1"}
	if err != nil || r.Failure == nil || *r.Failure != want {
		t.Fatalf("Run = %+v, %v; want %+v", r.Failure, err, want)
	}
	if log := text(t, blobs, r.Log); !strings.HasSuffix(log, "gone\n") || strings.Contains(log, "\r") {
		t.Errorf("log = %q; want what catm says of a file that is not there", log)
	}
}

// belowJob copies a file with catm.
func belowJob(t *testing.T, blobs store.Blobs, catm tree.Node) machine.Job {
	t.Helper()
	catm.Path, catm.Mode = "catm", machine.ModeExecutable
	return machine.Job{
		Name: t.Name(), Arch: arch, Exports: []string{"out"},
		Inputs: machinetest.Tree(t, catm, machinetest.File(t, blobs, "in", all(), machine.ModeFile)),
		Steps:  []machine.Step{{Argv: []string{"catm", "in", "out"}, Limit: time.Minute}},
		Limits: machine.Limits{Time: time.Minute, Memory: 64 << 20, Output: 1 << 20, Files: 10},
	}
}

// testNoProgram has a kernel find nothing that it can start.
func testNoProgram(t *testing.T, m machine.Machine, blobs store.Blobs) {
	_, err := m.Run(t.Context(), belowJob(t, blobs, machinetest.File(t, blobs, "catm", "no program", 0)), blobs, nil)
	var trouble *console.Trouble
	if !errors.As(err, &trouble) || trouble.Kind != fault.Panic || trouble.Console.IsZero() {
		t.Errorf("Run of a program that is none = %v; want a panic, and the console", err)
	}
}

// testConductorEnds has a conductor that is none, whose end is that of the guest.
func testConductorEnds(t *testing.T, blobs store.Blobs, catm tree.Node) {
	m := newConducted(t, func(machine.Job) (digest.Digest, bool) { return catm.Content, true })
	_, err := m.Run(t.Context(), belowJob(t, blobs, catm), blobs, nil)
	if fault.KindOf(err) != fault.Panic || !strings.Contains(err.Error(), "process 1 said") {
		t.Errorf("Run with a conductor that ends = %v; want a panic, and what it said", err)
	}
}
