// SPDX-License-Identifier: MIT

// Package apt reads from a machine's apt configuration which archives it uses and through which proxy they are
// reached.
//
// The project names no mirror of its own: whoever runs the machine has chosen one, and apt knows it. Read never fails,
// because a file that is missing or wrong is no reason not to ask the archives that the others name: what was skipped
// is a note.
//
// Left out on purpose: suites and components (a file in an archive's pool belongs to no suite), keys (files are known
// by their digests), credentials of auth.conf, cdrom, ftp and other transports that need programs, proxies that a
// program has to find (Acquire::http::Proxy-Auto-Detect), the variable APT_CONFIG, and #include.
//
// Specifications: sources.list(5), apt.conf(5), apt-transport-http(1), apt-transport-mirror(1) of apt 2.6.
package apt

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Mirror is an archive that the configuration names.
type Mirror struct {
	URL    string // without a slash at its end; http, https or file
	List   bool   // the URL is that of a list of archives, to be read with ParseList
	From   string // "etc/apt/sources.list:3"
	Debian bool   // the archive says of itself that it is one of Debian, see isDebian
}

// Config is what a machine's configuration says.
type Config struct {
	Mirrors []Mirror // in the order of files and lines, none twice
	Notes   []string // what was skipped, each with its file, for people

	settings map[string]string // of apt.conf, by name in lower case: "acquire::http::proxy"
}

// maxFile bounds a file of the configuration, in bytes.
const maxFile = 1 << 20

// Read reads the configuration below etc/apt of a root directory.
func Read(root fs.FS) Config {
	r := &reader{root: root, seen: map[string]bool{}}
	r.settings = map[string]string{}
	r.each("etc/apt/apt.conf.d", []string{"", ".conf"}, r.settingsFile)
	r.file("etc/apt/apt.conf", r.settingsFile)
	r.file("etc/apt/sources.list", r.lines)
	r.each("etc/apt/sources.list.d", []string{".list", ".sources"}, func(name, text string) {
		if strings.HasSuffix(name, ".sources") {
			r.stanzas(name, text)
		} else {
			r.lines(name, text)
		}
	})
	r.checkProxies()
	return r.Config
}

// Archives are the mirrors that may have a file of Debian: those that say so of themselves; where none does, all.
func (c Config) Archives() []Mirror {
	var debian []Mirror
	for _, m := range c.Mirrors {
		if m.Debian {
			debian = append(debian, m)
		}
	}
	if len(debian) == 0 {
		return c.Mirrors
	}
	return debian
}

type reader struct {
	Config
	root fs.FS
	seen map[string]bool // URLs of mirrors
}

func (r *reader) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// file reads one file, where it exists.
func (r *reader) file(name string, parse func(name, text string)) {
	info, err := fs.Stat(r.root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxFile) {
		err = fmt.Errorf("not a regular file of at most %d bytes", maxFile)
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(r.root, name)
	}
	if err != nil {
		r.note("%s: skipped: %v", name, err)
		return
	}
	parse(name, string(text))
}

// partNames are the names that apt takes for files of a folder of parts; it is silent about others.
var partNames = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// each reads the files of a folder that have one of the extensions, in the order of their names.
func (r *reader) each(dir string, extensions []string, parse func(name, text string)) {
	entries, err := fs.ReadDir(r.root, dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.note("%s: skipped: %v", dir, err)
		}
		return
	}
	for _, e := range entries {
		for _, extension := range extensions {
			if path.Ext(e.Name()) == extension && partNames.MatchString(e.Name()) && !e.IsDir() {
				r.file(path.Join(dir, e.Name()), parse)
			}
		}
	}
}

// add takes an archive by the address that a source names.
func (r *reader) add(from, address, signedBy string) {
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok {
		r.note("%s: %q is no address", from, address)
		return
	}
	list := false
	switch scheme {
	case "mirror":
		scheme, list = "http", true
	case "mirror+http", "mirror+https", "mirror+file", "mirror+copy":
		scheme, list = strings.TrimPrefix(scheme, "mirror+"), true
	}
	if scheme == "copy" {
		scheme = "file"
	}
	switch scheme {
	case "http", "https", "file":
	default:
		r.note("%s: archives by %s: are not asked", from, scheme)
		return
	}
	u, err := url.Parse(scheme + ":" + rest)
	if err != nil || u.Opaque != "" || (u.Host == "") != (scheme == "file") {
		r.note("%s: %s: is no address of an archive", from, scheme)
		return
	}
	if list && scheme == "file" {
		r.file(strings.TrimPrefix(u.Path, "/"), func(name, text string) {
			for _, address := range ParseList(text) {
				r.add(name, address, signedBy) // no list in it again: ParseList leaves them out
			}
		})
		return
	}
	u.OmitHost = false // file:/srv and file:///srv are one
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	r.keep(Mirror{URL: u.String(), List: list, From: from, Debian: isDebian(u, signedBy)})
}

func (r *reader) keep(m Mirror) {
	if !r.seen[m.URL] {
		r.seen[m.URL] = true
		r.Mirrors = append(r.Mirrors, m)
	}
}

// isDebian tells whether an archive is likely to be Debian's: the last part of its path begins with "debian", as on
// every official mirror, or it is signed by Debian's own key ring. It spares archives of other people requests for
// files that they cannot have.
func isDebian(u *url.URL, signedBy string) bool {
	return strings.HasPrefix(path.Base(u.Path), "debian") || strings.Contains(signedBy, "debian-archive")
}
