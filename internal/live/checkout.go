// SPDX-License-Identifier: MIT

package live

import (
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Checkout is a live-bootstrap checkout as a value: what of it can come into a guest has been listed, manifests and
// sources have been read. Make one with Open.
type Checkout struct {
	Dir        string // absolute
	Generation manifest.Generation
	Roots      []Root   // "steps" first, then extra roots by name
	Stray      []string // paths from Dir, sorted, that are below an input's folder and are no input

	Seed        []Entry // of seed/stage0-posix with the plain files of seed on top
	BuilderHex0 Boot
	HasImporter bool // a payload-import package is there

	commit     string
	submodules []Submodule
}

// Root is a manifest with its packages.
type Root struct {
	Name     string // "steps", "steps-NAME": the folder in the checkout, and in the guest below /
	Manifest *manifest.Manifest
	Problems manifest.Problems              // of the manifest and the sources files
	Sources  map[string][]distfile.Distfile // by package; a package without a sources file has no key
	Entries  []Entry                        // paths begin with the root's name; without bootstrap.cfg
}

// Boot is what a builder-hex0 image begins with.
type Boot struct {
	Stage1, Stage2 string // absolute paths of the hex0 texts
}

// Submodule is a folder that git fills from another repository.
type Submodule struct {
	Path   string // from the checkout's folder
	URL    string
	Commit string // "" where git did not say
}

// Identity tells checkouts apart.
type Identity struct {
	Tree       digest.Digest // of all inputs: their paths, modes and contents
	Commit     string        // of git, where the checkout has its history; else ""
	Submodules []Submodule   // sorted by path
}

// Open reads the checkout in a folder. What is wrong with manifests and sources is kept for Check. It fails with
// fault.NotFound where there is no checkout, and with fault.Usage where it is one of a time before manifests (R53), or
// where a submodule is empty (R55); the hint has the git command that fills it.
func Open(dir string) (*Checkout, error) { return open(dir) }
