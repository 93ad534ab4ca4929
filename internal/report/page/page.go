// SPDX-License-Identifier: MIT

// Package page tells everything that is known about a chain: which stages there are and what flows between them, from
// which texts and sources, how each was run, what came out, and what that shows. The report is a value; it is written
// as one HTML page, or told in a few lines, and is its own JSON.
//
// The page is a file that can be mailed, archived and printed. It holds all that it shows: no script, no font, no image
// and no address of anything outside, and its own Content-Security-Policy forbids them. It is the same bytes for the
// same material: times come from the ledger. Whatever comes from files is escaped, by html/template and by plain.
//
// Left out on purpose: reading stores, ledgers or seeds, and counting texts. docs/report.md says what stands on the
// page and how it was decided.
package page

import (
	"time"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/report"
)

// Material is what a report is made of.
type Material struct {
	Plan   *chain.Plan              // the chain as it is defined now
	Runs   []ledger.Run             // the ledger, the oldest first
	Head   ledger.Head              // where the ledger ends
	Texts  []Text                   // the chain's own text
	Stored map[digest.Digest]bool   // jobs whose result the store has
	Said   map[digest.Digest]string // by job: what the last step printed, where the definition asks for it

	Comparison *ledger.Comparison // the latest of machines, for the plan's chain and architecture; nil where there is none

	Rung string // version of the program
	Go   string // version of the toolchain that made it
}

// Text is what a stage is the first to take of the chain's own text in one language.
type Text struct {
	Stage    string `json:"stage"`
	Language string `json:"language"`
	Files    int    `json:"files"`
	Code     int    `json:"code_lines"`
	Comments int    `json:"comment_lines"` // lines with nothing but a comment
	Bytes    int64  `json:"bytes"`
}

// Fetch says where a distfile came from, and as what, the last time that the chain took from it.
type Fetch struct {
	Place string        `json:"place"` // without passwords
	File  digest.Digest `json:"file"`  // other than the declared one where it was packed anew
}

// Report is all that is known about a chain for one architecture.
type Report struct {
	Chain   string    `json:"chain"`
	Arch    string    `json:"arch"`
	Rung    string    `json:"rung"`
	Go      string    `json:"go"`
	AsOf    time.Time `json:"as_of"` // when the latest of the runs began
	Ledger  Ledger    `json:"ledger"`
	Seed    []File    `json:"seed"` // the programs that nothing made
	Stages  []Stage   `json:"stages"`
	Sources []Source  `json:"sources"`
	Texts   []Text    `json:"texts"`
	Verdict Verdict   `json:"verdict"`

	Comparison *Comparison `json:"comparison,omitempty"` // the latest of machines; nil where there is none
}

// Comparison is how what several machines made compares, and where it is no longer of the chain as it is now.
type Comparison struct {
	report.Comparison
	// Outdated are the stages of which the runs told of here made other bytes than were compared, or that were not
	// compared at all.
	Outdated []string `json:"outdated,omitempty"`
}

// Ledger says where the ledger ended when the report was made.
type Ledger struct {
	Lines  int           `json:"lines"`
	Digest digest.Digest `json:"digest"` // of the last line
}

// File is a file with its digest and size.
type File struct {
	Name   string        `json:"name"`
	Digest digest.Digest `json:"digest"`
	From   string        `json:"from,omitempty"` // for an input: "seed:hex2pp.P1", "boot0/hex0", "distfile:NAME/PATH"
}

// Stage is a stage of the chain and the run that stands for it: the latest that ended well and took what the stage
// takes now, or else the latest that ended well.
type Stage struct {
	Name     string        `json:"name"`
	Exports  []string      `json:"exports"`            // as defined: files and folders
	Made     bool          `json:"made"`               // false: no run ended well, and only Takes and Steps are known
	Outdated []string      `json:"outdated,omitempty"` // what of the definition is no longer as it was in the run
	Time     time.Time     `json:"time,omitzero"`
	Job      digest.Digest `json:"job,omitzero"`
	Log      digest.Digest `json:"log,omitzero"`
	Machine  string        `json:"machine,omitempty"`
	Version  string        `json:"version,omitempty"` // of the machine
	Isolated bool          `json:"isolated"`          // false: the steps could see the host
	Wall     time.Duration `json:"wall_ns"`
	CPU      time.Duration `json:"cpu_ns"`
	Memory   int64         `json:"memory_bytes"` // at most, by one process
	Stored   bool          `json:"stored"`       // the store holds the result: the next climb takes it
	Repeats  Repeats       `json:"repeats"`
	Takes    []Flow        `json:"takes"`
	Steps    [][]string    `json:"steps"`
	Files    []Output      `json:"files"`
	Bytes    int64         `json:"bytes"` // of all exported files
	Same     []Same        `json:"same"`
	Says     string        `json:"says,omitempty"` // what the last step printed, where the definition asks for it
}

// Repeats tells of all runs of one job in the ledger that ended well.
type Repeats struct {
	Runs     int      `json:"runs"`
	Machines []string `json:"machines"`         // sorted
	Differ   bool     `json:"differ,omitempty"` // they did not all give the same bytes
}

// Kind says what a flow consists of.
type Kind string

// The kinds of flows.
const (
	FromSeed     Kind = "seed"     // programs that nothing made
	FromText     Kind = "text"     // the chain's own text
	FromStage    Kind = "stage"    // what a stage below exports
	FromDistfile Kind = "distfile" // what other people published
)

// Flow is what a stage takes from one place.
type Flow struct {
	Kind  Kind   `json:"kind"`
	From  string `json:"from,omitempty"` // the stage, or the distfile
	Files []File `json:"files"`          // without digests where no run tells them
	Bytes int64  `json:"bytes"`
}

// Output is a file that a stage made.
type Output struct {
	Name   string        `json:"name"`
	Digest digest.Digest `json:"digest"`
	Export bool          `json:"export"` // false: made to be compared only
	Answer Answer        `json:"answer,omitempty"`
}

// Answer says how an artefact compares with its expected digest.
type Answer string

// The ways an artefact compares with its answer.
const (
	NoAnswer Answer = ""
	Equal    Answer = "equal"
	Unequal  Answer = "unequal"
)

// Same is a fixed point that a run found to hold.
type Same struct {
	A      string        `json:"a"`
	B      string        `json:"b"`
	Digest digest.Digest `json:"digest"` // of both
}

// Source is something that other people published and the chain takes.
type Source struct {
	Name     string        `json:"name"`
	Licence  string        `json:"licence"` // an SPDX expression
	File     digest.Digest `json:"file"`    // as declared
	Tree     digest.Digest `json:"tree,omitzero"`
	Places   []string      `json:"places"`
	Fetched  *Fetch        `json:"fetched,omitempty"` // nil where the ledger does not tell
	Repacked bool          `json:"repacked"`          // what was fetched differs from File, and unpacks to Tree
	Takers   []string      `json:"takers"`            // the stages that take of it
}

// Verdict says what the runs show together.
type Verdict struct {
	Stages      int           `json:"stages"`
	Made        int           `json:"made"`
	Steps       int           `json:"steps"` // of stages that were made; so are all below
	Outdated    int           `json:"outdated"`
	Exposed     int           `json:"exposed"` // stages that were run without isolation
	Differ      int           `json:"differ"`  // stages that were run again and gave other bytes
	FixedPoints int           `json:"fixed_points"`
	Artefacts   int           `json:"artefacts"`
	Answered    int           `json:"answered"` // artefacts that are equal to their answer
	Unequal     int           `json:"unequal"`  // artefacts that are not
	Wall        time.Duration `json:"wall_ns"`  // of all runs, one after the other
	CPU         time.Duration `json:"cpu_ns"`
	Memory      int64         `json:"memory_bytes"` // the most of any stage
	Bytes       int64         `json:"bytes"`        // of all artefacts
	Largest     File          `json:"largest"`      // artefact, as STAGE/NAME
	Machines    []string      `json:"machines"`     // with their versions, sorted
}
