// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	livefile "github.com/rung-build/rung/internal/live/distfile"
)

// liveVerbs is rung live.
func (a *app) liveVerbs() *cobra.Command {
	return a.group(verb{
		use:   "live",
		short: "Bootstrap with a checkout of live-bootstrap",
		long: `Do what the host side of live-bootstrap does, on an unmodified checkout of it: check it, tell what would happen,
fetch and verify what it needs, make its media, run it.

The flags are those of its rootfs.py, with the same names, short forms and meanings: a command line carries over.
docs/live-bootstrap.md tells what is different, and why.`,
		example: `  rung live check live-bootstrap
  rung live plan live-bootstrap --qemu --external-sources
  rung live media live-bootstrap --bare-metal --external-sources -t /media/disk/target`,
	}, a.liveAudit(), a.liveCheck(), a.liveExport(), a.liveFetch(), a.liveList(), a.liveMedia(), a.liveMirror(), a.livePlan(),
		a.liveRun())
}

// noArgument stands for the value of a flag that was given without one.
const noArgument = "-"

// liveFlags are the flags of rootfs.py.
type liveFlags struct {
	qemu, bareMetal, chroot, bwrap bool
	tmpfs                          bool
	tmpfsSize                      string
	cores, ram, swap, targetSize   string
	o                              live.Options
}

// register gives a verb the flags.
func (f *liveFlags) register(c *cobra.Command) {
	flags, o := c.Flags(), &f.o
	flags.BoolVarP(&f.qemu, "qemu", "q", false, "run in QEMU")
	flags.BoolVarP(&f.bareMetal, "bare-metal", "b", false, "make media for a machine of its own")
	flags.BoolVarP(&f.chroot, "chroot", "c", false, "run in a chroot; without root in namespaces")
	flags.BoolVar(&f.bwrap, "bwrap", false, "-bw: run in bubblewrap")
	flags.StringVarP(&o.Arch, "arch", "a", "x86", "architecture, by live-bootstrap's name")
	flags.StringVarP(&o.Target, "target", "t", "target", "folder to make")
	flags.BoolVar(&f.tmpfs, "tmpfs", false, "want the target to be in memory")
	flags.StringVar(&f.tmpfsSize, "tmpfs-size", "8G", "size of the tmpfs to mount")
	flags.StringVar(&f.cores, "cores", "2", "jobs of a build, and processors of a guest")
	flags.BoolVar(&o.ForceTimestamps, "force-timestamps", false, "have the guest set all times to 1970")
	flags.BoolVar(&o.UpdateChecksums, "update-checksums", false,
		"have the guest write checksums rather than compare them")
	flags.BoolVar(&o.ExternalSources, "external-sources", false,
		"bring all distfiles along, so that the guest needs no network")
	flags.BoolVar(&o.BuildKernels, "build-kernels", false, "build kernels in chroot and bwrap too")
	flags.BoolVar(&o.NoCreateConfig, "no-create-config", false, "leave bootstrap.cfg empty, so that the guest asks")
	flags.BoolVarP(&o.Interactive, "interactive", "i", false, "open a shell in the guest where something goes wrong")
	flags.BoolVar(&o.Configurator, "configurator", false, "have the guest ask for its configuration")
	flags.StringArrayVarP(&o.Mirrors, "mirrors", "m", nil,
		"addresses of folders with distfiles; takes several, and adds up")
	flags.StringVarP(&o.Repo, "repo", "r", "", "folder of prebuilt packages")
	flags.StringVar(&o.EarlyPreseed, "early-preseed", "", "archive of a root file system to start from, after bash")
	flags.StringVar(&o.InternalCI, "internal-ci", "", "name of a pass of live-bootstrap's own tests")
	flags.StringVarP(&f.swap, "swap", "s", "0", "swap space in the guest, in MiB or with G")
	flags.StringVar(&o.QEMUCommand, "qemu-cmd", "qemu-system-x86_64", "-qc: QEMU's program")
	flags.StringVar(&f.ram, "qemu-ram", "4096", "-qr: memory of the guest, in MiB")
	flags.StringVar(&f.targetSize, "target-size", "16G", "-qs: size of the guest's disk, in MiB or with G")
	flags.StringVar(&o.Kernel, "kernel", "", "-qk: a kernel to start from; without a value the checkout's file kernel")
	flags.StringVar(&o.Stage0Image, "stage0-image", "", "image of an earlier run to boot")
	flags.BoolVar(&o.BuildGuixAlso, "build-guix-also", false, "run steps-guix too")
	flags.StringSliceVar(&o.ExtraBuilds, "extra-builds", nil, "extra roots to run too, by name: steps-NAME")
	flags.StringVar(&o.BreakAfter, "internal-ci-break-after", "", "SCOPE:STEP behind which a pass stops")
	flags.BoolVar(&o.ShipImporter, "ship-importer", false,
		"add rung's importer of payloads to a checkout that has none")
	flags.StringVar(&o.PayloadVersion, "payload-version", "",
		"width of a payload's numbers, u32 or u64 (default what the importer reads)")
	complete(c, "arch", "x86", "amd64", "riscv64")
	completeFolder(c, "target")
	completeFolder(c, "repo")
}

// options are the command line, as far as it can be judged without a checkout. Mirrors are as they were given.
func (f *liveFlags) options(checkout string) (live.Options, error) {
	o := f.o
	modes := 0
	for mode, given := range map[live.Mode]bool{live.QEMU: f.qemu, live.BareMetal: f.bareMetal, live.Chroot: f.chroot,
		live.Bwrap: f.bwrap} {
		if given {
			o.Mode = mode
			modes++
		}
	}
	switch {
	case modes > 1:
		return o, fault.New(fault.Usage, "%d modes", modes).
			WithHint("give one of --qemu, --bare-metal, --chroot and --bwrap")
	case modes == 0:
		return o, fault.New(fault.Usage, "no mode").WithHint("give one of --qemu, --bare-metal, --chroot and --bwrap")
	case f.bwrap && f.tmpfs:
		return o, fault.New(fault.Usage, "--tmpfs: not with --bwrap").WithHint("leave it out")
	}
	if err := f.numbers(&o); err != nil {
		return o, err
	}
	if err := f.paths(&o, checkout); err != nil {
		return o, err
	}
	return o, f.inMemory(o)
}

// numbers reads counts and sizes.
func (f *liveFlags) numbers(o *live.Options) error {
	var err error
	if o.Cores, err = strconv.Atoi(f.cores); err != nil {
		return fault.New(fault.Usage, "--cores %s: not a number", f.cores).WithHint("give 1 or more")
	}
	o.TargetSize = 0
	if o.Mode == live.QEMU {
		if o.TargetSize, err = live.ParseSize("--target-size", f.targetSize); err != nil {
			return err
		}
		if o.RAM, err = strconv.ParseInt(f.ram, 10, 32); err != nil {
			return fault.New(fault.Usage, "--qemu-ram %s: not a number of MiB", f.ram).
				WithHint("write -qr 4096 or -qr=4096")
		}
	}
	if o.Mode == live.QEMU || o.Mode == live.BareMetal {
		o.Swap, err = live.ParseSize("--swap", f.swap)
	}
	return err
}

// paths makes paths absolute, cleans names, and finds the kernel that a checkout has (R56).
func (f *liveFlags) paths(o *live.Options, checkout string) error {
	if o.Kernel == noArgument {
		o.Kernel = filepath.Join(checkout, "kernel")
	}
	var extras []string
	for _, name := range o.ExtraBuilds {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(extras, name) {
			extras = append(extras, name)
		}
	}
	o.ExtraBuilds = extras
	for _, name := range []*string{&o.Target, &o.Kernel, &o.Repo, &o.EarlyPreseed, &o.Stage0Image} {
		if *name == "" {
			continue
		}
		whole, err := filepath.Abs(*name)
		if err != nil {
			return fault.New(fault.Usage, "%s: %w", *name, err)
		}
		*name = whole
	}
	return nil
}

// openCheckout opens the checkout that a verb is about, the current folder where none is named, and what is held of its
// distfiles.
func (a *app) openCheckout(args []string) (*live.Checkout, live.Distfiles, error) {
	c, err := live.Open(checkoutDir(args))
	if err != nil {
		return nil, nil, err
	}
	cache, err := a.liveCache()
	if err != nil {
		return nil, nil, err
	}
	return c, c.Hold(cache), nil
}

func checkoutDir(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// liveCache is where distfiles of checkouts are kept, below the store.
func (a *app) liveCache() (*livefile.Cache, error) {
	dir, err := a.storeFolder()
	if err != nil {
		return nil, err
	}
	return livefile.NewCache(filepath.Join(dir, "live", "distfiles")), nil
}

// livePlanned is the plan of a command line.
func (a *app) livePlanned(_ context.Context, f *liveFlags, args []string) (*live.Plan, live.Distfiles, error) {
	o, err := f.options(checkoutDir(args))
	if err != nil {
		return nil, nil, err
	}
	c, held, err := a.openCheckout(args)
	if err != nil {
		return nil, nil, err
	}
	if c, err = c.With(o); err != nil {
		return nil, nil, err
	}
	p, err := c.Plan(o, held)
	return p, held, err
}
