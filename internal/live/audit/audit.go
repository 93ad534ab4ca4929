// SPDX-License-Identifier: MIT

// Package audit looks into distfiles for what a bootstrap should not take: binaries, what autotools, bison, flex and
// their like generated, what has no licence or a non-free one.
//
// It reads archives as a stream, keeps no content, and takes no file of it for a program. What it finds is judged by an
// allow-list, which is data: allow.txt, and files of the same form that the user names. A finding is a sign, by a file's
// first bytes, a mark in its head, or its name; that there is none proves nothing.
//
// Left out on purpose: whether a step removes what it finds before it builds; data of other kinds (pictures, fonts, data
// of tests), in which a program could hide; archives within archives, which are only told of.
//
// Specification: docs/live-sources.md.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Kind is what is wrong with a file.
type Kind string

// The kinds.
const (
	Binary  Kind = "binary"  // a program, a library, an object, compiled text
	Parser  Kind = "parser"  // made of a grammar: by bison, byacc, flex, gperf, re2c
	Build   Kind = "build"   // made by autoconf, automake, aclocal, autoheader, libtool
	NonFree Kind = "nonfree" // its licence allows less than a free one
	Licence Kind = "licence" // none was found
	Archive Kind = "archive" // an archive within, which was not looked into
	Damaged Kind = "damaged" // the distfile could not be read to its end
	Unsafe  Kind = "unsafe"  // a path that leaves the folder that it is unpacked in
)

// Kinds lists them, the gravest first.
func Kinds() []Kind {
	return []Kind{Binary, NonFree, Unsafe, Parser, Build, Damaged, Archive, Licence}
}

// Severity tells how grave a finding is.
type Severity int

// The severities.
const (
	Low    Severity = iota + 1 // look at it
	Medium                     // a step has to remove it before it builds
	High                       // it has no place in a bootstrap
)

// String is the severity's name.
func (s Severity) String() string {
	if s < Low || s > High {
		return "unknown"
	}
	return [...]string{Low: "low", Medium: "medium", High: "high"}[s]
}

// MarshalText gives the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is something about one file of a distfile.
type Finding struct {
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	Path     string   `json:"path"`              // as the archive has it; "" for the distfile itself
	Why      string   `json:"why"`               // lower case
	Allowed  string   `json:"allowed,omitempty"` // the reason from an allow-list
}

// Result is what was found in a distfile.
type Result struct {
	Distfile string    `json:"distfile"`
	Members  int       `json:"members"`  // files that were looked at
	Findings []Finding `json:"findings"` // the gravest first, then by path
}

// Worst is the gravest severity of what is not allowed; 0 where there is nothing.
func (r Result) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		if f.Allowed == "" {
			worst = max(worst, f.Severity)
		}
	}
	return worst
}

// Limits on what is read of a distfile.
const (
	maxMembers  = 500_000
	maxUnpacked = 16 << 30 // bytes
	maxPath     = 4096     // bytes
	headSize    = 8 << 10  // bytes of a file that are looked at
	maxFindings = 20_000
)

// Distfile looks into a file: an archive (tar, packed or not, or zip), or anything else, which is looked at as it is. An
// error is one of reading, or of the context; an archive that is damaged or too large is a finding.
func Distfile(ctx context.Context, name string, content io.ReaderAt, size int64, allow Allow) (Result, error) {
	l := newLook(ctx, name)
	err := l.read(content, size)
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	if err != nil {
		l.add(Finding{Damaged, Medium, l.last, "reading ends here: " + err.Error(), ""})
	}
	return l.result(allow), nil
}

// Folder looks at the files below some folders of a file system, as if they were those of an archive of some name. A
// folder that does not exist has none. Licences are not asked for.
func Folder(ctx context.Context, name string, fsys fs.FS, dirs []string, allow Allow) (Result, error) {
	l := newLook(ctx, name)
	l.licensed = true
	for _, dir := range dirs {
		if _, err := fs.Stat(fsys, dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		err := fs.WalkDir(fsys, dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || ctx.Err() != nil {
				return cmp.Or(ctx.Err(), err)
			}
			return l.entry(fsys, p, d)
		})
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return l.result(allow), nil
}

// entry looks at a file of a folder. What git keeps for itself is left out.
func (l *look) entry(fsys fs.FS, name string, d fs.DirEntry) error {
	if path.Base(name) == ".git" && d.IsDir() {
		return fs.SkipDir
	}
	if !d.Type().IsRegular() {
		return nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.member(name, f)
}

// look is a distfile that is being looked at.
type look struct {
	ctx      context.Context
	name     string
	last     string // the member read last
	members  int
	licensed bool
	names    map[string]bool // of members, for what stands beside what
	findings []Finding
	parsers  map[string]bool // paths that have a mark of a parser already
}

func newLook(ctx context.Context, name string) *look {
	return &look{ctx: ctx, name: name, names: map[string]bool{}, parsers: map[string]bool{}}
}

func (l *look) add(f Finding) {
	if len(l.findings) < maxFindings {
		l.findings = append(l.findings, f)
	}
}

// member looks at a file of the distfile.
func (l *look) member(name string, r io.Reader) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if l.members++; l.members > maxMembers {
		return fmt.Errorf("more than %d files", maxMembers)
	}
	if len(name) > maxPath {
		return fmt.Errorf("a path of %d bytes", len(name))
	}
	l.last = name
	clean := path.Clean(name)
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		l.add(Finding{Unsafe, High, name, "unpacking it writes outside of the folder", ""})
	}
	l.names[clean] = true
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	l.head(clean, head[:n])
	return nil
}

// result judges the findings.
func (l *look) result(allow Allow) Result {
	l.grammars()
	if !l.licensed {
		l.add(Finding{Licence, Low, "", "no file that is named as licences are, and no word of one in a plain file", ""})
	}
	rank := map[Kind]int{}
	for i, k := range Kinds() {
		rank[k] = i
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(a.Path, b.Path))
	})
	for i, f := range l.findings {
		l.findings[i].Allowed = allow.reason(f.Kind, l.name, f.Path)
	}
	return Result{l.name, l.members, l.findings}
}
