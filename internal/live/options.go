// SPDX-License-Identifier: MIT

// Package live is the host side of live-bootstrap for an unmodified checkout: what its own rootfs.py does, checked
// before anything is written, deterministic, resumable, and watched while it runs.
//
// A checkout is read (Open), the command line becomes Options, both become a Plan: the configuration, the scripts the
// guest will generate, the distfiles each medium carries, the media and the command line. Check tells what is wrong with
// it before anything is written; a Builder writes the media into a folder that appears whole or not at all; the plan's
// command starts the guest.
//
// The manifest language and the in-guest script generator are in manifest, the sources files and their download in
// distfile, what a running guest tells in guest, the audit of inputs in audit. The formats of media are in
// internal/format: srcfs, payload, ramdrive, disk.
//
// Left out on purpose: everything that runs in the guest. The checkout is never changed.
//
// Specification: docs/live-bootstrap.md, which lists the requirements by number with the test that shows each.
package live

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/manifest"
)

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
	// PayloadVersion is "u32" or "u64", the width of numbers in a payload; "" for what the importer's source shows.
	PayloadVersion string
	Silence        time.Duration
}

// KernelBootstrap tells whether the guest starts at builder-hex0, without a kernel from outside.
func (o Options) KernelBootstrap() bool {
	return (o.Mode == QEMU || o.Mode == BareMetal) && o.Kernel == ""
}

// ParseSize reads a size as rootfs.py does: a number of MiB, or of GiB where the text ends in g or G. An m or M at the end
// changes nothing. The flag's name is for the error, which is of kind fault.Usage.
func ParseSize(flag, text string) (int64, error) {
	bad := func() error {
		return fault.New(fault.Usage, "%s %s: not a size", flag, text).
			WithHint("give a number of MiB, or one with M or G behind it: 2048, 2048M, 2G")
	}
	digits := strings.TrimRight(text, "gGmM")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || len(text)-len(digits) > 1 || digits[0] == '+' {
		return 0, bad()
	}
	if strings.HasSuffix(strings.ToLower(text), "g") {
		if n > 1<<20 {
			return 0, bad()
		}
		n *= 1024
	}
	if n < 0 || n > 1<<30 {
		return 0, bad()
	}
	return n, nil
}

// Validate tells what is wrong with a command line by itself, in the order in which rootfs.py looks: the first thing, as
// fault.Usage.
func (o Options) Validate() error {
	for _, check := range []func(Options) error{
		Options.validateMode, Options.validateSizes, Options.validateMirrors, Options.validateTexts,
		Options.validateExtras,
	} {
		if err := check(o); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) validateMode() error {
	switch {
	case !slices.Contains([]Mode{Chroot, Bwrap, QEMU, BareMetal}, o.Mode):
		return fault.New(fault.Usage, "no mode").WithHint("give one of --qemu, --bare-metal, --chroot and --bwrap")
	case o.Arch == "" || strings.ContainsAny(o.Arch, "/. "):
		return fault.New(fault.Usage, "--arch %q: no architecture", o.Arch).WithHint("use x86, amd64 or riscv64")
	case o.KernelBootstrap() && o.Stage0Image == "" && o.Arch != "x86":
		return fault.New(fault.Usage, "--arch %s: builder-hex0 is for x86 only", o.Arch).
			WithHint("use --arch x86, or start from a kernel with --kernel FILE")
	case o.Cores < 1:
		return fault.New(fault.Usage, "--cores %d: fewer than one", o.Cores).WithHint("give 1 or more")
	case o.EarlyPreseed != "" && o.Arch != "x86":
		return fault.New(fault.Usage, "--early-preseed: for x86 only, not %s", o.Arch).
			WithHint("leave out one of the two")
	case o.Kernel != "" && o.Mode != QEMU && o.Mode != BareMetal:
		return fault.New(fault.Usage, "--kernel: %s uses the kernel of the host", o.Mode).WithHint("leave it out")
	}
	return nil
}

// What a boot disk has to have beyond its unpartitioned head, in MiB, for a root file system that can hold anything.
const (
	headMiB = 1024
	rootMiB = 64
)

// minRAM is what builder-hex0 and Fiwix address, in MiB: up to 0xBC000000.
const minRAM = 3008

func (o Options) validateSizes() error {
	switch {
	case o.Mode == QEMU && o.TargetSize < 1:
		return fault.New(fault.Usage, "--target-size: less than one MiB").WithHint("leave it out for 16G")
	case o.Mode == QEMU && o.Stage0Image == "" && o.TargetSize < headMiB+rootMiB && (o.Kernel != "" || !o.secondDisk()):
		return fault.New(fault.Usage,
			"--target-size: %d MiB; the first 1024 MiB of the disk are not for its file system", o.TargetSize).
			WithHint("give 16G, which holds a whole run")
	case o.Mode == QEMU && o.RAM < 1:
		return fault.New(fault.Usage, "--qemu-ram: less than one MiB").WithHint("leave it out for 4096")
	case o.Mode == QEMU && o.KernelBootstrap() && o.RAM < minRAM:
		return fault.New(fault.Usage, "--qemu-ram %d: builder-hex0 and Fiwix address %d MiB", o.RAM, minRAM).
			WithHint("give 4096, or start from a kernel with --kernel FILE")
	}
	return nil
}

// secondDisk tells whether the root file system may be on another disk than the one that is booted.
func (o Options) secondDisk() bool { return o.Repo != "" || o.ExternalSources }

func (o Options) validateMirrors() error {
	if len(o.Mirrors) == 0 && !o.ExternalSources && o.Stage0Image == "" {
		return fault.New(fault.Usage, "no mirror: the guest fetches most distfiles, and some have no other address").
			WithHint("give --mirrors URL, or --external-sources to bring all of them along")
	}
	for _, m := range o.Mirrors {
		scheme, rest, ok := strings.Cut(m, "://")
		switch {
		case ok && scheme == "file" && !strings.HasPrefix(rest, "/"):
			return fault.New(fault.Usage, "--mirrors %s: not an absolute path", m).WithHint("write file:///FOLDER")
		case !ok || !slices.Contains([]string{"http", "https", "ftp", "file"}, scheme) || rest == "":
			return fault.New(fault.Usage, "--mirrors %s: not an address", m).
				WithHint("write https://HOST/FOLDER or file:///FOLDER")
		case strings.ContainsAny(m, "\"'\\$`*?[]{}()<>|&; \t\r\n"):
			return fault.New(fault.Usage, "--mirrors %s: a character that the guest's shells would take for their own",
				m).
				WithHint("write it as %%XX, with its code in hexadecimal")
		}
	}
	return nil
}

// validateTexts checks what comes into bootstrap.cfg as it stands.
func (o Options) validateTexts() error {
	if strings.Trim(o.InternalCI, wordLetters) != "" {
		return fault.New(fault.Usage, "--internal-ci %q: a text that the guest's shells would not take as one word",
			o.InternalCI).
			WithHint("use letters, digits, dots, - and _")
	}
	if o.Target == "" || !filepath.IsAbs(o.Target) {
		return fault.New(fault.Usage, "--target %q: no folder", o.Target).WithHint("leave it out for target")
	}
	return nil
}

const (
	nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	wordLetters = nameLetters + "."
)

// validateExtras checks the flags that newer generations know.
func (o Options) validateExtras() error {
	for _, name := range o.ExtraBuilds {
		if name == "" || strings.Trim(name, nameLetters) != "" {
			return fault.New(fault.Usage, "--extra-builds %q: no name of a build", name).
				WithHint("use letters, digits, - and _")
		}
	}
	if o.Stage0Image != "" && (o.Mode != QEMU || o.Kernel != "") {
		return fault.New(fault.Usage, "--stage0-image: only with --qemu, and without --kernel").
			WithHint("leave out the other")
	}
	if o.BreakAfter == "" {
		return nil
	}
	scope, step, ok := strings.Cut(o.BreakAfter, ":")
	switch {
	case !ok || step == "" || scope != stepsRoot && !strings.HasPrefix(scope, "steps-"):
		return fault.New(fault.Usage, "--internal-ci-break-after %s: no step", o.BreakAfter).
			WithHint("write SCOPE:STEP, where SCOPE is steps, or steps-NAME of an extra build")
	case o.InternalCI == "" || o.Mode != QEMU || o.Kernel != "":
		return fault.New(fault.Usage,
			"--internal-ci-break-after: only with --internal-ci and --qemu, and without --kernel").
			WithHint("give the name of a pass with --internal-ci NAME")
	case scope != stepsRoot && !slices.Contains(o.extraRoots(manifest.F1), scope) &&
		!slices.Contains(o.extraRoots(manifest.F2), scope):
		return fault.New(fault.Usage, "--internal-ci-break-after %s: this build is not asked for", o.BreakAfter).
			WithHint("add --extra-builds %s", strings.TrimPrefix(scope, "steps-"))
	}
	return nil
}

// extraRoots are the roots that run besides steps.
func (o Options) extraRoots(g manifest.Generation) []string {
	var names []string
	if g == manifest.F1 && o.BuildGuixAlso {
		names = append(names, "steps-guix")
	}
	if g == manifest.F2 {
		for _, name := range o.ExtraBuilds {
			names = append(names, "steps-"+name)
		}
	}
	return names
}
