// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// SchemeOptions say how a SchemeMachine runs jobs.
type SchemeOptions struct {
	Agent  agent.Options // Now, MaxLog and Boot of them
	Kernel string        // file of the image; "" for one that is found
	Folder string        // where kernels are looked for too: a folder into which a package was unpacked
	Accel  string        // what QEMU takes behind -accel; "" for "tcg"
	// Scheme gives the scheme1 that conducts a job, whose content is in the store. ok is false for a job of a stage below
	// scheme1, of which each program is process 1 of a boot of its own.
	Scheme func(machine.Job) (program digest.Digest, ok bool)
}

// SchemeMachine runs jobs in guests that hold nothing of Go: see docs/conductor.md, which says what of a job it cannot
// hold to. Make one with NewScheme. It is safe for use by several goroutines at once.
type SchemeMachine struct{ o SchemeOptions }

// NewScheme makes a machine. Nothing is looked for before its first use.
func NewScheme(o SchemeOptions) *SchemeMachine {
	o.Agent = o.Agent.With()
	o.Agent.Terminal = nil // there is no shell in these guests
	if o.Accel == "" {
		o.Accel = "tcg"
	}
	return &SchemeMachine{o}
}

// schemeName is the machine's name.
const schemeName = "qemu-scheme"

// schemeVersion is that of the driver. It goes up when a step may see something else than before.
const schemeVersion = "1"

// schemeArch is the one architecture whose serial lines are known here: the four UARTs of a PC.
const schemeArch = "amd64"

// Info names the machine, and its kernel where there is one.
func (m *SchemeMachine) Info() machine.Info {
	version := "unknown"
	if k, err := m.kernel(); err == nil {
		version = k.version
	}
	i := machine.Info{Name: schemeName, Version: schemeVersion + " linux " + version, Isolated: true}
	if runtime.GOARCH == schemeArch {
		i.Arches = []string{schemeArch}
	}
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
		Name: name, Arch: schemeArch, Inputs: inputs, Steps: []machine.Step{{Argv: []string{name, "out"}, Limit: m.o.Agent.Boot}},
		Exports: []string{"out"}, Limits: machine.Limits{Time: m.o.Agent.Boot, Memory: 64 << 20, Output: 1 << 20, Files: 1},
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
func (m *SchemeMachine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := agent.CheckJob(ctx, schemeName, job); err != nil {
		return machine.Result{}, err
	}
	if err := checkConducted(job); err != nil {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: the machine %s %w", job.Name, schemeName, err)
	}
	scheme, ok := m.o.Scheme(job)
	if !ok {
		return m.runBelow(ctx, job, blobs, watch)
	}
	return m.runScheme(ctx, job, scheme, blobs, watch)
}

// checkConducted tells what of a job needs more than the system calls of the seed.
func checkConducted(job machine.Job) error {
	switch {
	case job.Arch != schemeArch:
		return fmt.Errorf("knows the serial lines of %s only", schemeArch)
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
	result, err := agent.Run(ctx, job, blobs, watch, m.o.Agent, start)
	if err != nil || c == nil {
		return machine.Result{}, err
	}
	result.Console, err = c.guest.keepConsole(ctx, blobs)
	if err != nil {
		return machine.Result{}, fault.New(fault.KindOf(err), "job %s: %w", job.Name, err)
	}
	return result, nil
}

// kernel is the kernel that guests boot.
func (m *SchemeMachine) kernel() (kernel, error) {
	if m.o.Kernel != "" {
		return openKernel(m.o.Kernel, schemeArch)
	}
	return findKernel("/", m.o.Folder, schemeArch)
}

// schemeProgram is QEMU.
const schemeProgram = "qemu-system-x86_64"

// boot starts a guest.
func (m *SchemeMachine) boot(o schemeOrder) (*schemeGuest, error) {
	program, err := exec.LookPath(schemeProgram)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the program %s: %w", schemeProgram, err).
			WithHint("install it; Debian has it in qemu-system-x86")
	}
	k, err := m.kernel()
	if err != nil {
		return nil, err
	}
	o.program, o.kernel, o.accel = program, k.path, m.o.Accel
	return startScheme(o)
}
