// SPDX-License-Identifier: MIT

package agent

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/rung-build/rung/internal/fault"
)

// File is a file of this host that an agent needs where nothing else of the host is.
type File struct {
	Path string // where it has to be, without the leading slash: "lib64/ld-linux-x86-64.so.2"
	Host string // where it is
}

// Program is the path at which Files puts the agent itself.
const Program = "rung"

// libraryFolders are where the loader of a common Linux finds libraries without being told: ld.so(8), and the folders
// of Debian's architectures.
func libraryFolders() []string {
	return []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib/riscv64-linux-gnu", "/usr/lib/riscv64-linux-gnu"}
}

// Files lists what an agent consists of: the file of the running program and, where it was built with cgo, the loader
// that it names and the libraries it needs, and theirs.
func Files() ([]File, error) {
	program, err := os.Readlink(self)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the file of the running program: %w", err)
	}
	host := program
	if _, err := os.Stat(program); err != nil {
		host = self // removed, as a program is that go run has built
	}
	files := []File{{Path: Program, Host: host}}
	for i := 0; i < len(files); i++ { // files grows
		more, err := needed(files[i].Host)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "%s, which an agent needs: %w", files[i].Host, err).
				WithHint("build rung with CGO_ENABLED=0, and it needs no libraries")
		}
		for _, f := range more {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// needed are the loader and the libraries that a program or library names.
func needed(name string) (files []File, err error) {
	f, err := elf.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil || len(loader) < 2 {
			return nil, fmt.Errorf("no name of a loader: %w", err)
		}
		at := path.Clean(string(loader[:len(loader)-1])) // it ends with NUL
		files = append(files, File{Path: at[1:], Host: at})
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, l := range libraries {
		at, err := findLibrary(l, f.FileHeader)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: at[1:], Host: at})
	}
	return files, nil
}

func findLibrary(name string, user elf.FileHeader) (string, error) {
	for _, dir := range libraryFolders() {
		at := filepath.Join(dir, name)
		f, err := elf.Open(at)
		if err != nil {
			continue
		}
		fits := f.Machine == user.Machine && f.Class == user.Class
		if err := f.Close(); err != nil {
			return "", err
		}
		if fits {
			return at, nil
		}
	}
	return "", fault.New(fault.NotFound, "the library %s is in none of %q", name, libraryFolders())
}
