// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/format/srcfs"
)

// Builder writes media.
type Builder struct {
	Held Distfiles
	// Run runs a program of the host that makes a file system, and waits for it.
	Run func(ctx context.Context, c disk.Command) error
	// Stage0 makes the image of a plan that boots one of an earlier run, in a file that does not exist yet.
	Stage0 func(ctx context.Context, p *Plan, file string) error
	// Progress is told of bytes of content written so far, from one goroutine; nil for nobody.
	Progress func(medium string, written, of int64)
}

// Built is a medium that was written.
type Built struct {
	Medium *Medium
	Path   string        // absolute
	Digest digest.Digest // of what was written of an image or a payload; zero of others
	Size   int64         // of the file with all that fills it up; of a folder the content
}

// partialMark is a file that tells a folder of ours from one that only has such a name.
const partialMark = ".rung-live"

// Build writes the media of a plan into Options.Target, which appears whole or not at all: it is written beside its place,
// TARGET.partial, and renamed. A target that is there and is not empty is refused with fault.Usage; only a later pass in
// bwrap goes on in one, and gets the distfiles that it lacks. Every byte is checked while it is written: content that
// differs from what the plan saw, or from what a sources file says, is fault.Mismatch.
func (b Builder) Build(ctx context.Context, p *Plan) ([]Built, error) {
	if err := errors.Join(p.Complete(), p.Fits()); err != nil {
		return nil, err
	}
	target := p.Options.Target
	if p.Options.LaterPass() {
		return b.refresh(ctx, p)
	}
	if err := CheckTarget(target); err != nil {
		return nil, err
	}
	partial := target + ".partial"
	unlock, err := takePartial(partial)
	if err != nil {
		return nil, err
	}
	defer unlock()
	built, err := b.media(ctx, p, partial)
	if err == nil {
		err = os.Remove(filepath.Join(partial, partialMark))
	}
	if err == nil {
		_ = os.Remove(target) // an empty folder; where it is more by now, the next call says so
		err = os.Rename(partial, target)
	}
	if err != nil {
		return nil, errors.Join(writeFault(ctx, "target "+target, err), os.RemoveAll(partial))
	}
	return built, nil
}

// Complete is an error where distfiles that the media carry are not held.
func (p *Plan) Complete() error {
	missing := p.Missing()
	if len(missing) == 0 {
		return nil
	}
	shown := strings.Join(missing[:min(len(missing), 8)], ", ")
	if len(missing) > 8 {
		shown += ", ..."
	}
	return fault.New(fault.NotFound, "distfiles: %d are not held: %s", len(missing), shown).
		WithHint("rung live fetch %s brings them, with --mirrors for those without an address", p.Checkout.Dir)
}

// Fits is an error of kind fault.Limit where builder-hex0 cannot take an image (R1, R2).
func (p *Plan) Fits() error {
	for _, m := range p.Media {
		if m.Shape != Image {
			continue
		}
		if err := srcfs.CapacityOf(m.tree).Check(); err != nil {
			return fault.New(fault.Limit, "%s: %w", m.Name, err).
				WithHint("bring distfiles along on a payload, or start from a kernel with --kernel")
		}
	}
	return nil
}

// Missing are the names of distfiles that the media carry and that are not held, sorted.
func (p *Plan) Missing() []string {
	var names []string
	for _, m := range p.Media {
		for _, e := range m.Entries {
			if e.Size < 0 {
				names = append(names, e.Distfile.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CheckTarget refuses a product folder that holds something.
func CheckTarget(target string) error {
	all, err := os.ReadDir(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.New(fault.Usage, "target %s: %w", target, err).WithHint("name a folder with --target")
	case len(all) > 0:
		return fault.New(fault.Usage, "target %s: not empty", target).
			WithHint("move it away, remove it, or name another with --target")
	}
	return nil
}

// takePartial makes the folder that becomes the target. One that a run has left behind is removed; one that a run is
// writing, or that is not ours, is refused.
func takePartial(partial string) (unlock func(), err error) {
	mark := filepath.Join(partial, partialMark)
	all, err := os.ReadDir(partial)
	if err == nil && len(all) > 0 {
		f, err := os.OpenFile(mark, os.O_RDWR, 0)
		if err != nil {
			return nil, fault.New(fault.Usage, "target: %s is in the way, and not from rung", partial).
				WithHint("move it away")
		}
		defer f.Close()
		if err := filelock.Lock(f, filelock.Exclusive, 0); err != nil {
			return nil, fault.New(fault.Unavailable, "target: %s: %w", partial, err).
				WithHint("wait for the other run to end")
		}
		if err := os.RemoveAll(partial); err != nil {
			return nil, fault.New(fault.Unavailable, "target: %w", err)
		}
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return nil, fault.New(fault.Unavailable, "target: %w", err).
			WithHint("name a folder that can be made with --target")
	}
	f, err := os.OpenFile(mark, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "target: %w", err)
	}
	if err := filelock.Lock(f, filelock.Exclusive, 0); err != nil {
		f.Close()
		return nil, fault.New(fault.Unavailable, "target: %s: %w", partial, err)
	}
	return func() { f.Close() }, nil
}

// writeFault gives an error of writing its kind.
func writeFault(ctx context.Context, about string, err error) error {
	var known *fault.Error
	switch {
	case ctx.Err() != nil:
		return fault.New(fault.Interrupted, "interrupted: %w", err)
	case errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.Unavailable, "%s: %w", about, err).
			WithHint("make room, or name a folder elsewhere with --target")
	}
	return fault.New(fault.Unavailable, "%s: %w", about, err)
}

// media writes all media of a plan into a folder.
func (b Builder) media(ctx context.Context, p *Plan, dir string) ([]Built, error) {
	var all []Built
	for i := range p.Media {
		m := &p.Media[i]
		w := mediumWriter{Builder: b, ctx: ctx, plan: p, m: m, path: filepath.Join(dir, m.Name)}
		if i == 0 && p.Options.EarlyPreseed != "" && p.Options.Stage0Image == "" {
			spool := filepath.Join(dir, ".preseed")
			if err := w.unpackPreseed(spool); err != nil {
				return nil, err
			}
			defer os.RemoveAll(spool)
		}
		sum, err := w.write()
		if err != nil {
			return nil, err
		}
		size := max(m.Size, m.Bytes)
		if info, err := os.Stat(w.path); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		all = append(all, Built{Medium: m, Path: filepath.Join(p.Options.Target, m.Name), Digest: sum, Size: size})
	}
	return all, nil
}

// refresh brings the distfiles that a target of an earlier pass lacks.
func (b Builder) refresh(ctx context.Context, p *Plan) ([]Built, error) {
	m, target := &p.Media[0], p.Options.Target
	if _, err := os.Lstat(filepath.Join(target, "init")); err != nil {
		return nil, fault.New(fault.Usage, "target %s: no pass has run in it: %w", target, err).
			WithHint("run --internal-ci pass1 first, with the same target")
	}
	w := mediumWriter{Builder: b, ctx: ctx, plan: p, m: m, path: target}
	for _, e := range m.Entries {
		if e.Distfile == nil {
			continue
		}
		name := filepath.Join(target, filepath.FromSlash(e.Path))
		if info, err := os.Stat(name); err == nil && info.Size() == e.Size {
			continue
		}
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = w.file(e, name+".partial")
		}
		if err == nil {
			err = os.Rename(name+".partial", name)
		}
		if err != nil {
			return nil, errors.Join(writeFault(ctx, "target "+target, err), os.RemoveAll(name+".partial"))
		}
	}
	return []Built{{Medium: m, Path: target, Size: m.Bytes}}, nil
}

// sameLabel is a label's signature and a file system's identifier that depend on the content only.
func sameLabel(sum digest.Digest) (signature uint32, uuid string) {
	h := sum.Hex()
	n, _ := strconv.ParseUint(h[:8], 16, 32) // eight hex digits are one
	return uint32(n), h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}
