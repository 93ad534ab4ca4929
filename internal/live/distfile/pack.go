// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// tar writes a commit as git archive does: the entries and their order are git's, the attributes those of the commit.
func (a *Archiver) tar(ctx context.Context, repo, commit, prefix, name, to string) error {
	format := "tar"
	if strings.HasSuffix(name, ".zip") {
		format = "zip"
	}
	argv := a.git(repo, "-c", "tar.umask=0002", "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c",
		"core.attributesFile=/dev/null", "archive", "--format="+format, "--prefix="+prefix, commit)
	_, err := a.output(ctx, to, Program{Argv: argv, Env: alone()})
	return err
}

// pack packs a file.
func (a *Archiver) pack(ctx context.Context, packer []string, from, to string) (digest.Digest, error) {
	if packer == nil {
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
	return a.output(ctx, to, Program{Argv: packer, Env: alone(), Stdin: in})
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
