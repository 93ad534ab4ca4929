// SPDX-License-Identifier: MIT

package walk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// inGroups makes steps of groups.
func inGroups(groups ...int) []machine.Step {
	var steps []machine.Step
	for i, g := range groups {
		steps = append(steps, machine.Step{Argv: []string{fmt.Sprint(i)}, Limit: time.Minute, Group: g})
	}
	return steps
}

func TestBatches(t *testing.T) {
	tests := []struct {
		groups []int
		want   [][]int
	}{
		{nil, nil},
		{[]int{0, 0}, [][]int{{0}, {1}}},
		{[]int{1, 1, 0, 1, 2, 2}, [][]int{{0, 1}, {2}, {3}, {4, 5}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Batches(inGroups(tt.groups...))); diff != "" {
			t.Errorf("Batches(%v) (-want +got):\n%s", tt.groups, diff)
		}
	}
}

func TestWalkRunsAGroupSideBySide(t *testing.T) {
	// Each of the two steps of the group waits for the other.
	meet := []chan bool{make(chan bool, 1), make(chan bool, 1)}
	var settled int
	w := Walker{
		Wide: 2,
		Step: func(i int, alone bool) bool {
			if alone != (i == 2) {
				t.Errorf("step %d: alone = %v", i, alone)
			}
			if i < 2 {
				meet[i] <- true
				<-meet[1-i]
			}
			return true
		},
		Stop:   func() { t.Error("Stop was called") },
		Settle: func() { settled++ },
	}
	if ok, err := w.Walk(inGroups(1, 1, 0)); !ok || err != nil || settled != 2 {
		t.Errorf("Walk = %v, %v, settled %d times; want true, nil, 2", ok, err, settled)
	}
}

func TestWalkEndsAtTheFirstFailure(t *testing.T) {
	var mu sync.Mutex
	var ran []int
	stopped := make(chan bool)
	w := Walker{
		Wide: 2,
		Step: func(i int, _ bool) bool {
			mu.Lock()
			ran = append(ran, i)
			mu.Unlock()
			if i == 1 { // runs beside the step that fails, until it is stopped
				<-stopped
			}
			return i != 2
		},
		Stop:   func() { close(stopped) },
		Settle: func() {},
	}
	ok, err := w.Walk(inGroups(0, 1, 1, 1, 0))
	slices.Sort(ran)
	if ok || err != nil || !slices.Equal(ran, []int{0, 1, 2}) {
		t.Errorf("Walk = %v, %v after steps %v; want false, nil after 0, 1, 2", ok, err, ran)
	}
}

func TestWalkSaysWhatEnterSays(t *testing.T) {
	want := errors.New("no way in")
	w := Walker{Wide: 2, Enter: func() error { return want }, Step: func(int, bool) bool { return true }}
	if _, err := w.Walk(inGroups(1, 1)); !errors.Is(err, want) {
		t.Errorf("Walk = %v; want %v", err, want)
	}
}

func TestJudge(t *testing.T) {
	limits := machine.Limits{Time: 1, Memory: 100, Output: 2048, Files: 3}
	tests := []struct {
		name  string
		ended Ended
		calls machine.Calls
		want  string // cause and detail
	}{
		{"well", Ended{Memory: 100, Bytes: 2048, Files: 3}, machine.CallsAny, ""},
		{"status", Ended{Exit: 3}, machine.CallsAny, "exit: exit status 3"},
		{"signal", Ended{Exit: -1, Signal: "SIGSEGV"}, machine.CallsSeed, "signal: SIGSEGV"},
		{"SIGSYS without a set", Ended{Exit: -1, Signal: "SIGSYS"}, machine.CallsAny, "signal: SIGSYS"},
		{"SIGSYS", Ended{Exit: -1, Signal: "SIGSYS"}, machine.CallsSeed,
			`call: SIGSYS: a system call that is not in the set "seed"`},
		{"output", Ended{Exit: 1, Bytes: 2049}, machine.CallsAny, "output: more than 2 KiB of output"},
		{"files", Ended{Files: 4}, machine.CallsAny, "files: more than 3 files"},
		{"memory", Ended{Memory: 101, Floor: 50}, machine.CallsAny, "memory: more than 100 bytes of memory"},
		{"memory of the machine itself", Ended{Memory: 101, Floor: 101}, machine.CallsAny, ""},
	}
	for _, tt := range tests {
		got := ""
		if f := Judge(7, tt.ended, limits, tt.calls); f != nil {
			got = fmt.Sprintf("%s: %s", f.Cause, f.Detail)
			if f.Step != 7 {
				t.Errorf("%s: step %d; want 7", tt.name, f.Step)
			}
		}
		if got != tt.want {
			t.Errorf("%s: Judge = %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestEndedOf(t *testing.T) {
	usage := syscall.Rusage{Utime: syscall.Timeval{Sec: 1, Usec: 5}, Stime: syscall.Timeval{Usec: 7}, Maxrss: 3}
	want := Ended{Exit: 9, CPU: time.Second + 12*time.Microsecond, Memory: 3072}
	if got := EndedOf(9<<8, usage); got != want { // wait(2): the status is in the second byte
		t.Errorf("EndedOf = %+v; want %+v", got, want)
	}
	for number, name := range map[syscall.WaitStatus]string{11: "SIGSEGV", 31 | 0x80: "SIGSYS", 40: "signal 40"} {
		if got := EndedOf(number, syscall.Rusage{}); got.Signal != name || got.Exit != -1 {
			t.Errorf("EndedOf(%d) = %+v; want %s", number, got, name)
		}
	}
}

func TestCourseKeepsTheLogInTheOrderOfSteps(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { now = now.Add(time.Second); return now }
	killed := 0
	job := machine.Job{Steps: inGroups(1, 1), Limits: machine.Limits{Time: time.Minute}}
	c := Begin(job, Options{Now: clock, MaxLog: 10, Kill: func() { killed++ }})
	c.Start(0)
	c.Start(1)
	c.Output(1, []byte("second"))
	c.Output(0, []byte("first"))
	c.End(0, Ended{CPU: 3, Memory: 5}, nil)
	blobs := &store.Mem{}
	r, err := c.Finish(t.Context(), blobs, tree.Tree{})
	if err != nil {
		t.Fatal(err)
	}
	log, err := blobs.Open(t.Context(), r.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	// "second" came first and left room for four more bytes.
	if text, err := io.ReadAll(log); err != nil || string(text) != "first"[:4]+"second" {
		t.Errorf("log = %q, %v; want %q", text, err, "firssecond")
	}
	want := machine.Failure{Cause: machine.CauseOutput, Step: 0, Detail: "printed more than 10 bytes"}
	if r.Failure == nil || *r.Failure != want || killed != 1 {
		t.Errorf("Failure = %+v, killed %d times; want %+v, once", r.Failure, killed, want)
	}
	steps := []machine.StepResult{
		{Usage: machine.Usage{Wall: 2 * time.Second, CPU: 3, Memory: 5}},
		{Exit: -1, Signal: "SIGKILL", Usage: machine.Usage{Wall: 3 * time.Second}},
	}
	if diff := cmp.Diff(steps, r.Steps); diff != "" {
		t.Errorf("Steps (-want +got):\n%s", diff)
	}
}

func TestAbandonTellsAnEndedContextFromAnError(t *testing.T) {
	c := Begin(machine.Job{Name: "j", Limits: machine.Limits{Time: time.Minute}}, Options{Now: time.Now})
	ctx, cancel := context.WithCancel(t.Context())
	if err := c.Abandon(ctx, os.ErrPermission); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Abandon = %v; want %v", err, os.ErrPermission)
	}
	cancel()
	if err := c.Abandon(ctx, os.ErrPermission); !errors.Is(err, context.Canceled) {
		t.Errorf("Abandon = %v; want %v", err, context.Canceled)
	}
}
