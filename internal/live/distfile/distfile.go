// SPDX-License-Identifier: MIT

// Package distfile is the sources files of a live-bootstrap checkout, and the distfiles they name: by the SHA-256 of
// their content, under one name, from one address or several.
//
// A sources file has one distfile a line, fields parted by single spaces:
//
//	f URL SHA256 [NAME]
//	g GITURL~REF URL SHA256 [NAME]
//
// URL is _ where no upstream has the file; then it needs a NAME. Without NAME it is what stands behind the last slash of
// the URL. Two readers take these lines: the host's scripts, which split at each space, and the guest's helpers.sh, which
// splits at any white space and wants a line feed behind the last line. Here a line has the meaning that both give it,
// and each other line is a problem at its position.
//
// Left out on purpose: what archives hold, which is audit's matter.
//
// Specification: docs/live-bootstrap.md.
package distfile

import (
	"cmp"
	"slices"

	"github.com/rung-build/rung/internal/live/manifest"
)

// Distfile is a line of a sources file.
type Distfile struct {
	Pos     manifest.Position
	Package string // whose sources file it is in
	SHA256  string // 64 lower-case hex digits
	Name    string // in the distfiles folder
	URL     string // "" where upstream has no such file: the line has _
	Git     string // the repository that the file is an archive of; "" for plain files
	Ref     string // the commit, tag or branch of Git
}

// File is a file of the distfiles folder with all the lines that name it: each is an address to try.
type File struct {
	Name, SHA256 string
	Lines        []Distfile // in the order they came in, without those that say the same as one before
}

// Files joins lines to files, sorted by name. A line that gives a name another content than a line before it is left out,
// and is a problem.
func Files(lines []Distfile) ([]File, manifest.Problems) {
	var files []File
	var problems manifest.Problems
	at := make(map[string]int, len(lines))
	for _, l := range lines {
		i, known := at[l.Name]
		switch {
		case !known:
			at[l.Name] = len(files)
			files = append(files, File{l.Name, l.SHA256, []Distfile{l}})
		case files[i].SHA256 != l.SHA256:
			problems = append(problems, manifest.Problem{
				Pos: l.Pos, Severity: manifest.Error,
				Text: l.Name + " has another SHA-256 in " + files[i].Lines[0].Pos.String() + ": one folder cannot hold both",
				Hint: "give one of them a NAME of its own at the end of its line",
			})
		case !slices.ContainsFunc(files[i].Lines, l.says):
			files[i].Lines = append(files[i].Lines, l)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, problems
}

// says tells whether two lines of one file have one place to get it from.
func (d Distfile) says(e Distfile) bool { return d.URL == e.URL && d.Git == e.Git && d.Ref == e.Ref }

// Addresses are the places upstream has the file, in the order of the lines.
func (f File) Addresses() []string {
	var all []string
	for _, l := range f.Lines {
		if l.URL != "" && !slices.Contains(all, l.URL) {
			all = append(all, l.URL)
		}
	}
	return all
}
