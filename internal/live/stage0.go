// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/live/manifest"
)

// stage0Work is the copy of a stage0 image that is booted, in the target.
const stage0Work = "stage0-work.img"

// Stage0Maker makes the copy of a stage0 image that a plan boots: the original stays untouched; in the copy the
// configuration is this run's (R14, R16), and steps are the checkout's. It needs no root: the file system is changed
// by debugfs.
type Stage0Maker struct {
	// Tool runs a program of e2fsprogs to its end, and fails where its status is none of those that are well.
	Tool func(ctx context.Context, well []int, argv ...string) error
	// PatchInit adds the hand-off to extra builds to an /init that has none, which is refused otherwise (R19).
	PatchInit bool
}

// marker is what an /init has that hands a rebooted image over to extra builds (R19, R20).
const marker = "run_steps_guix_if_requested"

// Make makes the copy in a file that does not exist yet. An image that is none, or that cannot do what is asked for,
// is fault.Usage.
func (s Stage0Maker) Make(ctx context.Context, p *Plan, file string) error {
	image := p.Options.Stage0Image
	if strings.ContainsAny(file, "\"\n\r") {
		return fault.New(fault.Usage, "--target: a name with a quote or a line end").WithHint("name another --target")
	}
	start, err := stage0Partition(image)
	if err != nil {
		return err
	}
	if err := copySparse(ctx, file, image); err != nil {
		return err
	}
	w := &stage0Writer{Stage0Maker: s, ctx: ctx, plan: p, device: fmt.Sprintf("%s?offset=%d", file, start),
		staging: file + ".files"}
	if err := os.Mkdir(w.staging, 0o755); err != nil {
		return fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	err = w.change()
	return errors.Join(err, os.RemoveAll(w.staging))
}

// stage0Partition is where the file system of an image begins, in bytes.
func stage0Partition(image string) (int64, error) {
	refuse := func(why error) error {
		return fault.New(fault.Usage, "--stage0-image %s: %w", image, why).
			WithHint("name the init.img of a run from builder-hex0 that came to its end")
	}
	f, err := os.Open(image)
	if err != nil {
		return 0, refuse(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, refuse(err)
	}
	sector := make([]byte, disk.Sector)
	if _, err := io.ReadFull(f, sector); err != nil {
		return 0, refuse(err)
	}
	all, err := disk.Partitions(sector, info.Size())
	if err != nil {
		return 0, refuse(err)
	}
	for _, p := range all {
		if p.Start == disk.BootHead {
			return p.Start, nil
		}
	}
	return 0, refuse(errors.New("no partition at 1 GiB"))
}

// copySparse copies a file: as a clone where the file system has such, otherwise without its holes.
func copySparse(ctx context.Context, to, from string) (err error) {
	fail := func(err error) error { return writeFault(ctx, "stage0 image", err) }
	in, err := os.Open(from)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return fail(err)
	}
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		return nil
	}
	if err := out.Truncate(info.Size()); err != nil {
		return fail(err)
	}
	for at := int64(0); ; {
		data, err := in.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole follows
		}
		if err != nil {
			return fail(err)
		}
		if at, err = in.Seek(data, unix.SEEK_HOLE); err != nil {
			return fail(err)
		}
		r := watched{io.NopCloser(io.NewSectionReader(in, data, at-data)), ctx, func(int64) {}}
		if _, err := io.Copy(io.NewOffsetWriter(out, data), r); err != nil {
			return fail(err)
		}
	}
}

// stage0Writer changes the file system of a copy.
type stage0Writer struct {
	Stage0Maker
	ctx     context.Context
	plan    *Plan
	device  string // as e2fsprogs name a file system inside a file
	staging string // a folder of the host for what goes in and comes out
	files   []Entry
}

// change does what there is to do, and reads back what it wrote: debugfs tells of no failure by its status.
func (w *stage0Writer) change() error {
	if err := w.Tool(w.ctx, []int{0, 1}, "e2fsck", "-p", w.device); err != nil { // what an end without power-off left
		return fault.New(fault.Usage, "--stage0-image: its file system: %w",
			err).WithHint("take an image of a run that came to its end")
	}
	config, found, err := w.read("/steps/bootstrap.cfg")
	if err != nil || !found {
		return orUsage(err, "--stage0-image: no /steps/bootstrap.cfg in it", "take an image of a run that came to its end")
	}
	if err := w.handOff(); err != nil {
		return err
	}
	for _, r := range w.plan.roots() {
		if err := w.root(r); err != nil {
			return err
		}
	}
	w.files = append(w.files, asFile("steps/bootstrap.cfg", w.plan.patchConfig(config)))
	sortEntries(w.files)
	return w.write()
}

func orUsage(err error, text, hint string) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Usage, "%s", text).WithHint("%s", hint)
}

// handOff looks for the hand-off to extra builds in /init, where there are such.
func (w *stage0Writer) handOff() error {
	if len(w.plan.roots()) < 2 {
		return nil
	}
	init, found, err := w.read("/init")
	switch {
	case err != nil || !found:
		return orUsage(err, "--stage0-image: no /init in it", "take an image of a run that came to its end")
	case strings.Contains(init, marker):
		return nil
	case !w.PatchInit:
		return fault.New(fault.Usage, "--stage0-image: its /init knows nothing of extra builds: no %s in it", marker).
			WithHint("take an image of a run with --build-guix-also, or add the hand-off to the copy with --patch-init")
	}
	patched, err := patchInit(init)
	if err != nil {
		return err
	}
	e := asFile("init", patched)
	e.Mode = 0o755
	w.files = append(w.files, e)
	return nil
}

// root lays a root of the checkout over the image's. The image's env stays: the guest has extended it.
func (w *stage0Writer) root(r *Root) error {
	for _, e := range r.Entries {
		if text, ok := w.plan.manifests[r.Name]; ok && e.Path == path.Join(r.Name, "manifest") {
			e = asFile(e.Path, text)
		}
		if e.Path != "steps/env" {
			w.files = append(w.files, e)
		}
	}
	if r.Name != stepsRoot {
		return nil
	}
	env, found, err := w.read("/steps/env")
	if err != nil || !found {
		return orUsage(err, "--stage0-image: no /steps/env in it", "take an image of a run that came to its end")
	}
	if !strings.Contains("\n"+env, "\nNETWORK_READY=") {
		w.files = append(w.files, asFile("steps/env", ended(env)+"NETWORK_READY=False\n"))
	}
	return nil
}

// ended is a text whose last line has its end.
func ended(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// patchConfig is the image's bootstrap.cfg for this run: what belongs to a run is dropped wherever it comes from, and
// what this run has is added (R14, R16, R18). Without mirrors there are none.
func (p *Plan) patchConfig(text string) string {
	o, g := p.Options, p.Checkout.Generation
	drop := []string{"BUILD_GUIX_ALSO", "EXTRA_BUILDS", "LB_RESUME_NEXT_SCOPE", "LB_RESUME_NEXT_PACKAGE", "INTERNAL_CI",
		"MIRRORS",
		"MIRRORS_LEN", "PAYLOAD_REQUIRED"}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if name, _, _ := strings.Cut(line, "="); !slices.Contains(drop, name) {
			b.WriteString(ended(line))
		}
	}
	set := func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, value) }
	if scope, next := p.successor(); g == manifest.F2 && next != "" {
		set("LB_RESUME_NEXT_SCOPE", scope)
		set("LB_RESUME_NEXT_PACKAGE", next)
	}
	switch {
	case g == manifest.F1 && o.BuildGuixAlso:
		set("BUILD_GUIX_ALSO", "True")
	case len(o.ExtraBuilds) > 0:
		set("EXTRA_BUILDS", strings.Join(o.ExtraBuilds, ","))
	}
	if len(o.Mirrors) > 0 {
		set("MIRRORS", `"`+strings.Join(o.Mirrors, " ")+`"`)
		set("MIRRORS_LEN", fmt.Sprint(len(o.Mirrors)))
	}
	if o.InternalCI == "" {
		set("INTERNAL_CI", "False")
	} else {
		set("INTERNAL_CI", o.InternalCI)
	}
	set("PAYLOAD_REQUIRED", "False")
	return b.String()
}

// successor is the package that a manifest builds after the step at which a run under test stops; "" for none.
func (p *Plan) successor() (scope, next string) {
	scope, step, ok := strings.Cut(p.Options.BreakAfter, ":")
	r := p.Checkout.Root(scope)
	if !ok || r == nil {
		return "", ""
	}
	builds := r.Manifest.Scan()
	for i, b := range builds {
		if b.Package == step && i+1 < len(builds) {
			return scope, builds[i+1].Package
		}
	}
	return scope, ""
}

// patchInit adds the hand-off to an /init as improve/make_bootable.sh writes it: before the first shell or the end.
func patchInit(init string) (string, error) {
	lines := strings.SplitAfter(init, "\n")
	at := slices.IndexFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "env - ") || strings.HasPrefix(l, "swapoff ") || strings.HasPrefix(l, "echo u >")
	})
	if at < 0 || !strings.HasPrefix(init, "#!") {
		return "", fault.New(fault.Usage, "--patch-init: the image's /init is none that rung knows").
			WithHint("make an image with an /init that has %s", marker)
	}
	return strings.Join(slices.Insert(lines, at, handOffText), ""), nil
}

// handOffText runs the extra builds that bootstrap.cfg asks for, as docs/live-run.md says.
const handOffText = `# added by rung: the extra builds that bootstrap.cfg asks for
run_steps_guix_if_requested() {
    local builds="${EXTRA_BUILDS//,/ }" name
    if [ "${BUILD_GUIX_ALSO}" = True ]; then
        builds=guix
        sed -i 's/^BUILD_GUIX_ALSO=.*/BUILD_GUIX_ALSO=False/' /steps/bootstrap.cfg
    fi
    for name in ${builds}; do
        test -e "/steps-${name}/manifest" || return 1
        /script-generator "/steps-${name}/manifest" /steps || return 1
        bash "/steps-${name}/0.sh" || return 1
    done
}
run_steps_guix_if_requested

`

// inside is the name of a file of the staging folder.
func (w *stage0Writer) inside(name string) string { return filepath.Join(w.staging, name) }
