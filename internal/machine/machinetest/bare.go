// SPDX-License-Identifier: MIT

package machinetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
)

// bareTests are what a bare machine is asked beyond what every machine is: nothing of the host is there, all ends with
// the job, and what is not held is not kept quiet about.
func bareTests() []test {
	return []test{
		{name: "Limits", run: testLimits},
		{name: "OutOfMemory", run: testOutOfMemory},
		{name: "BareLink", run: testBareLink},
		{name: "HostFile", run: testHostFile},
		{name: "HostNetwork", run: testHostNetwork},
		{name: "Attack", run: testAttack},
		{name: "KilledByContext", run: testKilledByContext, alone: true},
		{name: "LeftBehind", run: testLeftBehind, alone: true},
	}
}

// testBareRefusals asks for what a bare machine cannot give. It says so before anything runs, and nothing is reported.
func testBareRefusals(t *testing.T, m subject) {
	change := map[string]func(*machine.Job){
		"an environment": func(j *machine.Job) { j.Env = []string{"A=1"} },
		"devices":        func(j *machine.Job) { j.Devices = true },
	}
	for what, ask := range change {
		blobs := &store.Mem{}
		j := m.job(t, blobs, nil, "print a")
		ask(&j)
		events := 0
		_, err := m.Run(t.Context(), j, blobs, func(machine.Event) { events++ })
		if fault.KindOf(err) != fault.Unavailable || events != 0 {
			t.Errorf("Run(a job with %s) = %v, %d events; want a fault of kind unavailable, and none", what, err, events)
		}
	}
}

// testOutOfMemory passes the limit on memory by so much that the machine itself has no more. Nobody counts there what a
// step takes: it is no Failure of the step, as elsewhere, but an end of the machine.
func testOutOfMemory(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, nil, "hog 1024")
	j.Limits.Memory = 32 * mib
	if r, err := m.Run(t.Context(), j, blobs, nil); fault.KindOf(err) != fault.OutOfMemory {
		t.Errorf("Run = %+v, %v; want a fault of kind out of memory", r.Failure, err)
	}
}

// testBareLink exports a link. Without a program that can read one, it is the file that it leads to.
func testBareLink(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in"}, "symlink ../in d/out")
	j.Exports = []string{"d/out"}
	r, _ := succeed(t, m, j, blobs)
	want := "dir 0555 0:0 0 d\nfile 0444 0:0 0 d/out \"in\"\n"
	if diff := cmp.Diff(want, describe(t, blobs, r.Outputs)); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
}
