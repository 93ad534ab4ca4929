// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/live"
	livefile "github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/guest"
)

// liveRunFlags are what rung live run has beside the flags of rootfs.py.
type liveRunFlags struct {
	liveFlags
	accel                            string
	resume, checkpoints, keep, patch bool
	fetch                            bool
}

// liveRun is rung live run.
func (a *app) liveRun() *cobra.Command {
	var f liveRunFlags
	c := a.command(verb{
		use:   "run [CHECKOUT] MODE [flags]",
		short: "Run a bootstrap, and watch it",
		long: `Run a bootstrap to its end: make the media where the target has none of this plan, start the guest, and tell from
what its console shows which package of how many it builds, how long that may take, whether it stands still, and what
failed first.

All that the console shows is kept in TARGET/rung/console.log. The run ends in a report, TARGET/rung/report.json and
report.txt, with what a maintainer of live-bootstrap asks for. Its exit status is that of what failed.

In QEMU the guest is kept as it is at the end of each script: --resume goes on from the last such checkpoint, and the
images stay as they were made until the run has come to its end. A guest in a chroot or in bubblewrap goes on only where it
has stopped at a break.

A chroot needs no root: without, the guest gets namespaces of its own. In all modes it finds the same devices.`,
		example: `  rung live run live-bootstrap --chroot --external-sources
  rung live run live-bootstrap --qemu -m file:///srv/distfiles
  rung live run live-bootstrap --qemu -m file:///srv/distfiles --resume
  rung live run live-bootstrap --bwrap --external-sources --json | jq .verdict`,
		args:  cobra.MaximumNArgs(1),
		kinds: liveRunKinds(),
		run:   func(c *cobra.Command, args []string) error { return a.runLive(c.Context(), &f, args) },
	})
	f.register(c)
	flags := c.Flags()
	flags.StringVar(&f.accel, "accel", "", "accelerator of QEMU: kvm or tcg (default kvm where it works)")
	flags.BoolVar(&f.resume, "resume", false, "go on where an earlier run in the target has stopped")
	flags.BoolVar(&f.checkpoints, "checkpoints", true, "keep the guest at the end of each script, in QEMU")
	flags.BoolVar(&f.fetch, "fetch", true, "fetch distfiles that are not held before anything else")
	flags.BoolVar(&f.keep, "keep-overlay", false, "leave the images as they were made, beside what the guest wrote")
	flags.BoolVar(&f.patch, "patch-init", false, "add the hand-off to extra builds to the copy of a stage0 image")
	flags.DurationVar(&f.o.Silence, "silence", guest.DefaultSilence, "how long the console may show nothing")
	complete(c, "accel", "kvm", "tcg")
	return c
}

// liveRunKinds are what a run can end with.
func liveRunKinds() []fault.Kind {
	return []fault.Kind{fault.NotFound, fault.BuildFailed, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Panic,
		fault.Oops, fault.OutOfMemory, fault.Reboot, fault.Silence, fault.EarlyExit, fault.Interrupted}
}

func (a *app) runLive(ctx context.Context, f *liveRunFlags, args []string) (err error) {
	target, err := filepath.Abs(f.o.Target)
	if err != nil {
		return fault.New(fault.Usage, "--target %s: %w", f.o.Target, err)
	}
	given := f.o.Mirrors
	var ports map[string]string
	if !f.o.ExternalSources { // what the guest brings along it does not fetch
		m, err := live.ServeMirrors(ctx, target, f.o.Mirrors, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, m.Close()) }()
		f.o.Mirrors, ports = m.Addresses, m.Ports
	}
	p, held, err := a.livePlanned(ctx, &f.liveFlags, args)
	if err == nil && f.fetch && len(p.Missing()) > 0 {
		p, held, err = a.fetchPlanned(ctx, f, p, given, args)
	}
	if err != nil {
		return err
	}
	if p.Options.Mode == live.BareMetal {
		return a.makeMedia(ctx, p, held)
	}
	times, timesFile := a.liveTimes()
	view := a.newLiveView(p.Options)
	defer view.close()
	r := live.Runner{
		Host: a.newLiveHost(f, p.Options), Version: rungVersion(), Times: times, Ports: ports, Ticks: view.ticks(),
		Builder: live.Builder{Held: held, Run: makeFileSystem,
			Stage0: live.Stage0Maker{Tool: runTool, PatchInit: f.patch}.Make},
		Resume: f.resume, Checkpoints: f.checkpoints, Keep: f.keep,
		Screen: view.screenOf(), Progress: view.progress, Note: view.note,
	}
	report, err := r.Run(ctx, p)
	view.close()
	if report == nil {
		return stopped(ctx, err)
	}
	keepTimes(timesFile, times.With(r.Took))
	if err = errors.Join(err, report.Err()); ctx.Err() != nil {
		return err
	}
	return errors.Join(a.show(report, report.Text), err)
}

// fetchPlanned fetches the distfiles that a plan lacks (R52), from mirrors as they were given and from upstream, and makes
// the plan again.
func (a *app) fetchPlanned(ctx context.Context, f *liveRunFlags, p *live.Plan, mirrors []string, args []string) (*live.Plan,
	live.Distfiles, error) {
	missing := p.Missing()
	a.say("note: fetching %d distfiles first", len(missing))
	var files []livefile.File
	for _, file := range slices.Concat(p.Early, p.External, p.Payload) {
		if slices.Contains(missing, file.Name) {
			files = append(files, file)
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == file.Name })
		}
	}
	_, r, err := a.fetchLive(ctx, &liveFetching{mirrors: mirrors, jobs: 8, stall: 30 * time.Second}, p.Checkout, files)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, nil, stopped(ctx, err)
	}
	return a.livePlanned(ctx, &f.liveFlags, args)
}

// liveTimes are the times of earlier runs, and the file they are kept in; "" for nowhere.
func (a *app) liveTimes() (guest.Times, string) {
	dir, err := a.storeFolder()
	if err != nil {
		return nil, ""
	}
	file := filepath.Join(dir, "live", "times.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, file
	}
	times, err := guest.ReadTimes(text)
	if err != nil {
		a.say("note: %s: %v", file, err)
	}
	return times, file
}

// keepTimes keeps times for later runs. Where that fails, they know less.
func keepTimes(file string, times guest.Times) {
	text, err := times.Format()
	if err != nil || file == "" || os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	if os.WriteFile(file+".partial", text, 0o644) == nil {
		_ = os.Rename(file+".partial", file)
	}
}

func (a *app) newLiveHost(f *liveRunFlags, o live.Options) *liveHost {
	h := &liveHost{accel: f.accel}
	if dir, err := a.cacheFolder(); err == nil {
		h.state = filepath.Join(dir, "qemu")
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "HOME"} {
		if value := a.env(name); value != "" && o.Interactive {
			h.display = append(h.display, name+"="+value)
		}
	}
	in, isFile := a.stdin.(*os.File)
	if out, ok := a.terminal(a.stderr); ok && isFile {
		if _, ok := a.terminal(in); ok {
			h.in, h.out = in, out
		}
	}
	return h
}

// runTool runs a program of e2fsprogs.
func runTool(ctx context.Context, well []int, argv ...string) error {
	err := makeFileSystem(ctx, disk.Command{Argv: argv})
	status, ok := exitStatus(err)
	for _, w := range well {
		if ok && status == w {
			return nil
		}
	}
	return err
}

// rungVersion is the version that rung version tells.
func rungVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// liveExport is rung live export.
func (a *app) liveExport() *cobra.Command {
	return a.command(verb{
		use:   "export TARGET FILE.tar",
		short: "Take home what a run has made",
		long: `Write the system that a finished run in a chroot or in bubblewrap has made as a tar archive: owners and times are 0,
entries are sorted, so that two hosts can compare what they made by its digest.`,
		example: `  rung live export target system.tar`,
		args:    cobra.ExactArgs(2),
		kinds:   []fault.Kind{fault.NotFound, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			target, err := filepath.Abs(args[0])
			if err != nil {
				return fault.New(fault.Usage, "%s: %w", args[0], err)
			}
			x, err := live.Export(c.Context(), target, args[1])
			if err != nil {
				return stopped(c.Context(), err)
			}
			return a.show(x, func(w io.Writer) error {
				_, err := io.WriteString(w, strings.Join([]string{x.File, x.Digest.Hex()}, "  ")+"\n")
				return err
			})
		},
	})
}

// tickTime is how often a run is looked at.
const tickTime = time.Second
