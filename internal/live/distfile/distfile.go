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
// the URL. Two readers take these lines: the host's scripts, and the guest's helpers.sh, whose read splits at any white
// space and wants a line feed behind the last line. Here a line has the meaning that both give it, and each other line is
// a Problem at its position.
//
// Left out on purpose: what archives hold, which is audit's matter.
//
// Specification: docs/live-bootstrap.md.
package distfile

import "github.com/rung-build/rung/internal/live/manifest"

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

// Parse reads a sources file. The file's name is for positions. Lines that are wrong are left out.
func Parse(file, pkg, text string) ([]Distfile, manifest.Problems) { return nil, nil }
