// SPDX-License-Identifier: MIT

package ledger

import (
	"fmt"
	"time"

	"github.com/rung-build/rung/internal/digest"
)

// Comparison is one line of the ledger: a chain that was climbed on several machines, each by itself, and how what they
// made compares.
type Comparison struct {
	Time     time.Time         `json:"time"` // when the first machine began
	Chain    string            `json:"chain"`
	Arch     string            `json:"arch"`
	Machines []ComparedMachine `json:"machines"`
	Stages   []ComparedStage   `json:"stages"` // in the order of the plan
}

// ComparedMachine is a machine of a comparison.
type ComparedMachine struct {
	Name     string        `json:"name"`
	Version  string        `json:"version"`
	Isolated bool          `json:"isolated"`
	Start    time.Duration `json:"start_ns"` // wall time of its own check, which starts it once
	Wall     time.Duration `json:"wall_ns"`  // of its climb, this time
}

// ComparedStage is a row of a comparison: what each machine made of a stage.
type ComparedStage struct {
	Name      string `json:"name"`
	Artefacts int    `json:"artefacts"` // files that Against made
	// Against is the machine that the others are compared with: the first named that made the stage; "" where none did.
	Against string  `json:"against,omitempty"`
	Cells   []Cell  `json:"cells"` // one for each of Comparison.Machines, in their order
	Answers Answers `json:"answers"`
}

// Cell is what one machine made of one stage. State tells what it came to.
type Cell struct {
	Same    bool          `json:"same"`             // every export is what Against made, which itself is so by definition
	Outputs digest.Digest `json:"outputs,omitzero"` // Sum of the exported files; zero where the stage was not made

	Difference *Difference   `json:"difference,omitempty"`
	Failure    string        `json:"failure,omitempty"`
	Below      string        `json:"below,omitempty"` // a stage below that failed, for which this one was not run
	Kept       bool          `json:"kept,omitempty"`  // an earlier comparison on this machine had made it
	Wall       time.Duration `json:"wall_ns"`         // of the run that made it; 0 where it was not made
}

// Difference is the first artefact, in the order of paths, in which a machine differs from the one it is compared with.
type Difference struct {
	Artefact string `json:"artefact"` // a path among the stage's exports
	What     What   `json:"what"`
	// Offset is that of the first byte that differs for Bytes, and the length of the shorter for Length; otherwise, or
	// where it cannot be told, -1.
	Offset int64         `json:"offset"`
	Got    digest.Digest `json:"got,omitzero"`  // of the file that the machine made; zero where it made no file
	Want   digest.Digest `json:"want,omitzero"` // of the file that Against made; zero where it made no file
}

// What says in what two artefacts of one path differ.
type What string

// The ways in which artefacts differ.
const (
	Bytes   What = "bytes"   // of two files
	Length  What = "length"  // of two files, one of which begins with all of the other
	Missing What = "missing" // made by Against only
	Extra   What = "extra"   // made by the machine only
	Kind    What = "kind"    // file, directory or link
	Mode    What = "mode"    // the permission to execute
	Target  What = "target"  // of two symbolic links
)

// Answers says how what Against made of a stage compares with its expected digests.
type Answers struct {
	Known   int `json:"known"`             // artefacts that have an answer
	Unequal int `json:"unequal,omitempty"` // of these, those that are something else, or are missing
	// First is the first of these, in the order of paths.
	First string `json:"first,omitempty"`
}

// check wants a cell for each machine, so that whoever reads a comparison need not.
func (c Comparison) check() error {
	for _, s := range c.Stages {
		if len(s.Cells) != len(c.Machines) {
			return fmt.Errorf("stage %q has %d cells for %d machines", s.Name, len(s.Cells), len(c.Machines))
		}
	}
	return nil
}

// State says what a cell came to.
type State string

// The states of a cell.
const (
	IsSame  State = "same"
	Differs State = "differs"
	Failed  State = "failed"
	NotRun  State = "not run" // a stage below failed
	Alone   State = "alone"   // made, and by no other machine
)

// State tells what a cell came to.
func (c Cell) State() State {
	switch {
	case c.Same:
		return IsSame
	case c.Difference != nil:
		return Differs
	case c.Failure != "":
		return Failed
	case c.Outputs.IsZero():
		return NotRun
	}
	return Alone
}

// Sum is one digest for several files: that of their list as sha256sum prints it, by their names in the order given.
func Sum(files []File) digest.Digest {
	h := digest.NewHasher()
	for _, f := range files {
		fmt.Fprintf(h, "%s  %s\n", f.Digest.Hex(), f.Name)
	}
	return h.Digest()
}
