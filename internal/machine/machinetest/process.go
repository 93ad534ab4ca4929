// SPDX-License-Identifier: MIT

package machinetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
)

// processTests ask what only a machine whose steps are processes can do.
func processTests() []test {
	return []test{
		{name: "Limits", run: testLimits},
		{name: "Links", run: testLinks},
		{name: "ReadOnlyInputs", run: testReadOnlyInputs},
		{name: "KilledByContext", run: testKilledByContext, alone: true},
		{name: "Devices", run: testDevices},
	}
}

const mib = 1 << 20

// limitTest is a job that passes a limit.
type limitTest struct {
	name    string
	within  bool   // only what is where the steps run can hold it
	exports string // what is made: a bare machine counts what it sees of that
	lines   []string
	limit   func(*machine.Job)
	want    machine.Failure
}

func limitTests() []limitTest {
	return []limitTest{
		{"time of a step", false, "", []string{"print a", "wait"},
			func(j *machine.Job) { j.Steps[1].Limit = 20 * time.Millisecond },
			machine.Failure{Cause: machine.CauseTime, Step: 1, Detail: "ran longer than 20ms"}},
		// Long enough for a machine with other work to get to the step.
		{"time of the job", false, "", []string{"wait"},
			func(j *machine.Job) { j.Limits.Time = 800 * time.Millisecond },
			machine.Failure{Cause: machine.CauseTime, Step: 0, Detail: "the job ran longer than 800ms"}},
		{"memory", true, "", []string{"print a", "hog 64"},
			func(j *machine.Job) { j.Limits.Memory = 32 * mib },
			machine.Failure{Cause: machine.CauseMemory, Step: 1, Detail: "more than 32 MiB of memory"}},
		{"memory of two", true, "", []string{"print a", "hog 40", "hog 40"},
			func(j *machine.Job) { j.Limits.Memory = 64 * mib; j.Steps[1].Group = 1; j.Steps[2].Group = 1 },
			machine.Failure{Cause: machine.CauseMemory, Step: 1, Detail: "more than 64 MiB of memory"}},
		{"processes", true, "", []string{"forks 1200"},
			func(j *machine.Job) { j.Limits.Memory = 4 << 30 }, // each takes about a MiB
			machine.Failure{Cause: machine.CauseMemory, Step: 0, Detail: "more than 1000 processes"}},
		{"output", false, "a b c", []string{"fill a 65536", "fill b 65536", "fill c 65536"},
			func(j *machine.Job) { j.Limits.Output = mib / 8 },
			machine.Failure{Cause: machine.CauseOutput, Step: 2, Detail: "more than 128 KiB of output"}},
		{"output of a program that does not look", false, "a", []string{"quiet a 2000000"},
			func(j *machine.Job) { j.Limits.Output = mib },
			machine.Failure{Cause: machine.CauseOutput, Step: 0, Detail: "more than 1 MiB of output"}},
		{"files", false, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0", []string{"files a 10", "files b 1"},
			func(j *machine.Job) { j.Limits.Files = 10 },
			machine.Failure{Cause: machine.CauseFiles, Step: 1, Detail: "more than 10 files"}},
		// The line of a bare machine would take half a minute for it: its own tests have a lower limit.
		{"log", true, "", []string{"print a", "spew 20000000"}, func(*machine.Job) {},
			machine.Failure{Cause: machine.CauseOutput, Step: 1, Detail: "printed more than 16 MiB"}},
	}
}

func testLimits(t *testing.T, m subject) {
	for _, tt := range limitTests() {
		if tt.within && m.Bare {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			m.beside(t)
			blobs := &store.Mem{}
			j := m.job(t, blobs, nil, tt.lines...)
			j.Exports = strings.Fields(tt.exports)
			tt.limit(&j)
			r := run(t, m, j, blobs, nil)
			checkFailure(t, r, tt.want)
			if len(r.Steps) <= tt.want.Step {
				t.Errorf("Steps = %+v; want one for step %d", r.Steps, tt.want.Step)
			}
		})
	}
	t.Run("just within", func(t *testing.T) {
		m.beside(t)
		blobs := &store.Mem{}
		j := m.job(t, blobs, []string{"in"}, "fill a 131072", "files b 9", "hog 0")
		j.Steps = j.Steps[:2]
		j.Exports = strings.Fields("a b0 b1 b2 b3 b4 b5 b6 b7 b8")
		j.Limits.Output, j.Limits.Files = mib/8, 10
		succeed(t, m, j, blobs)
	})
}

func testLinks(t *testing.T, m subject) {
	blobs := &store.Mem{}
	tests := []struct {
		name, line, want string // want is the failure's detail, "" for none
	}{
		{"inside", "symlink ../in d/out", ""},
		{"out of the tree", "symlink ../../in d/out", `the link "d/out" has the target "../../in" outside of the tree`},
		{"absolute", "symlink /in d/out", `the link "d/out" has the target "/in" outside of the tree`},
		{"fifo", "fifo d/out", `"d/out" is neither file, directory nor link: p---------`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := m.job(t, blobs, []string{"in"}, tt.line)
			j.Exports = []string{"d/out"}
			r := run(t, m, j, blobs, nil)
			if tt.want != "" {
				checkFailure(t, r, machine.Failure{Cause: machine.CauseMissing, Step: 1, Detail: tt.want})
				return
			}
			want := "dir 0555 0:0 0 d\nsymlink 0777 0:0 0 d/out -> ../in\n"
			if diff := cmp.Diff(want, describe(t, blobs, r.Outputs)); diff != "" {
				t.Errorf("Outputs (-want +got):\n%s", diff)
			}
		})
	}
}

// testReadOnlyInputs looks at the inputs after a step has tried to change them. A machine that does not isolate keeps
// only from writing by mistake: it has no more than the modes.
func testReadOnlyInputs(t *testing.T, m subject) {
	blobs := &store.Mem{}
	if !m.Info().Isolated {
		j := m.job(t, blobs, []string{"in"}, "write in x")
		if r := run(t, m, j, blobs, nil); os.Getuid() != 0 && r.Failure == nil {
			t.Error("a step could write to an input")
		}
		return
	}
	inputs := []string{"in", "open/in", "closed/in"}
	j := m.job(t, blobs, inputs, "modify in", "modify open/in", "modify closed/in", "modify open", "modify closed",
		"modify probe", "write open/new x", "cp in copy")
	j.Exports = append(slices.Clone(inputs[:1]), "open/in", "open/new")
	r, log := succeed(t, m, j, blobs)
	// A directory that holds an export is there to be written to: its mode and times can be changed.
	if want := "modified by chmod\nmodified by times\n"; log != want {
		t.Errorf("log = %q; want %q", log, want)
	}
	want := `file 0444 0:0 0 in "in"
dir 0555 0:0 0 open
file 0444 0:0 0 open/in "open/in"
file 0444 0:0 0 open/new "x"
`
	if diff := cmp.Diff(want, describe(t, blobs, r.Outputs)); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
}

// RunningWith are the processes of this host that have the word among their arguments.
func RunningWith(t *testing.T, word string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && slices.ContainsFunc(bytes.Split(text, []byte{0}), func(b []byte) bool { return string(b) == word }) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

// Word is an argument by which a process of this test can be found among all processes.
func Word(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), os.Getpid()) }

func testKilledByContext(t *testing.T, m subject) {
	blobs := &store.Mem{}
	word := Word(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	watch := func(e machine.Event) {
		if e.Output != nil {
			seen = max(seen, len(m.Running(t, word)))
			cancel()
		}
	}
	_, err := m.Run(ctx, m.job(t, blobs, nil, "daemon "+word+" daemon "+word+" wait"), blobs, watch)
	if fault.KindOf(err) != fault.Interrupted {
		t.Errorf("Run = %v; want a fault of kind interrupted", err)
	}
	if seen == 0 {
		t.Error("no process was running when the context ended")
	}
	if left := m.Running(t, word); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

// testLeftBehind leaves processes behind that hold the log open.
func testLeftBehind(t *testing.T, m subject) {
	blobs := &store.Mem{}
	word := Word(t)
	j := m.job(t, blobs, nil, "daemon "+word, "print a", "daemon "+word, "print b")
	j.Steps[2].Group, j.Steps[3].Group = 1, 1
	succeed(t, m, j, blobs)
	if left := m.Running(t, word); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

// testDevices has a step look at the devices a job may ask for. A machine without a root directory of its own has none
// to give, and says so.
func testDevices(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in"}, "devices", "cp in out")
	j.Devices, j.Exports = true, []string{"out"}
	r, err := m.Run(t.Context(), j, blobs, nil)
	if !m.Info().Isolated && fault.KindOf(err) == fault.Unavailable {
		return
	}
	if err != nil || r.Failure != nil {
		t.Fatalf("Run = %+v, %v, log %q", r.Failure, err, read(t, blobs, r))
	}
	want := `full Dcrw-rw-rw- 1:7 writing: no space left on device
null Dcrw-rw-rw- 1:3 reads 0 bytes
ptmx Lrwxrwxrwx pts/ptmx, opens pts/0
pts drwxr-xr-x
random Dcrw-rw-rw- 1:8 reads 16 bytes
shm dtrwxrwxrwx takes a file
tty Dcrw-rw-rw- 5:0 opening: no such device or address
urandom Dcrw-rw-rw- 1:9 reads 16 bytes
zero Dcrw-rw-rw- 1:5 reads 16 bytes
a new file: read-only file system
`
	if diff := cmp.Diff(want, read(t, blobs, r)); diff != "" {
		t.Errorf("the devices a step sees (-want +got):\n%s", diff)
	}
}

// LeavesNothing runs a job some times, and wants no more open files or goroutines after the last than after the first, which
// may leave what a machine keeps.
func LeavesNothing(t *testing.T, m machine.Machine, blobs store.Blobs, job machine.Job, times int) {
	t.Helper()
	count := func() (int, int) {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open), runtime.NumGoroutine()
	}
	var files, routines int
	for i := range times {
		if _, err := m.Run(t.Context(), job, blobs, nil); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			files, routines = count()
		}
	}
	if f, r := count(); f > files || r > routines+1 {
		t.Errorf("after %d jobs %d files open and %d goroutines; want %d and %d as after one", times, f, r, files, routines)
	}
}
