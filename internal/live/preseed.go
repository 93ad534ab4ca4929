// SPDX-License-Identifier: MIT

package live

import (
	"bufio"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/tree"
)

// Limits of an archive to start from: some ten times what a root file system behind bash has.
const (
	preseedFiles = 500_000
	preseedBytes = 16 << 30
)

// preseedNeeds are what the guest's first script wants of the archive, and what starts that script.
func preseedNeeds(o Options) []string {
	needs := []string{"script-generator", "usr/bin/kaem"}
	if o.KernelBootstrap() {
		return append(needs, "x86/hex0_x86.hex0", "x86/kaem-minimal.hex0")
	}
	return append(needs, "bootstrap-seeds/POSIX/x86/kaem-optional-seed")
}

// readPreseed reads the archive to start from. Content is given to put.
func readPreseed(name string, put func(io.Reader) (digest.Digest, error)) (tree.Tree, error) {
	f, err := os.Open(name)
	if err != nil {
		return tree.Tree{}, fault.New(fault.NotFound, "--early-preseed: %w", err).WithHint("correct the path")
	}
	defer f.Close()
	bad := func(err error) (tree.Tree, error) {
		return tree.Tree{}, fault.New(fault.Usage, "--early-preseed %s: %w", name, err).
			WithHint("make it as steps/improve/setup_repo.sh tells, with tar and any of gzip, bzip2 and xz")
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil {
		return bad(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return bad(err)
	}
	var r io.Reader = bufio.NewReaderSize(f, bufferSize)
	if compressed.Detect(head[:n]) != compressed.None {
		if r, _, err = compressed.NewReader(f, 2*preseedBytes); err != nil {
			return bad(err)
		}
	}
	limits := tarball.Limits{Files: preseedFiles, Bytes: preseedBytes, Path: 4095, AbsoluteLinks: true}
	t, err := tarball.Decode(r, limits, put)
	if err != nil {
		return bad(err)
	}
	return t, nil
}

// preseed is the root of a run that starts from an archive: all of it but its steps and distfiles, and the script that
// goes on behind bash. Links to files are the files, as they are where the host's scripts copy such a root; others are
// left out of what has no links.
func (p *Plan) preseed() (entries, error) {
	t, err := readPreseed(p.Options.EarlyPreseed, func(r io.Reader) (digest.Digest, error) {
		h := digest.NewHasher()
		_, err := io.Copy(h, r)
		return h.Digest(), err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range preseedNeeds(p.Options) {
		if n, ok := t.Lookup(name); !ok || n.Kind == tree.Dir {
			return nil, fault.New(fault.Usage, "--early-preseed %s: no %s in it", p.Options.EarlyPreseed, name).
				WithHint("make the archive in a guest that has bash, of its whole root")
		}
	}
	var all entries
	for n := range t.Nodes() {
		first, _, _ := strings.Cut(n.Path, "/")
		if first == stepsRoot || first == "external" {
			continue
		}
		e := Entry{Path: n.Path, Mode: fs.FileMode(n.Mode) & 0o777, archived: n.Content}
		switch n.Kind {
		case tree.Dir:
			e.Mode = fs.ModeDir | 0o755
		case tree.File:
			e.Size = n.Content.Size()
		case tree.Symlink:
			if e.Target = n.Target; p.Options.KernelBootstrap() {
				end, ok := endOf(t, n, 0)
				if !ok {
					continue
				}
				e.Target, e.archived, e.Size = "", end.Content, end.Content.Size()
			}
		}
		all = append(all, e)
	}
	text, err := p.Checkout.text("seed/preseeded.kaem")
	if err != nil {
		return nil, err
	}
	return overlay(all, entries{asFile("kaem.x86", text)}), nil
}

// maxLinks is how many links are followed, as Linux does.
const maxLinks = 40

// endOf is the file that a link leads to within its tree.
func endOf(t tree.Tree, n tree.Node, links int) (tree.Node, bool) {
	for ; n.Kind == tree.Symlink; links++ {
		to := path.Join(path.Dir(n.Path), n.Target)
		if path.IsAbs(n.Target) {
			to = path.Clean(n.Target)[1:]
		}
		var ok bool
		if n, ok = lookup(t, to, links); !ok || links == maxLinks {
			return tree.Node{}, false
		}
	}
	return n, n.Kind == tree.File
}

// lookup finds a path whose folders may be links.
func lookup(t tree.Tree, name string, links int) (tree.Node, bool) {
	if n, ok := t.Lookup(name); ok {
		return n, true
	}
	for dir := path.Dir(name); dir != "." && dir != "/" && links < maxLinks; dir = path.Dir(dir) {
		if n, ok := t.Lookup(dir); ok && n.Kind == tree.Symlink {
			to := path.Join(path.Dir(dir), n.Target)
			if path.IsAbs(n.Target) {
				to = path.Clean(n.Target)[1:]
			}
			return lookup(t, path.Join(to, strings.TrimPrefix(name, dir+"/")), links+1)
		}
	}
	return tree.Node{}, false
}

// unpackPreseed puts the content of the archive into a folder, by digest, from where media are written.
func (w *mediumWriter) unpackPreseed(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	w.archive = dir
	_, err := readPreseed(w.plan.Options.EarlyPreseed, func(r io.Reader) (digest.Digest, error) {
		f, err := os.CreateTemp(dir, "part")
		if err != nil {
			return digest.Digest{}, err
		}
		defer f.Close()
		h := digest.NewHasher()
		if _, err := io.Copy(io.MultiWriter(f, h), watched{io.NopCloser(r), w.ctx, func(int64) {}}); err != nil {
			return digest.Digest{}, err
		}
		return h.Digest(), os.Rename(f.Name(), filepath.Join(dir, h.Digest().Hex()))
	})
	return err
}
