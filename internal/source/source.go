// SPDX-License-Identifier: MIT

// Package source brings distfiles, the files of other people that a chain starts from, into the store: declared by
// digest, fetched from an ordered list of places, verified before anything else sees them, unpacked in process,
// mirrored for machines that have no network.
//
// Trust comes from the declaration alone. A place is never trusted: what it sends is bounded, kept under a name of its
// own until its digest is known, and set aside where it is wrong. A tarball that somebody packed anew counts as the
// right one where it unpacks to the declared tree, since nothing but the tree is ever used; the result says so.
//
// Left out on purpose: signatures, which say who made a file and not which file it is; versions and their upgrades;
// names of mirrors, which the machine's own apt configuration knows (see the package apt); fetching at the wish of a
// step, which has no network.
//
// The specification is docs/sources.md.
package source

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Distfile is the declaration of a file.
type Distfile struct {
	Name    string        // "musl-1.2.3.tar.gz"; no two of a chain are the same
	File    digest.Digest // SHA-256 and size of the file itself
	Tree    digest.Digest // of the unpacked tree, see Unpack; zero for a file that is used as it is
	Licence string        // an SPDX expression: "MIT", "LGPL-2.1-or-later"
	Strip   int           // 1 to take away the single directory that holds everything; otherwise 0
	Places  []string      // in the order they are tried: "debian:pool/main/...", "https://..."
	Pos     string        // where it is declared, for messages: "chain.star:12:1"
}

// debianPrefix marks a path below an archive of Debian.
const debianPrefix = "debian:"

// maxSize bounds what a declaration may ask for, in bytes.
const maxSize = 4 << 30

// nameForm and maxName are what a name may look like: it is part of references and of paths in mirrors. The bound is no
// part of the expression, which every start of rung would spend half a millisecond on.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]*$`)

const maxName = 128

func validName(name string) bool { return len(name) <= maxName && nameForm.MatchString(name) }

// Validate tells everything that is wrong with a declaration: nil, or a fault of kind Usage.
func (d Distfile) Validate() error {
	var wrong []error
	problem := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%sdistfile %q: %w", position(d.Pos), d.Name, fmt.Errorf(format, args...)))
	}
	if !validName(d.Name) {
		problem("a name is letters, digits and ._+~-, and begins with a letter or digit")
	}
	if d.File.IsZero() || d.File.Size() == 0 || d.File.Size() > maxSize {
		problem("a size is 1 to %d bytes, not %d", int64(maxSize), d.File.Size())
	}
	if strings.TrimSpace(d.Licence) == "" {
		problem("a licence is missing")
	}
	if d.Strip < 0 || d.Strip > 1 {
		problem("strip is 0 or 1, not %d", d.Strip)
	}
	if d.Strip != 0 && d.Tree.IsZero() {
		problem("strip is for what is unpacked, and there is no tree")
	}
	if len(d.Places) == 0 {
		problem("there is no place to fetch it from")
	}
	for i, place := range d.Places {
		if err := checkPlace(place); err != nil {
			problem("place %q: %w", place, err)
		}
		if slices.Contains(d.Places[:i], place) {
			problem("place %q: named twice", place)
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Usage, "%w", errors.Join(wrong...))
	}
	return nil
}

func position(pos string) string {
	if pos == "" {
		return ""
	}
	return pos + ": "
}

// checkPlace wants "debian:" and a clean path in the pool, or an https address without a password or a fragment.
func checkPlace(place string) error {
	if pool, ok := strings.CutPrefix(place, debianPrefix); ok {
		if !strings.HasPrefix(pool, "pool/") || path.Clean(pool) != pool || strings.ContainsAny(pool, "\\\x00?#%") {
			return errors.New("want a clean path that begins with pool/, its signs as they are")
		}
		return nil
	}
	u, err := url.Parse(place)
	if err != nil {
		return errors.New("not an address")
	}
	if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("want debian:pool/... or https://host/... without user and fragment")
	}
	return nil
}

// plain tells that the file is used as it is.
func (d Distfile) plain() bool { return d.Tree.IsZero() }

// limit is the most that is read of a place: a tarball that was packed anew may be larger than the declared one,
// within reason.
func (d Distfile) limit() int64 {
	if d.plain() {
		return d.File.Size()
	}
	return 2*d.File.Size() + 64<<10
}

// key names, in the action cache, the record that a declared file has been verified and unpacked.
func (d Distfile) key() digest.Digest {
	return digest.Of(fmt.Appendf(nil, "rung distfile 1\nfile %v\ntree %v\nstrip %d\n", d.File, d.Tree, d.Strip))
}

// CheckAll validates declarations and wants no name twice: nil, or a fault of kind Usage that names every defect.
func CheckAll(files []Distfile) error {
	var wrong []error
	at := map[string]string{}
	for _, d := range files {
		if err := d.Validate(); err != nil {
			wrong = append(wrong, err)
		}
		if first, twice := at[d.Name]; twice {
			wrong = append(wrong, fmt.Errorf("%sdistfile %q: there is one already%s", position(d.Pos), d.Name,
				strings.TrimSuffix(
					", at "+first, ", at ")))
		}
		at[d.Name] = d.Pos
	}
	if len(wrong) > 0 {
		return fault.New(fault.Usage, "%w", errors.Join(wrong...))
	}
	return nil
}
