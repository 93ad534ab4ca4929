// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// tar writes a commit as git archive does: the entries and their order are git's, the attributes those of the commit. The
// format is "" for what the name of the line says, less its packing.
func (a *Archiver) tar(ctx context.Context, d Distfile, commit, prefix, format, to string) (digest.Digest, error) {
	switch {
	case format != "":
	case strings.HasSuffix(d.Name, ".zip"):
		format = "zip"
	default:
		format = "tar"
	}
	argv := a.git(a.clone(d), "-c", "tar.umask=0002", "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c",
		"core.attributesFile=/dev/null", "-c", "tar.tar.gz.command="+strings.Join(gitGzip(), " "), "archive",
		"--format="+format, "--prefix="+prefix, commit)
	return a.output(ctx, to, Program{Argv: argv, Env: alone()})
}

// pack packs a file in one way.
func (a *Archiver) pack(ctx context.Context, d Distfile, commit string, w way, from, to string) (digest.Digest, error) {
	if slices.Equal(w.packer, gitGzip()) {
		return a.tar(ctx, d, commit, w.prefix, "tar.gz", to)
	}
	if w.packer == nil {
		if err := os.Rename(from, to); err != nil {
			return digest.Digest{}, fault.New(fault.Unavailable, "distfiles: %w", err)
		}
		return sumOf(ctx, to)
	}
	in, err := os.Open(from)
	if err != nil {
		return digest.Digest{}, fault.New(fault.Unavailable, "distfiles: %w", err)
	}
	defer in.Close()
	return a.output(ctx, to, Program{Argv: w.packer, Env: alone(), Stdin: in})
}

// output runs a program and keeps what it prints in a file.
func (a *Archiver) output(ctx context.Context, to string, p Program) (digest.Digest, error) {
	out, err := os.Create(to)
	if err != nil {
		return digest.Digest{}, fault.New(fault.Unavailable, "distfiles: %w", err)
	}
	h := digest.NewHasher()
	p.Stdout = io.MultiWriter(out, h)
	err = a.Run(ctx, p)
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return digest.Digest{}, fmt.Errorf("%s: %w", p.Argv[0], err)
	}
	return h.Digest(), nil
}

// versions are those of the programs that took part.
func (a *Archiver) versions(ctx context.Context, name string) []string {
	programs := []string{"git"}
	if p := packers(name)[0]; p != nil {
		programs = append(programs, p[0])
	}
	var all []string
	for _, program := range programs {
		var b strings.Builder
		if a.Run(ctx, Program{Argv: []string{program, "--version"}, Env: alone(), Stdout: &b}) == nil {
			line, _, _ := strings.Cut(b.String(), "\n")
			all = append(all, line)
		}
	}
	return all
}

// install moves a file to its name, once it is on the disk for good.
func install(from, to string) error {
	err := os.MkdirAll(filepath.Dir(to), 0o755)
	var f *os.File
	if err == nil {
		f, err = os.Open(from)
	}
	if err == nil {
		err = f.Sync()
		f.Close()
	}
	if err == nil {
		err = os.Rename(from, to)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "distfiles: %w", err).WithHint("free some space, or make the folder writable")
	}
	return nil
}
