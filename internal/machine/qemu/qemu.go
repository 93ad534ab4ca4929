// SPDX-License-Identifier: MIT

// Package qemu is the machine whose steps run on another kernel, on a machine that QEMU plays.
//
// The kernel is one of the host's, or one that was unpacked beside it (kernel.go). It boots an initramfs whose process 1
// is rung itself (guest.go), which loads the modules for virtio (modules.go) and works as an agent (package agent). The
// order is on a disk, and reports come over a virtio-serial port; where the kernel has no virtio, the order is in the
// initramfs, and reports come over the second UART (package uart). The console is a line of its own, kept whole and
// watched (package console). QEMU is started stopped, and told to go on over its monitor (qmp.go).
//
// KVM is used where a guest of a few instructions has run with it (accel.go). QEMU has no file of rung's by name, has no
// network, and ends with rung, whatever ends rung.
//
// Left out on purpose: architectures other than amd64; images of disks, since a guest lives for one job; and snapshots of
// a guest that has booted, which differ by the version of QEMU.
//
// Specification: docs/machines.md; of QEMU, the pages "Invocation" and "QEMU Machine Protocol" of its documentation.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

const name = "qemu"

// version of the driver, for the ledger. It goes up when a step may see something else than before.
const version = "1"

const arch = "amd64"

// How reports come.
const (
	TransportAuto   = ""
	TransportVirtio = "virtio"
	TransportUART   = "uart"
)

// Options of a machine.
type Options struct {
	agent.Options
	Program   string // QEMU, by path or by name; "" for qemu-system-x86_64
	Kernel    string // the file of a Linux kernel; "" for the newest that is found
	Kernels   string // a folder into which a package with a kernel was unpacked
	Accel     string // "kvm", "tcg", or "" for what works
	Transport string // TransportVirtio, TransportUART, or TransportAuto for virtio where the kernel has it
	Folder    string // for files that live as long as a job
	// State is a folder in which it is kept, until the next start of this host, whether KVM works; "" for nowhere.
	State string
	// Silence is how long a guest may give no sign of life; 0 for a minute.
	Silence time.Duration
	// Display is the environment by which QEMU reaches a display, for a window with the guest's console, where a person
	// sits at Terminal; nil for no window.
	Display []string
}

// Machine runs jobs in guests. Make one with New. It is safe for use by several goroutines at once.
type Machine struct {
	options Options
	host    string                                               // the folder in which boot and usr are
	connect func(name string) (ours, theirs *os.File, err error) // makes the lines to a guest
	// maxShown is how much a console may show, in bytes.
	maxShown int

	mu    sync.Mutex
	found *found // protected by mu; nil until it was looked for
	pack  *pack  // likewise
}

// found is what a host has for guests.
type found struct {
	program, version string // of QEMU
	kernel           kernel
	accel            accel
}

// pack is what is the same in every guest.
type pack struct {
	initramfs *os.File
	virtio    bool
}

// New makes a machine. A program that uses one calls Guest first thing.
func New(o Options) *Machine {
	o.Wide = max(o.Wide, 0)
	if o.Boot <= 0 {
		o.Boot = 5 * time.Minute // longer than Silence: a guest that says something is slow, and not dead
	}
	o.Options = o.With()
	if o.Program == "" {
		o.Program = "qemu-system-x86_64"
	}
	if o.Silence <= 0 {
		o.Silence = time.Minute
	}
	return &Machine{options: o, host: "/", connect: pair, maxShown: maxShown}
}

// Info names the machine, QEMU, the kernel and the accelerator.
func (m *Machine) Info() machine.Info {
	f, err := m.find(context.Background())
	said := version
	if err == nil {
		said += fmt.Sprintf(" qemu %s linux %s %s", f.version, f.kernel.version, f.accel.name)
	}
	return machine.Info{Name: name, Version: said, Isolated: true, Arches: []string{arch}}
}

// Accel says which accelerator is used, and in a sentence why that one.
func (m *Machine) Accel(ctx context.Context) (accel, why string, err error) {
	f, err := m.find(ctx)
	return f.accel.name, f.accel.why, err
}

// Check runs a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	job := machine.Job{Name: "check", Arch: arch, Limits: machine.Limits{Time: time.Minute, Memory: 1 << 20, Output: 1 << 20, Files: 1}}
	r, err := m.run(ctx, job, &store.Mem{}, nil)
	switch {
	case err == nil && r.Failure != nil:
		return fault.New(fault.Unavailable, "qemu: %s", r.Failure.Detail)
	case err == nil || fault.KindOf(err) == fault.Interrupted || fault.HintOf(err) != "":
		return err
	}
	return fault.New(fault.Unavailable, "qemu: %w", err)
}

// Run runs a job: see machine.Machine. A guest that goes wrong is an error of a kind of its own, in which errors.As finds
// a *console.Trouble.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := job.Validate(); err != nil {
		return machine.Result{}, err
	}
	if job.Arch != arch {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: the machine %s runs %s, not %s", job.Name, name, arch, job.Arch)
	}
	return m.run(ctx, job, blobs, watch)
}

// slowTCG is how many times slower than a processor a program that plays one is, at worst.
const slowTCG = 20

// slow is how many times longer than its limits say a job may take.
func (m *Machine) slow(ctx context.Context) int {
	if m.options.Slow > 0 {
		return m.options.Slow
	}
	if f, err := m.find(ctx); err == nil && f.accel.name == "tcg" {
		return slowTCG
	}
	return 1 // where nothing was found, the run says so
}

// boots is how often a guest is booted whose kernel falls silent before the agent has said a word. TCG with two
// processors now and then leaves a kernel waiting in the middle of its start; nothing of the job has happened then.
const boots = 3

// run runs a job, in a guest that comes up.
func (m *Machine) run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	for i := 1; ; i++ {
		s, r, err := m.try(ctx, job, blobs, watch)
		if i == boots || fault.KindOf(err) != fault.Silence || s == nil || s.spoke.Load() {
			return r, err
		}
		if watch != nil {
			watch(machine.Event{Console: []byte("rung: the guest did not come up; it is booted once more\n")})
		}
	}
}

// try runs a job in a guest. The session is nil where there was none.
func (m *Machine) try(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (*session, machine.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, machine.Result{}, fault.New(fault.Interrupted, "job %s: %w", job.Name, err)
	}
	var s *session
	o := m.options.Options
	o.Slow = m.slow(ctx)
	r, err := agent.Run(ctx, job, blobs, watch, o, func(c *walk.Course) (*agent.Session, error) {
		var err error
		if s, err = m.launch(ctx, job, blobs, c); err != nil {
			return nil, err
		}
		return s.agent(), nil
	})
	if s != nil {
		r, err = s.finish(r, err)
		return s, r, err
	}
	if err != nil && ctx.Err() != nil {
		err = fault.New(fault.Interrupted, "job %s: %w", job.Name, context.Cause(ctx))
	}
	return nil, r, err
}

// find looks for all that a guest needs of the host, once.
func (m *Machine) find(ctx context.Context) (found, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found != nil {
		return *m.found, nil
	}
	if err := checkHost(); err != nil {
		return found{}, err
	}
	var f found
	var err error
	if f.program, err = exec.LookPath(m.options.Program); err != nil {
		return found{}, fault.New(fault.Unavailable, "qemu: %w", err).
			WithHint("install QEMU for x86: the package qemu-system-x86, or as your system calls it")
	}
	if f.version, err = versionOf(ctx, f.program); err != nil {
		return found{}, err
	}
	if m.options.Kernel != "" {
		f.kernel, err = openKernel(m.options.Kernel, arch)
	} else {
		f.kernel, err = findKernel(m.host, m.options.Kernels, arch)
	}
	if err != nil {
		return found{}, err
	}
	if f.accel, err = chooseAccel(ctx, m.options.Accel, f.program, f.version, m.options.State); err != nil {
		return found{}, err
	}
	m.found = &f
	return f, nil
}

// versionTime is how long QEMU may take to say its version.
const versionTime = 20 * time.Second

// versionOf is what QEMU says of its version: "7.2.22".
func versionOf(ctx context.Context, program string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, versionTime)
	defer cancel()
	said, err := exec.CommandContext(limited, program, "--version").Output()
	if ctx.Err() != nil {
		return "", fault.New(fault.Interrupted, "%s --version: %w", program, context.Cause(ctx))
	}
	_, after, ok := strings.Cut(string(said), "version ")
	if err != nil || !ok {
		return "", fault.New(fault.Unavailable, "%s --version: %.80q, %v", program, said, err).
			WithHint("name a QEMU that works, or install one: the package qemu-system-x86")
	}
	return strings.TrimSpace(strings.SplitN(strings.SplitN(after, "\n", 2)[0], " ", 2)[0]), nil
}

// packed gives what is the same in every guest, and makes it where that has not been done.
func (m *Machine) packed(k kernel) (pack, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pack != nil {
		return *m.pack, nil
	}
	files, err := agent.Files()
	if err != nil {
		return pack{}, err
	}
	t, err := m.transport(k)
	if err != nil {
		return pack{}, err
	}
	f, err := unnamed(m.options.Folder)
	if err != nil {
		return pack{}, fault.New(fault.Unavailable, "qemu: initramfs: %w", err)
	}
	if err := packGuest(f, files, t); err != nil {
		return pack{}, errors.Join(fault.New(fault.Unavailable, "qemu: initramfs: %w", err), f.Close())
	}
	m.pack = &pack{f, t.virtio}
	return *m.pack, nil
}

// transport is what goes over virtio, and the modules for it in the order in which they are loaded.
type transport struct {
	virtio  bool // reports go over a port, and a large order is on a disk
	modules []module
	disk    []module // those for the disk alone
}

func (m *Machine) transport(k kernel) (transport, error) {
	asked := m.options.Transport
	if asked == TransportUART || k.modules == "" && asked == TransportAuto {
		return transport{}, nil
	}
	if k.modules == "" {
		return transport{}, fault.New(fault.Unavailable, "kernel %s: no folder with its modules", k.path)
	}
	t, err := virtioOf(k)
	var none *noModuleError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &none) && asked == TransportAuto:
		return transport{}, nil
	}
	return transport{}, fault.New(fault.Unavailable, "kernel %s: %w", k.path, err).WithHint("name another kernel with --kernel FILE")
}

// virtioOf gives the modules for virtio.
func virtioOf(k kernel) (transport, error) {
	all, err := openModules(os.DirFS(k.modules), k.version)
	if err != nil {
		return transport{}, err
	}
	port, err := all.order("virtio_pci", "virtio_console")
	if err != nil {
		return transport{}, err
	}
	disk, err := all.order("virtio_pci", "virtio_console", "virtio_blk")
	if err != nil {
		return transport{}, err
	}
	return transport{virtio: true, modules: port, disk: disk[len(port):]}, nil
}

// duplicate is the same open file once more, for a process to inherit.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
