// SPDX-License-Identifier: MIT

// Package live is the host side of live-bootstrap for an unmodified checkout: what its own rootfs.py does, checked
// before anything is written, deterministic, resumable, and watched while it runs.
//
// A checkout is read (Open), the command line becomes Options, both become a Plan: the configuration, the scripts the
// guest will generate, the distfiles each medium carries, the media and the command line. Check tells what is wrong with
// it before anything is written; Build writes the media into a folder that appears whole or not at all; Run boots them.
//
// The manifest language and the in-guest script generator are in manifest, the sources files and their download in
// distfile, what a running guest tells in guest, the audit of inputs in audit. The formats of media are in
// internal/format: srcfs, payload, ramdrive, disk.
//
// Left out on purpose: everything that runs in the guest. The checkout is never changed.
//
// Specification: docs/live-bootstrap.md, which lists the requirements by number with the test that shows each.
package live

import "time"

// Mode is how a guest is run.
type Mode string

// The modes. A run has exactly one.
const (
	Chroot    Mode = "chroot"
	Bwrap     Mode = "bwrap"
	QEMU      Mode = "qemu"
	BareMetal Mode = "bare-metal"
)

// Options are a command line, with the names and meanings of rootfs.py. Sizes are in MiB.
type Options struct {
	Mode   Mode
	Arch   string // of live-bootstrap: "x86", "amd64", "riscv64"
	Target string // the product folder, absolute

	Cores           int
	ForceTimestamps bool
	UpdateChecksums bool
	ExternalSources bool
	BuildKernels    bool
	NoCreateConfig  bool
	Interactive     bool
	Configurator    bool
	InternalCI      string // the name of a CI pass; "" for none

	Mirrors      []string // addresses; file:// has been given an address of its own by the caller
	Repo         string   // folder of prebuilt packages; "" for none
	EarlyPreseed string   // archive with a root file system to start after bash; "" for none
	Swap         int64    // MiB

	QEMUCommand string
	RAM         int64  // MiB
	TargetSize  int64  // MiB, of the disk that is booted in QEMU
	Kernel      string // a kernel in place of builder-hex0's; "" for the bootstrap from there

	Stage0Image   string   // an image of an earlier run to boot; "" for none
	BuildGuixAlso bool     // a first generation of extra builds knows one only
	ExtraBuilds   []string // names of extra roots: steps-NAME
	BreakAfter    string   // "SCOPE:STEP"; "" for none
	ShipImporter  bool     // add an importer of payloads to a checkout that has none
	Silence       time.Duration
}

// KernelBootstrap tells whether the guest starts at builder-hex0, without a kernel from outside.
func (o Options) KernelBootstrap() bool {
	return (o.Mode == QEMU || o.Mode == BareMetal) && o.Kernel == ""
}
