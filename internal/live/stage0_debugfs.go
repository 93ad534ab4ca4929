// SPDX-License-Identifier: MIT

package live

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// debugfs runs a script. Its commands tell of failures in text only, so that what they did is looked at afterwards.
func (w *stage0Writer) debugfs(script string, write bool) error {
	file := w.inside("script")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		return fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	argv := []string{"debugfs", "-f", file, w.device}
	if write {
		argv = append([]string{"debugfs", "-w"}, argv[1:]...)
	}
	if err := w.Tool(w.ctx, []int{0}, argv...); err != nil {
		return fault.New(fault.Unavailable, "stage0 image: %w", err).WithHint("install e2fsprogs 1.43 or newer")
	}
	return nil
}

// quoted is a name as debugfs reads it. There are no names with quotes or line ends among those of a checkout that
// came this far: builder-hex0 could not carry them either.
func quoted(name string) (string, error) {
	if strings.ContainsAny(name, "\"\n\r") {
		return "", fault.New(fault.Usage, "stage0 image: a file named %q", name).WithHint("rename it")
	}
	return `"` + name + `"`, nil
}

// read gives a text of the image; false where it is not there.
func (w *stage0Writer) read(name string) (string, bool, error) {
	at := w.inside("read")
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	if err := w.debugfs(fmt.Sprintf("dump \"%s\" \"%s\"\n", name, at), false); err != nil {
		return "", false, err
	}
	info, err := os.Stat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err == nil && info.Size() > maxText {
		return "", false, fault.New(fault.Limit, "--stage0-image: %s has %d bytes", name,
			info.Size()).WithHint("take another image")
	}
	text, err := os.ReadFile(at)
	if err != nil {
		return "", false, fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	return string(text), true, nil
}

// write puts the files into the image, and reads all of them back.
func (w *stage0Writer) write() error {
	var script, back strings.Builder
	for i, e := range w.files {
		to, err := quoted("/" + e.Path)
		if err != nil {
			return err
		}
		if e.Mode.IsDir() {
			fmt.Fprintf(&script, "mkdir %s\n", to)
			continue
		}
		from := w.inside(fmt.Sprintf("in-%d", i))
		if err := w.stage(e, from); err != nil {
			return err
		}
		fmt.Fprintf(&script, "rm %s\nwrite \"%s\" %s\n", to, from, to)
		fmt.Fprintf(&back, "dump %s \"%s\"\n", to, w.inside(fmt.Sprintf("out-%d", i)))
	}
	if err := w.debugfs(script.String(), true); err != nil {
		return err
	}
	if err := w.debugfs(back.String(), false); err != nil {
		return err
	}
	return w.compare()
}

// stage writes a file for debugfs to take.
func (w *stage0Writer) stage(e Entry, to string) error {
	r, err := e.open(nil)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(e.Mode.Perm())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Unavailable, "stage0 image: %w", err)
	}
	return nil
}

// compare looks whether the image holds what was written.
func (w *stage0Writer) compare() error {
	for i, e := range w.files {
		if e.Mode.IsDir() {
			continue
		}
		want, err := digestFile(w.inside(fmt.Sprintf("in-%d", i)))
		if err != nil {
			return err
		}
		got, err := digestFile(w.inside(fmt.Sprintf("out-%d", i)))
		if errors.Is(err, fs.ErrNotExist) {
			got, err = digest.Digest{}, nil
		}
		if err != nil {
			return err
		}
		if got != want {
			return fault.New(fault.Unavailable, "stage0 image: /%s could not be written", path.Clean(e.Path)).
				WithHint("the image's file system may be full or damaged: e2fsck judges it")
		}
	}
	if err := w.Tool(w.ctx, []int{0}, "e2fsck", "-fn", w.device); err != nil {
		return fault.New(fault.Internal, "stage0 image: its file system after the changes: %w", err)
	}
	return nil
}
