// SPDX-License-Identifier: MIT

package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxEntries is how many entries of a directory are sorted and listed.
const maxEntries = 100_000

func (s *session) ls(ctx context.Context, c call) error {
	opt, names, err := options(c.args, "al", "")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		info, err := s.root.Lstat(s.at(name))
		switch {
		case err != nil:
			return of(name, err)
		case !s.isDir(name):
			s.list(c.out, info, s.at(name), name, opt.has('l'))
			continue
		case len(names) > 1:
			fmt.Fprintf(c.out, "%s:\n", quote(name))
		}
		if err := s.lsDir(ctx, c.out, name, opt); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) lsDir(ctx context.Context, out io.Writer, name string, opt flags) error {
	d, err := s.root.OpenFile(s.at(name), os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return of(name, err)
	}
	defer func() { _ = d.Close() }() // was only read
	entries, err := d.ReadDir(maxEntries)
	if err != nil && err != io.EOF {
		return of(name, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !opt.has('a') {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		at := s.at(name) + "/" + e.Name()
		info, err := s.root.Lstat(at)
		if err != nil {
			return of(e.Name(), err)
		}
		s.list(out, info, at, e.Name(), opt.has('l'))
	}
	if len(entries) == maxEntries {
		return of(name, fmt.Errorf("only %d entries are listed", maxEntries))
	}
	return nil
}

// list prints one line: mode, size and name, or the name alone. at is the path for os.Root.
func (s *session) list(out io.Writer, info fs.FileInfo, at, name string, long bool) {
	if !long {
		fmt.Fprintln(out, quote(name))
		return
	}
	fmt.Fprintf(out, "%-11s %12d %s", info.Mode(), info.Size(), quote(name))
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err := s.root.Readlink(at); err == nil { // it may be gone
			fmt.Fprintf(out, " -> %s", quote(target))
		}
	}
	fmt.Fprintln(out)
}

// pairs calls do with every source and the name it gets: the last argument, or the same name in that directory.
func (s *session) pairs(args []string, do func(from, to string) error) error {
	_, args, err := options(args, "", "")
	if err != nil || len(args) < 2 {
		return errUsage
	}
	to := args[len(args)-1]
	isDir := s.isDir(to)
	if len(args) > 2 && !isDir {
		return of(to, unix.ENOTDIR)
	}
	for _, from := range args[:len(args)-1] {
		name := to
		if isDir {
			name = to + "/" + path.Base(from)
		}
		if err := do(from, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) cp(ctx context.Context, c call) error {
	return s.pairs(c.args, func(from, to string) error { return s.copy(ctx, from, to) })
}

// copy copies the content of a file; a file that was not there gets its permissions as well.
func (s *session) copy(ctx context.Context, from, to string) (err error) {
	r, err := s.source(ctx, from)
	if err != nil {
		return err
	}
	defer r.close()
	info, err := r.file.Stat()
	if err != nil {
		return of(from, err)
	}
	there, missing := s.root.Stat(s.at(to))
	if missing == nil && os.SameFile(info, there) {
		return fmt.Errorf("%s and %s are the same file", quote(from), quote(to))
	}
	w, err := s.open(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, w.Close()) }()
	if _, err := io.CopyBuffer(w, r.Reader, make([]byte, maxLine)); err != nil {
		return of(to, err)
	}
	if missing != nil && info.Mode().IsRegular() {
		return of(to, w.Chmod(info.Mode().Perm()))
	}
	return nil
}

func (s *session) mv(_ context.Context, c call) error {
	return s.pairs(c.args, func(from, to string) error { return of(from, s.root.Rename(s.at(from), s.at(to))) })
}

func (s *session) rm(ctx context.Context, c call) error {
	opt, names, err := options(c.args, "r", "")
	if err != nil || len(names) == 0 {
		return errUsage
	}
	for _, name := range names {
		if base := path.Base(name); base == "." || base == ".." || base == "/" {
			return of(name, errors.New("is not removed by this name"))
		}
		if _, err := s.root.Lstat(s.at(name)); err != nil { // RemoveAll says nothing of it
			return of(name, err)
		}
		remove := s.root.Remove
		if opt.has('r') {
			remove = s.root.RemoveAll
		}
		if err := remove(s.at(name)); err != nil {
			return of(name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) mkdir(_ context.Context, c call) error {
	opt, names, err := options(c.args, "p", "")
	if err != nil || len(names) == 0 {
		return errUsage
	}
	mkdir := s.root.Mkdir
	if opt.has('p') {
		mkdir = s.root.MkdirAll
	}
	for _, name := range names {
		if err := mkdir(s.at(name), 0o777); err != nil {
			return of(name, err)
		}
	}
	return nil
}

func (s *session) chmod(_ context.Context, c call) error {
	if len(c.args) < 2 {
		return errUsage
	}
	change, err := modeChange(c.args[0])
	if err != nil {
		return err
	}
	for _, name := range c.args[1:] {
		if err := s.chmodOne(name, change); err != nil {
			return of(name, err)
		}
	}
	return nil
}

// chmodOne changes the mode of an open file: by name, a kernel before 6.6 cannot do it without following links.
func (s *session) chmodOne(name string, change func(fs.FileMode) fs.FileMode) error {
	info, err := s.root.Stat(s.at(name))
	switch {
	case err != nil:
		return err
	case !info.IsDir() && !info.Mode().IsRegular():
		return errNotFile
	}
	f, err := s.root.OpenFile(s.at(name), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	return cmp.Or(f.Chmod(change(info.Mode().Perm())), f.Close())
}

// modeChange is what a mode as it is typed makes of permissions.
func modeChange(text string) (func(fs.FileMode) fs.FileMode, error) {
	bits := map[string]fs.FileMode{"x": 0o111, "w": 0o200}
	if sign, what := text[:min(1, len(text))], text[min(1, len(text)):]; bits[what] != 0 {
		switch sign {
		case "+":
			return func(m fs.FileMode) fs.FileMode { return m | bits[what] }, nil
		case "-":
			return func(m fs.FileMode) fs.FileMode { return m &^ bits[what] }, nil
		}
	}
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		return nil, fmt.Errorf("%s: want three octal digits, or +x, -x, +w, -w", quote(text))
	}
	return func(fs.FileMode) fs.FileMode { return fs.FileMode(n) }, nil
}
