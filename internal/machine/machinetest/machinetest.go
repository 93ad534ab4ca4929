// SPDX-License-Identifier: MIT

package machinetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Options say what can be asked of a machine.
type Options struct {
	// Simulated: steps are no processes, so that they cannot be killed, and know the verbs print, write, cp, exe, exit
	// and kill of the probe only.
	Simulated bool
	// Bare: nothing of rung is where the steps run. They get no environment and no devices, no wall is between them and
	// the inputs or the machine they are on, and no limit is held from within. What is then asked is in bareTests.
	Bare bool
	// Parallel: tests run side by side, but for those that look at processes. It is for machines that boot.
	Parallel bool
	// Running gives the processes of this host that have a word among their arguments, or are a machine of their own in
	// which one may have; nil for RunningWith, which finds steps that run on this host.
	Running func(t *testing.T, word string) []string
}

// subject is a machine, and what can be asked of it.
type subject struct {
	machine.Machine
	Options
}

// job is a Job that the machine has to be able to run.
func (m subject) job(t *testing.T, blobs store.Blobs, inputs []string, lines ...string) machine.Job {
	t.Helper()
	j := Job(t, blobs, inputs, lines...)
	if m.Bare {
		j.Env = nil
	}
	return j
}

// beside lets a test run beside others where the machine can do that.
func (m subject) beside(t *testing.T) {
	if m.Parallel {
		t.Parallel()
	}
}

type test struct {
	name  string
	run   func(*testing.T, subject)
	alone bool // no other test may run meanwhile
}

// Run runs the suite. Open makes a machine.
func Run(t *testing.T, o Options, open func(*testing.T) machine.Machine) {
	m := subject{open(t), o}
	if m.Running == nil {
		m.Running = RunningWith
	}
	for _, each := range suite(m) {
		t.Run(each.name, func(t *testing.T) {
			if !each.alone {
				m.beside(t)
			}
			each.run(t, m)
		})
	}
}

// suite is what is asked of a machine.
func suite(m subject) []test {
	tests := []test{
		{name: "Check", run: testCheck},
		{name: "Outputs", run: testOutputs},
		{name: "Failures", run: testFailures},
		{name: "Log", run: testLog},
		{name: "Events", run: testEvents},
		{name: "Groups", run: testGroups},
		{name: "SameTwice", run: testSameTwice},
		{name: "Refusals", run: testRefusals},
		{name: "AbsentInput", run: testAbsentInput},
		{name: "EndedContext", run: testEndedContext},
	}
	switch {
	case m.Simulated:
	case m.Bare:
		tests = append(tests, bareTests()...)
	case m.Info().Isolated:
		tests = slices.Concat(tests, processTests(), isolationTests())
	default:
		tests = append(tests, processTests()...)
	}
	return tests
}

func testCheck(t *testing.T, m subject) {
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v; want nil", err)
	}
	i := m.Info()
	if i.Name == "" || i.Version == "" || len(i.Arches) == 0 {
		t.Errorf("Info() = %+v; want a name, a version and architectures", i)
	}
}

func testOutputs(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in", "dir/in"}, "cp in out", "cp dir/in dir/out", "write new/deep/exe x", "exe new/deep/exe")
	j.Exports = []string{"dir/out", "new/deep/exe", "out"}
	r, _ := succeed(t, m, j, blobs)
	want := `dir 0555 0:0 0 dir
file 0444 0:0 0 dir/out "dir/in"
dir 0555 0:0 0 new
dir 0555 0:0 0 new/deep
file 0555 0:0 0 new/deep/exe "x"
file 0444 0:0 0 out "in"
`
	if diff := cmp.Diff(want, describe(t, blobs, r.Outputs)); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
	if len(r.Steps) != 4 {
		t.Errorf("Steps = %+v; want 4", r.Steps)
	}
}

// checkFailure checks that a job failed in a way.
func checkFailure(t *testing.T, r machine.Result, want machine.Failure) {
	t.Helper()
	if r.Failure == nil {
		t.Fatalf("Failure = nil; want %+v", want)
	}
	if diff := cmp.Diff(want, *r.Failure); diff != "" {
		t.Errorf("Failure (-want +got):\n%s", diff)
	}
	if r.Outputs.Len() != 0 {
		t.Errorf("Outputs of a failed job = %d nodes; want none", r.Outputs.Len())
	}
	if r.Log.IsZero() {
		t.Error("Log of a failed job is not set")
	}
}

func testFailures(t *testing.T, m subject) {
	blobs := &store.Mem{}
	tests := []struct {
		name  string
		lines []string
		want  machine.Failure
		last  machine.StepResult
	}{
		{"exit status", []string{"print a", "exit 7", "print b"},
			machine.Failure{Cause: machine.CauseExit, Step: 1, Detail: "exit status 7"}, machine.StepResult{Exit: 7}},
		{"signal", []string{"kill 15", "print b"},
			machine.Failure{Cause: machine.CauseSignal, Step: 0, Detail: "SIGTERM"}, machine.StepResult{Exit: -1, Signal: "SIGTERM"}},
		{"missing export", []string{"print a"},
			machine.Failure{Cause: machine.CauseMissing, Step: 1, Detail: `no file "out"`}, machine.StepResult{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m.beside(t)
			j := m.job(t, blobs, nil, tt.lines...)
			j.Exports = []string{"out"}
			r := run(t, m, j, blobs, nil)
			checkFailure(t, r, tt.want)
			if len(r.Steps) == 0 {
				t.Fatal("Steps is empty")
			}
			last := r.Steps[len(r.Steps)-1]
			last.Usage = machine.Usage{}
			if diff := cmp.Diff(tt.last, last); diff != "" {
				t.Errorf("last of Steps (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("no program", func(t *testing.T) {
		m.beside(t)
		j := m.job(t, blobs, nil, "print a")
		j.Steps = append(j.Steps, machine.Step{Argv: []string{"no/program"}, Limit: time.Minute})
		r := run(t, m, j, blobs, nil)
		checkFailure(t, r, machine.Failure{
			Cause: machine.CauseStart, Step: 1, Detail: `cannot start "no/program": no such file or directory`,
		})
	})
}

func testLog(t *testing.T, m subject) {
	blobs := &store.Mem{}
	_, log := succeed(t, m, m.job(t, blobs, nil, "print one two", "write out x", "print three"), blobs)
	if want := "one two\nthree\n"; log != want {
		t.Errorf("log = %q; want %q", log, want)
	}
}

func testEvents(t *testing.T, m subject) {
	blobs := &store.Mem{}
	var got []string
	var printed []byte
	watch := func(e machine.Event) {
		switch {
		case e.Result != nil:
			got = append(got, fmt.Sprintf("%d ends with %d", e.Step, e.Result.Exit))
		case e.Output != nil && m.Bare && len(printed) > 0: // a line carries bytes, and not what was written at once
			printed = append(printed, e.Output...)
			got[len(got)-1] = fmt.Sprintf("%d prints %q", e.Step, printed)
		case e.Output != nil:
			printed = e.Output
			got = append(got, fmt.Sprintf("%d prints %q", e.Step, printed))
		case e.Console != nil: // of the machine, and not of the job
		default:
			got = append(got, fmt.Sprintf("%d starts", e.Step))
		}
	}
	run(t, m, m.job(t, blobs, nil, "print a", "exit 3", "print b"), blobs, watch)
	want := []string{"0 starts", `0 prints "a\n"`, "0 ends with 0", "1 starts", "1 ends with 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func testGroups(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in"}, "cp in a", "cp in b", "cp in c", "cp a d", "print x", "print y", "cp d e")
	for i, group := range []int{1, 1, 1, 0, 2, 2, 0} {
		j.Steps[i].Group = group
	}
	j.Exports = []string{"a", "b", "c", "d", "e"}
	r, log := succeed(t, m, j, blobs)
	if len(r.Steps) != 7 || r.Outputs.Len() != 5 || log != "x\ny\n" {
		t.Errorf("Run = %d steps, %d outputs, log %q; want 7, 5, %q", len(r.Steps), r.Outputs.Len(), log, "x\ny\n")
	}
	j.Steps[1] = Step("exit", "5")
	j.Steps[1].Group = 1
	checkFailure(t, run(t, m, j, blobs, nil), machine.Failure{Cause: machine.CauseExit, Step: 1, Detail: "exit status 5"})
}

func testSameTwice(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in", "z"}, "cp in out/a", "cp z out/b", "print done")
	j.Exports = []string{"out/a", "out/b"}
	first, _ := succeed(t, m, j, blobs)
	second, _ := succeed(t, m, j, blobs)
	if describe(t, blobs, first.Outputs) != describe(t, blobs, second.Outputs) || first.Log != second.Log {
		t.Errorf("a second run gave other bytes: %v and %v", first, second)
	}
}

func testRefusals(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, nil, "print a")
	j.Limits.Memory = 0
	if _, err := m.Run(t.Context(), j, blobs, nil); fault.KindOf(err) != fault.Usage || err == nil {
		t.Errorf("Run(a job without a limit) = %v; want a fault of kind usage", err)
	}
	j = m.job(t, blobs, nil, "print a")
	j.Arch = "riscv64"
	if runtime.GOARCH == j.Arch {
		j.Arch = "amd64"
	}
	if _, err := m.Run(t.Context(), j, blobs, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Run(a job for another architecture) = %v; want a fault of kind unavailable", err)
	}
	if m.Bare {
		testBareRefusals(t, m)
	}
}

func testAbsentInput(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, nil, "write out x")
	var nodes []tree.Node
	for n := range j.Inputs.Nodes() {
		nodes = append(nodes, n)
	}
	nodes = append(nodes, tree.Node{Path: "lost", Kind: tree.File, Mode: machine.ModeFile, Content: digest.Of([]byte("lost"))})
	j.Inputs = Tree(t, nodes...)
	var missing *store.MissingError
	_, err := m.Run(t.Context(), j, blobs, nil)
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "lost") {
		t.Errorf("Run(a job whose input is absent) = %v; want a *store.MissingError that names the input", err)
	}
}

func testEndedContext(t *testing.T, m subject) {
	blobs := &store.Mem{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Run(ctx, m.job(t, blobs, nil, "print a"), blobs, nil)
	if fault.KindOf(err) != fault.Interrupted || !errors.Is(err, context.Canceled) {
		t.Errorf("Run(ended context) = %v; want a fault of kind interrupted", err)
	}
}
