// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/seedlang"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/seed"
)

// scheme1 is the program as the reference assembler makes it, for a test that does not climb to it. That the chain
// makes the same one is what rung audit shows.
var scheme1 = sync.OnceValues(func() ([]byte, error) {
	var sources []seedlang.Source
	for _, name := range []string{"amd64/P1.M1", "scheme1/memory.P1", "scheme1/nodes.P1", "scheme1/compile.P1",
		"scheme1/read.P1", "scheme1/print.P1", "scheme1/data.P1", "scheme1/system.P1", "scheme1/table.P1"} {
		text, err := fs.ReadFile(seed.Files(), name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, seedlang.Source{Name: name, Text: text})
	}
	program, _, err := seedlang.Assemble(seedlang.M1pp, seedlang.Base, sources...)
	return program, err
})

// supplied is a machine that finds scheme1 in each store, as in that of a chain.
type supplied struct {
	*SchemeMachine
	program []byte
}

func (m supplied) Run(ctx context.Context, job machine.Job, blobs store.Blobs,
	watch machine.Watch) (machine.Result, error) {
	if _, err := blobs.Put(context.WithoutCancel(ctx), bytes.NewReader(m.program)); err != nil {
		return machine.Result{}, err
	}
	return m.SchemeMachine.Run(ctx, job, blobs, watch)
}

// newSupplied is a machine whose jobs are all conducted by scheme1, and have no more time than their limits say.
func newSupplied(t *testing.T, maxLog int64) machine.Machine {
	t.Helper()
	program, err := scheme1()
	if err != nil {
		t.Fatal(err)
	}
	need.Arch(t, arch)
	of := digest.Of(program)
	return supplied{NewScheme(Options{
		Options: agent.Options{Now: time.Now, Slow: 1, MaxLog: maxLog}, Accel: accelTCG,
		Program: need.Tool(t, "qemu-system-x86_64"), Kernel: need.Kernel(t),
	}, func(machine.Job) (digest.Digest, bool) { return of, true }), program}
}

func TestContractScheme(t *testing.T) {
	need.Whole(t)
	o := machinetest.Options{Bare: true, Parallel: true, Running: guests}
	machinetest.Run(t, o, func(t *testing.T) machine.Machine { return newSupplied(t, 0) })
}

// TestSchemeTellsAKillFromTooLittleMemory has a step be killed as the kernel kills one where memory runs out.
func TestSchemeTellsAKillFromTooLittleMemory(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, nil, "kill 9")
	job.Env = nil
	r, err := newSupplied(t, 0).Run(t.Context(), job, blobs, nil)
	want := machine.Failure{Cause: machine.CauseSignal, Step: 0, Detail: "SIGKILL"}
	if err != nil || r.Failure == nil || *r.Failure != want {
		t.Errorf("Run = %+v, %v; want %+v", r.Failure, err, want)
	}
}

// TestSchemeLimitsWhatIsPrinted has a limit that a serial line comes to soon.
func TestSchemeLimitsWhatIsPrinted(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, nil, "print a", "spew 100000", "print b")
	job.Env = nil
	r, err := newSupplied(t, 1<<10).Run(t.Context(), job, blobs, nil)
	want := machine.Failure{Cause: machine.CauseOutput, Step: 1, Detail: "printed more than 1 KiB"}
	if err != nil || r.Failure == nil || *r.Failure != want || r.Log.Size() != 1<<10 {
		t.Errorf("Run = %+v, a log of %d bytes, %v; want %+v, and 1024", r.Failure, r.Log.Size(), err, want)
	}
}
