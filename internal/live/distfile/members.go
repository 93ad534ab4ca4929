// SPDX-License-Identifier: MIT

package distfile

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/compressed"
)

// Limits on an archive that is compared, and on how much of the differences is told.
const (
	maxMembers  = 200_000
	maxUnpacked = 8 << 30
	maxTold     = 8
)

// ArchiveError says that no way to make an archive gave the one with the SHA-256 of the sources file. It is a fault of
// kind Mismatch.
type ArchiveError struct {
	Want   string // SHA-256
	Commit string
	Moved  string   // the commit that the ref named when it was fetched before; or ""
	Ways   []Way    // that were tried
	Tools  []string // versions of the programs
	Diff   []string // against another archive of that name; nil where there was none
	Other  string   // its path
}

// Way is one way to make an archive, and what came of it.
type Way struct {
	How    string // "prefix p-1/, gzip -n"
	SHA256 string
}

// Error tells what was tried, and what may be the reason.
func (e *ArchiveError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no archive of commit %s has the SHA-256 %s; the reason may be another prefix, another version of the "+
		"compressor, or a ref that was moved to another commit", e.Commit, e.Want)
	if e.Moved != "" {
		fmt.Fprintf(&b, "\nthe ref was moved: it named %s before", e.Moved)
	}
	for _, w := range e.Ways {
		fmt.Fprintf(&b, "\n%s: %s", w.How, w.SHA256)
	}
	if len(e.Tools) > 0 {
		fmt.Fprintf(&b, "\nmade with %s", strings.Join(e.Tools, ", "))
	}
	if e.Other != "" {
		fmt.Fprintf(&b, "\ncompared with %s, which is wrong as well:", e.Other)
	}
	for _, line := range e.Diff {
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// Unwrap gives the fault.
func (e *ArchiveError) Unwrap() error { return fault.New(fault.Mismatch, "archive made of git") }

// compare sets Diff where another archive is at hand: one that a server sent, and that was kept aside.
func (e *ArchiveError) compare(ctx context.Context, made string, tries []Tried) {
	for _, t := range tries {
		if t.Kept == "" {
			continue
		}
		ours, err := readMembers(ctx, made)
		if err != nil {
			return
		}
		theirs, err := readMembers(ctx, t.Kept)
		if err != nil {
			continue // a page that says something else
		}
		e.Other, e.Diff = t.Kept, diffMembers(ours, theirs)
		return
	}
}

// member is what counts of an entry of an archive.
type member struct {
	kind   byte
	mode   int64
	target string
	sum    digest.Digest
}

// readMembers reads a tar stream, packed or not.
func readMembers(ctx context.Context, name string) (map[string]member, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, _, err := compressed.NewReader(f, maxUnpacked)
	if err != nil {
		return nil, err
	}
	all := map[string]member{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err == nil && len(all) >= maxMembers {
			err = fmt.Errorf("%s: more than %d entries", name, maxMembers)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		sum := digest.NewHasher()
		if _, err := io.Copy(sum, tr); err != nil {
			return nil, err
		}
		all[h.Name] = member{h.Typeflag, h.Mode & 0o777, h.Linkname, sum.Digest()}
	}
}

// diffMembers tells how two archives differ, a line each, the first few.
func diffMembers(ours, theirs map[string]member) []string {
	var lines []string
	names := maps.Clone(ours)
	maps.Copy(names, theirs)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, inOurs := ours[name]
		b, inTheirs := theirs[name]
		switch {
		case !inTheirs:
			lines = append(lines, fmt.Sprintf("only in the one made here: %q", name))
		case !inOurs:
			lines = append(lines, fmt.Sprintf("only in the other: %q", name))
		case a.sum != b.sum:
			lines = append(lines, fmt.Sprintf("other content: %q, %d bytes here, %d there", name, a.sum.Size(), b.sum.Size()))
		case a != b:
			lines = append(lines, fmt.Sprintf("other type, mode or target: %q, mode %o here, %o there", name, a.mode, b.mode))
		}
	}
	if len(lines) == 0 {
		return []string{"the same members and contents: only the packing differs (compressor, order, times, owners)"}
	}
	if n := len(lines); n > maxTold {
		lines = append(lines[:maxTold], fmt.Sprintf("and %d more", n-maxTold))
	}
	return lines
}
