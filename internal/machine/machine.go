// SPDX-License-Identifier: MIT

// Package machine says what a machine is: anything that turns a tree and a straight-line program into a tree.
//
// A Job is plain data and maps one to one onto an Action of the Remote Execution API; its digest is the key of the
// action cache. Drivers live in folders of their own, know their own tool and nothing else, and pass the contract suite
// in machinetest.
package machine

import (
	"context"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Job is a straight-line program over a tree. Nothing outside of it may influence what comes out.
type Job struct {
	Name    string    // for messages only, not part of the digest: "amd64/boot1"
	Arch    string    // Go's name of the architecture the program is for: "amd64"
	Inputs  tree.Tree // the whole root directory the steps see; read-only to them
	Steps   []Step    // run in order, in the root directory; the first that fails ends the job
	Env     []string  // NAME=value, sorted; the whole environment
	Exports []string  // paths of files or directories that must exist after the last step, sorted
	Limits  Limits
	Calls   Calls // the system calls a step may make
	// Devices gives the steps a directory dev with the nodes that Devices lists, and nothing else in it; it is no input.
	Devices bool
}

// Step is one program run.
type Step struct {
	Argv  []string      // Argv[0] is a path from the root directory: "hex0"
	Limit time.Duration // wall time of this step; always more than 0
	// Group is 0 for a step that runs alone. Neighbours with one Group other than 0 are independent: a machine may run
	// them side by side and in any order.
	Group int
}

// Limits bound a job. Every one is always more than 0.
type Limits struct {
	Time   time.Duration // wall time of the whole job
	Memory int64         // bytes of resident memory of all processes together
	Output int64         // bytes written to the tree
	Files  int64         // files and directories made in the tree
}

// Calls names a set of system calls.
type Calls string

// The sets of system calls. CallsSeed is the contract of seed/SYSCALLS; a step that makes another is killed.
const (
	CallsAny  Calls = ""
	CallsSeed Calls = "seed"
)

// Result is what a job came to. A step that fails is a Result, not an error.
type Result struct {
	Outputs tree.Tree // the exports, their content in the store; empty where Failure is set
	Failure *Failure  // nil where every step ended with status 0 and every export exists
	Steps   []StepResult
	Log     digest.Digest // what the steps printed, in the store; always set
	Console digest.Digest // what the console of the machine showed, in the store; zero where it has none
	Usage   Usage         // of the whole job
}

// StepResult is what one step came to.
type StepResult struct {
	Exit   int    // exit status; -1 where a signal ended it
	Signal string // "SIGSEGV"; "" where it exited
	Usage  Usage
}

// Usage is what a run cost.
type Usage struct {
	Wall   time.Duration
	CPU    time.Duration // user and system
	Memory int64         // peak resident bytes of the largest process
}

// Cause says why a job failed.
type Cause string

// The causes of a failure.
const (
	CauseExit    Cause = "exit"    // a step ended with a status other than 0
	CauseSignal  Cause = "signal"  // a signal ended a step
	CauseStart   Cause = "start"   // a step's program could not be started
	CauseCall    Cause = "call"    // a step made a system call outside Job.Calls
	CauseMissing Cause = "missing" // an export does not exist after the last step
	CauseTime    Cause = "time"    // Step.Limit or Limits.Time was passed
	CauseMemory  Cause = "memory"  // Limits.Memory was passed
	CauseOutput  Cause = "output"  // Limits.Output was passed
	CauseFiles   Cause = "files"   // Limits.Files was passed
)

// IsLimit tells whether the cause is a limit that was passed.
func (c Cause) IsLimit() bool {
	return c == CauseTime || c == CauseMemory || c == CauseOutput || c == CauseFiles
}

// Failure says which step failed, and how.
type Failure struct {
	Cause  Cause
	Step   int    // index into Job.Steps; len(Job.Steps) for CauseMissing
	Detail string // one line for people: "exit status 1", "SIGSEGV", "no file \"hex1\"", "more than 64 MiB of memory"
}

// Info describes a machine.
type Info struct {
	Name     string   // "sandbox"
	Version  string   // of the driver and what it drives, for the ledger: "1 linux 6.18.44"
	Isolated bool     // a step sees nothing of the host
	Arches   []string // what it can run, Go's names
}

// Device is a node, directory or link below dev that a job with Devices finds there.
type Device struct {
	Name         string // below dev: "null"
	Mode         uint32 // permission bits
	Major, Minor uint32 // of a character device; 0, 0 for what is none
	Target       string // of a link: "pts/ptmx"; "" otherwise
}

// Devices are the same in every machine. Source of the numbers: Documentation/admin-guide/devices.txt of Linux. The
// directories pts (a devpts of the job's own) and shm (a tmpfs) hold nothing at first.
func Devices() []Device {
	return []Device{
		{Name: "full", Mode: 0o666, Major: 1, Minor: 7},
		{Name: "null", Mode: 0o666, Major: 1, Minor: 3},
		{Name: "ptmx", Mode: 0o777, Target: "pts/ptmx"},
		{Name: "pts", Mode: 0o755},
		{Name: "random", Mode: 0o666, Major: 1, Minor: 8},
		{Name: "shm", Mode: 0o1777},
		{Name: "tty", Mode: 0o666, Major: 5, Minor: 0},
		{Name: "urandom", Mode: 0o666, Major: 1, Minor: 9},
		{Name: "zero", Mode: 0o666, Major: 1, Minor: 5},
	}
}

// Machine runs jobs.
type Machine interface {
	Info() Info

	// Check tells whether the machine works here: nil, or a fault of kind Unavailable whose hint says what mends it.
	Check(ctx context.Context) error

	// Run runs a job: it takes the inputs' content from blobs, puts the outputs and the log there, and reports each
	// step to watch as it starts and ends. An error means that the job could not be run at all; where ctx ends, the
	// whole process tree is gone before Run returns.
	Run(ctx context.Context, job Job, blobs store.Blobs, watch Watch) (Result, error)
}

// Watch is told of a job's progress, from one goroutine at a time. A nil Watch is told nothing.
type Watch func(Event)

// Event is one thing that happened in a job.
type Event struct {
	Step   int         // index into Job.Steps
	Result *StepResult // nil where the step starts
	Output []byte      // what a step printed, as it comes; nil otherwise
	// Console is what the machine's own console showed, as it comes, whatever step runs; nil otherwise.
	Console []byte
}
