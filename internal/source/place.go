// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source/apt"
)

// place is one place where a file may be: an address, a path, or the store itself.
type place struct {
	label   string        // for people: the address without a password, or the path
	url     *url.URL      // of a file on a server
	apt     bool          // the server is one of apt's: its proxies count
	path    string        // of a file on this machine
	blob    digest.Digest // of a file in the store, whose unpacked tree is not whole
	mirror  string        // of which --mirror it is a part
	problem error         // why it cannot even be asked
}

// places gives the places of a file in the order they are tried.
func (f *Fetcher) places(ctx context.Context, d Distfile) iter.Seq[place] {
	return func(yield func(place) bool) {
		for _, p := range f.near(ctx, d) {
			if !yield(p) {
				return
			}
		}
		for _, text := range d.Places {
			for p := range f.declared(ctx, text) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// near are the store, where it has the file, and the mirrors of the command line.
func (f *Fetcher) near(ctx context.Context, d Distfile) []place {
	var all []place
	blobs := []digest.Digest{d.File}
	if r, ok, err := f.recall(ctx, d); err == nil && ok && r.File != d.File {
		blobs = append(blobs, r.File)
	}
	for _, blob := range blobs {
		if has, err := f.Blobs.Has(ctx, blob); err == nil && has {
			all = append(all, place{label: "the store", blob: blob})
		}
	}
	for _, m := range f.mirrors {
		all = append(all, m.place(hashFolder, d.File.Hex()), m.place(nameFolder, d.Name))
	}
	return all
}

// declared gives the places that one place of a declaration stands for.
func (f *Fetcher) declared(ctx context.Context, text string) iter.Seq[place] {
	return func(yield func(place) bool) {
		pool, debian := strings.CutPrefix(text, debianPrefix)
		if !debian {
			u, err := url.Parse(text)
			if err != nil {
				err = errors.New("not an address")
			}
			yield(place{label: text, url: u, problem: err})
			return
		}
		found := false
		for m := range f.archives(ctx) {
			found = true
			p := place{label: text + " (" + m.From + ")", problem: m.err}
			if m.err == nil {
				p = m.place(pool)
			}
			if !yield(p) {
				return
			}
		}
		if !found {
			yield(place{label: text, problem: errors.New("apt's configuration on this machine names no archive of Debian")})
		}
	}
}

// archive is an archive of apt's configuration, or why a list of archives could not be read.
type archive struct {
	apt.Mirror
	err error
}

// archives gives the archives of apt's configuration; those of a list where the list is named.
func (f *Fetcher) archives(ctx context.Context) iter.Seq[archive] {
	return func(yield func(archive) bool) {
		for _, m := range f.Apt.Archives() {
			if !m.List {
				if !yield(archive{Mirror: m}) {
					return
				}
				continue
			}
			addresses, err := f.lists.get(ctx, m.URL, f.client)
			if err != nil && !yield(archive{m, fmt.Errorf("reading the list of archives: %w", err)}) {
				return
			}
			for _, address := range addresses {
				if !yield(archive{Mirror: apt.Mirror{URL: strings.TrimRight(address, "/"), From: m.From}}) {
					return
				}
			}
		}
	}
}

// place is a file of the archive. Its path is sent with every sign escaped that servers read in two ways.
func (m archive) place(pool string) place {
	u, err := url.Parse(m.URL + "/" + escapePath(pool))
	switch {
	case err != nil:
		return place{label: m.From, problem: errors.New("not an address of an archive")}
	case u.Scheme == "file":
		return place{label: u.Path, path: filepath.FromSlash(u.Path)}
	case u.Scheme != "http" && u.Scheme != "https":
		return place{label: u.Redacted(), problem: fmt.Errorf("archives by %s: are not asked", u.Scheme)}
	}
	return place{label: u.Redacted(), url: u, apt: true}
}

// escapePath escapes a path for an address. Beyond what RFC 3986 wants, "+" is escaped, which some servers take for a
// blank.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(part), "+", "%2b")
	}
	return strings.Join(parts, "/")
}

// mirror is a folder that WriteMirror filled, or the address of a server of such a folder.
type mirror struct {
	label string
	url   *url.URL // nil for a folder
	dir   string
}

// parseMirror reads the value of --mirror.
func parseMirror(text string) (mirror, error) {
	if scheme, _, ok := strings.Cut(text, "://"); ok {
		u, err := url.Parse(strings.TrimRight(text, "/"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return mirror{}, fault.New(fault.Usage, "--mirror: an address by %s that is none of http://HOST/PATH or "+
				"https://HOST/PATH",
				scheme)
		}
		return mirror{label: u.Redacted(), url: u}, nil
	}
	info, err := os.Stat(text)
	if errors.Is(err, fs.ErrNotExist) {
		return mirror{}, fault.New(fault.NotFound, "--mirror %s: no such folder", text).
			WithHint("\"rung source mirror DIR\" makes one, where there is a network")
	}
	if err == nil && !info.IsDir() {
		err = errors.New("not a folder")
	}
	if err != nil {
		return mirror{}, fault.New(fault.Usage, "--mirror %s: %w", text, bare(err))
	}
	return mirror{label: text, dir: text}, nil
}

// place is a file of the mirror.
func (m mirror) place(folder, name string) place {
	if m.url == nil {
		file := filepath.Join(m.dir, folder, name)
		return place{label: file, path: file, mirror: m.label}
	}
	u, err := url.Parse(m.url.String() + "/" + folder + "/" + escapePath(name))
	if err != nil {
		return place{label: m.label, mirror: m.label, problem: errors.New("not an address")}
	}
	return place{label: u.Redacted(), url: u, mirror: m.label}
}
