// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// A mirror is a folder, or what an http server shows of one:
//
//	MANIFEST     a line each file, sorted: 64 hex digits, two blanks, "name/" and its name: what sha256sum -c reads
//	sha256/HEX   each file under its own SHA-256
//	name/NAME    the same file under its name, for those who have a declaration that it was packed anew from
//
// Files are linked rather than copied where the file system can do so.
const (
	hashFolder = "sha256"
	nameFolder = "name"
	manifest   = "MANIFEST"
)

// maxManifest bounds a manifest, in bytes.
const maxManifest = 16 << 20

// manifestWait is how long another process may keep a mirror's manifest for itself.
const manifestWait = 10 * time.Second

// Mirrored is a file of a mirror.
type Mirrored struct {
	Name string
	File digest.Digest
	New  bool // it was not there before
}

// WriteMirror puts fetched files into the folder of a mirror, which is made where it does not exist, beside those that
// are there. The store has to have the files themselves (Options.Whole). Each appears whole or not at all, and two
// processes may write one mirror.
func (f *Fetcher) WriteMirror(ctx context.Context, dir string, files []Fetched) ([]Mirrored, error) {
	for _, folder := range []string{hashFolder, nameFolder} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return nil, mirrorFault(dir, err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		defer lock.Close()
		err = filelock.Lock(lock, filelock.Exclusive, manifestWait)
	}
	if err != nil {
		return nil, mirrorFault(dir, err)
	}
	sums, err := readManifest(os.DirFS(dir))
	if err != nil {
		return nil, mirrorFault(dir, err)
	}
	var all []Mirrored
	for _, got := range files {
		m := Mirrored{Name: got.Distfile.Name, File: got.File}
		if m.New, err = f.mirrorFile(ctx, dir, m); err != nil {
			return nil, mirrorFault(dir, fmt.Errorf("distfile %q: %w", m.Name, err))
		}
		sums[m.Name] = m.File.Hex()
		all = append(all, m)
	}
	if err := writeManifest(dir, sums); err != nil {
		return nil, mirrorFault(dir, err)
	}
	return all, nil
}

// mirrorFault names a mirror, and a folder that cannot be used for what it is.
func mirrorFault(dir string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("mirror %s: %w", dir, err)
	}
	return fault.New(fault.Unavailable, "mirror %s: %w", dir, err).WithHint("name another folder, on a disk that can be " +
		"written")
}

// mirrorFile puts one file under its two names, and tells whether either was missing.
func (f *Fetcher) mirrorFile(ctx context.Context, dir string, m Mirrored) (bool, error) {
	byHash, byName := filepath.Join(dir, hashFolder, m.File.Hex()), filepath.Join(dir, nameFolder, m.Name)
	fresh := false
	if !isFile(byHash, m.File) {
		r, err := f.Blobs.Open(ctx, m.File)
		if err != nil {
			return false, err
		}
		defer r.Close()
		if err := install(byHash, r); err != nil {
			return false, err
		}
		fresh = true
	}
	if isFile(byName, m.File) {
		return fresh, nil
	}
	temp := tempName(byName)
	os.Remove(temp)
	if os.Link(byHash, temp) == nil {
		return true, os.Rename(temp, byName)
	}
	r, err := os.Open(byHash) // no links on this file system
	if err != nil {
		return false, err
	}
	defer r.Close()
	return true, install(byName, r)
}

// tempName is a name for a file that is not whole yet. There is one in a folder, since the lock lets one process
// write.
func tempName(name string) string { return filepath.Join(filepath.Dir(name), ".incoming") }

// install writes a file under another name first.
func install(name string, r io.Reader) (err error) {
	temp := tempName(name)
	os.Remove(temp)
	w, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.Close()
			os.Remove(temp)
		}
	}()
	if _, err = io.Copy(w, r); err != nil {
		return err
	}
	if err = w.Sync(); err != nil { // a mirror is carried around: what has a name has to be on the disk
		return err
	}
	if err = w.Close(); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// isFile tells whether a regular file has the content of a digest.
func isFile(name string, want digest.Digest) bool {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != want.Size() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	got, err := hashed(f)
	return err == nil && got == want
}

// readManifest gives the SHA-256 of each file of a mirror, by name. A mirror that is not there yet has none.
func readManifest(dir fs.FS) (map[string]string, error) {
	sums := map[string]string{}
	info, err := fs.Stat(dir, manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if err == nil && info.Size() > maxManifest {
		err = fmt.Errorf("%s: more than %d bytes", manifest, maxManifest)
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(dir, manifest)
	}
	if err != nil {
		return nil, err
	}
	line := 0
	for text := range strings.Lines(string(text)) {
		line++
		sum, file, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "  ")
		name, ok := strings.CutPrefix(file, nameFolder+"/")
		if _, err := digest.FromHex(sum, 0); err != nil || !ok || !validName(name) {
			return nil, fmt.Errorf("%s:%d: not a line of a manifest", manifest, line)
		}
		sums[name] = sum
	}
	return sums, nil
}

func writeManifest(dir string, sums map[string]string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&b, "%s  %s/%s\n", sums[name], nameFolder, name)
	}
	return install(filepath.Join(dir, manifest), strings.NewReader(b.String()))
}
