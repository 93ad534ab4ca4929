// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// SchemeMachine runs jobs in guests that hold nothing of Go: see docs/conductor.md, which says what of a job it cannot
// hold to. Make one with NewScheme. It is safe for use by several goroutines at once.
type SchemeMachine struct {
	engine *Machine // what it has of the host, and the options
	scheme Scheme
}

// Scheme gives the scheme1 that conducts a job, whose content is in the store. ok is false for a job of a stage below
// scheme1, of which each program is process 1 of a boot of its own.
type Scheme func(machine.Job) (program digest.Digest, ok bool)

// NewScheme makes a machine. Wide, Terminal, Transport, Folder, Silence and Display are of no use to it.
func NewScheme(o Options, scheme Scheme) *SchemeMachine { return &SchemeMachine{New(o), scheme} }

// schemeName is the machine's name.
const schemeName = "qemu-scheme"

// schemeVersion is that of the driver. It goes up when a step may see something else than before.
const schemeVersion = "1"

// Info names the machine, QEMU, the kernel and the accelerator.
func (m *SchemeMachine) Info() machine.Info {
	i := m.engine.Info()
	i.Name, i.Version = schemeName, schemeVersion+strings.TrimPrefix(i.Version, version)
	return i
}

// Check boots a guest whose process 1 ends at once.
func (m *SchemeMachine) Check(ctx context.Context) error {
	const name = "check"
	blobs := &store.Mem{}
	program, err := blobs.Put(ctx, bytes.NewReader(exitZero()))
	if err != nil {
		return err
	}
	inputs, err := tree.New(tree.Node{Path: name, Kind: tree.File, Mode: machine.ModeExecutable, Content: program})
	if err != nil {
		return err
	}
	job := machine.Job{
		Name: name, Arch: arch, Inputs: inputs, Exports: []string{"out"},
		Steps:  []machine.Step{{Argv: []string{name, "out"}, Limit: time.Minute}},
		Limits: machine.Limits{Time: time.Minute, Memory: 64 << 20, Output: 1 << 20, Files: 1},
	}
	result, err := m.runBelow(ctx, job, blobs, nil)
	if err == nil && result.Failure != nil {
		err = fault.New(fault.Unavailable, "a program that ends at once: %s", result.Failure.Detail)
	}
	return err
}

// exitZero is the smallest program of Linux on amd64 that ends with status 0. Source: elf(5), and seed/amd64/hex0.hex0
// for the numbers.
func exitZero() []byte {
	return []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // 64 bits, little-endian
		"\x02\x00\x3e\x00\x01\x00\x00\x00\x78\x00\x40\x00\x00\x00\x00\x00" + // a program for x86-64, its entry
		"\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // program header at 64, no sections
		"\x00\x00\x00\x00\x40\x00\x38\x00\x01\x00\x00\x00\x00\x00\x00\x00" +
		"\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // load all of the file, to run
		"\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00" +
		"\x81\x00\x00\x00\x00\x00\x00\x00\x81\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x10\x00\x00\x00\x00\x00\x00" +
		"\x31\xff\xb8\xe7\x00\x00\x00\x0f\x05") // xor edi, edi; mov eax, 231 (exit_group); syscall
}

// Run runs a job: see machine.Machine.
func (m *SchemeMachine) Run(ctx context.Context, job machine.Job, blobs store.Blobs,
	watch machine.Watch) (machine.Result, error) {
	if err := job.Validate(); err != nil {
		return machine.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return machine.Result{}, fault.New(fault.Interrupted, "job %s: %w", job.Name, err)
	}
	if err := checkConducted(job); err != nil {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: the machine %s %w", job.Name, schemeName, err)
	}
	scheme, ok := m.scheme(job)
	if !ok {
		return m.runBelow(ctx, job, blobs, watch)
	}
	return m.runScheme(ctx, job, scheme, blobs, watch)
}

// checkConducted tells what of a job needs more than the system calls of the seed.
func checkConducted(job machine.Job) error {
	switch {
	case job.Arch != arch:
		return fmt.Errorf("knows the serial lines of %s only", arch)
	case len(job.Env) > 0:
		return fmt.Errorf("starts programs without an environment")
	case job.Devices:
		return fmt.Errorf("has no devices for steps")
	}
	for _, name := range []string{ownDir, consoleDir} {
		if _, ok := job.Inputs.Lookup(name); ok {
			return fmt.Errorf("needs %q for itself", name)
		}
	}
	return nil
}

// runScheme runs a job with scheme1 as its conductor.
func (m *SchemeMachine) runScheme(ctx context.Context, job machine.Job, scheme digest.Digest, blobs store.Blobs,
	watch machine.Watch) (machine.Result, error) {
	var c *conducted
	start := func(course *walk.Course) (*agent.Session, error) {
		var err error
		c, err = m.conduct(ctx, job, scheme, blobs, course)
		if err != nil {
			return nil, fault.New(fault.KindOf(err), "job %s: %w", job.Name, err)
		}
		return c.session(), nil
	}
	o := m.engine.options.Options
	o.Terminal = nil // there is no shell in these guests
	o.Slow = m.engine.slow(ctx)
	result, err := agent.Run(ctx, job, blobs, watch, o, start)
	if err != nil || c == nil {
		return machine.Result{}, err
	}
	result.Console, err = c.guest.keepConsole(ctx, blobs)
	if err != nil {
		return machine.Result{}, fault.New(fault.KindOf(err), "job %s: %w", job.Name, err)
	}
	return result, nil
}

// boot starts a guest.
func (m *SchemeMachine) boot(ctx context.Context, o schemeOrder) (*schemeGuest, error) {
	f, err := m.engine.find(ctx)
	if err != nil {
		o.initramfs.Close()
		return nil, err
	}
	return startScheme(f, o)
}
