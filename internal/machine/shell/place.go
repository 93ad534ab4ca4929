// SPDX-License-Identifier: MIT

package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxLinks is how many links a path may lead through, as for the kernel: MAXSYMLINKS of Linux, include/linux/namei.h.
const maxLinks = 40

// memoryMajor is the major number of the devices that answer at once: null, zero, full, random, urandom. Source:
// Documentation/admin-guide/devices.txt of Linux.
const memoryMajor = 1

var (
	errLeaves  = errors.New("leads out of the tree")
	errNotFile = errors.New("is no regular file")
)

// at is a name as os.Root takes it. It is not cleaned: what .. means after a link is the kernel's to say.
func (s *session) at(name string) string {
	switch {
	case name == "":
		return "" // which no file has
	case path.IsAbs(name):
		return "." + name
	}
	return s.dir + "/" + name
}

// of puts a name before what is wrong with it, in the words of the system.
func of(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", quote(name), bare(err))
}

// bare is what is wrong without the name that package os puts before it, which a terminal might act upon.
func bare(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// open opens a file. Of what is no regular file only the memory devices are taken: a read of another may never end.
func (s *session) open(name string, flag int) (*os.File, error) {
	f, err := s.root.OpenFile(s.at(name), flag|unix.O_NONBLOCK|unix.O_NOCTTY, 0o666)
	if err != nil {
		return nil, of(name, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = unix.EISDIR
	case !info.Mode().IsRegular() && !isMemory(info):
		err = errNotFile
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, of(name, err)
	}
	return f, nil
}

func isMemory(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && unix.Major(uint64(stat.Rdev)) == memoryMajor
}

// source is a file to be read, or what < gave.
type source struct {
	name string
	io.Reader
	file *os.File // nil for what < gave
}

func (r source) close() {
	if r.file != nil {
		_ = r.file.Close() // was only read
	}
}

// source opens a file that is read until ctx ends.
func (s *session) source(ctx context.Context, name string) (source, error) {
	f, err := s.open(name, os.O_RDONLY)
	if err != nil {
		return source{}, err
	}
	return source{name, watched{ctx, f}, f}, nil
}

// each calls do with every file of the list, or with what < gave where the list is empty, up to the first error.
func (s *session) each(ctx context.Context, c call, names []string, do func(source) error) error {
	if len(names) == 0 {
		if c.in == nil {
			return errors.New("no file named")
		}
		return do(source{"-", c.in, nil})
	}
	for _, name := range names {
		from, err := s.source(ctx, name)
		if err != nil {
			return err
		}
		err = do(from)
		from.close()
		if err != nil {
			return of(name, err)
		}
	}
	return nil
}

// resolve follows a name to a path from the root that is clean and without links. What is not there is kept as it is.
func (s *session) resolve(name string) (string, error) {
	at, links := ".", 0
	todo := strings.Split(s.at(name), "/")
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		if part == ".." {
			if at == "." {
				return "", of(name, errLeaves)
			}
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		target, err := s.root.Readlink(next)
		switch {
		case err != nil: // no link
			at = next
			continue
		case path.IsAbs(target):
			return "", of(name, errLeaves)
		}
		if links++; links > maxLinks {
			return "", of(name, unix.ELOOP)
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at, nil
}

// isDir tells whether a name is that of a directory, or of a link to one.
func (s *session) isDir(name string) bool {
	info, err := s.root.Stat(s.at(name))
	return err == nil && info.IsDir()
}

func (s *session) cd(_ context.Context, c call) error {
	name := "/"
	switch len(c.args) {
	case 0:
	case 1:
		name = c.args[0]
	default:
		return errUsage
	}
	if name == "" {
		return of(name, unix.ENOENT)
	}
	dir, err := s.resolve(name)
	if err != nil {
		return err
	}
	info, err := s.root.Stat(dir)
	switch {
	case err != nil:
		return of(name, err)
	case !info.IsDir():
		return of(name, unix.ENOTDIR)
	}
	s.dir = dir
	return nil
}

func (s *session) pwd(_ context.Context, c call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	fmt.Fprintln(c.out, quote(path.Join("/", s.dir)))
	return nil
}
