// SPDX-License-Identifier: MIT

// Package ledger remembers, in an append-only file of JSON lines, what was run, from what, on which machine, and what
// came out; and how the results of several machines compared.
package ledger

import (
	"time"

	"github.com/rung-build/rung/internal/digest"
)

// File is one input or output of a run.
type File struct {
	Name   string        `json:"name"` // the path in the job's tree
	Digest digest.Digest `json:"digest"`
	// From says where an input comes from: "seed:amd64/hex0.hex0" for a text of the chain, "boot0/hex0" for an export of
	// a stage, "distfile:NAME/PATH" for a file of a distfile's tree, an address or a path for a distfile. Empty for
	// outputs.
	From string `json:"from,omitempty"`
}

// Line is a line of the ledger: one of its fields is set.
type Line struct {
	*Run
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Run is one line of the ledger: a stage that was run, or failed to.
type Run struct {
	Time     time.Time     `json:"time"`
	Chain    string        `json:"chain"`
	Arch     string        `json:"arch"`
	Stage    string        `json:"stage"`
	Job      digest.Digest `json:"job"`
	Machine  string        `json:"machine"`
	Version  string        `json:"version"`  // of the machine
	Isolated bool          `json:"isolated"` // false: the steps could see the host
	Steps    [][]string    `json:"steps"`    // the program, argv by argv
	Inputs   []File        `json:"inputs"`
	Outputs  []File        `json:"outputs"`
	Same     [][2]string   `json:"same,omitempty"` // fixed points: pairs of names that were found to have equal bytes
	Exit     int           `json:"exit"`           // of the last step that ran; -1 where a signal ended it
	Failure  string        `json:"failure,omitempty"`
	Wall     time.Duration `json:"wall_ns"`
	CPU      time.Duration `json:"cpu_ns"`
	Memory   int64         `json:"memory_bytes"`
	Log      digest.Digest `json:"log"`
	Console  digest.Digest `json:"console,omitzero"` // what the console of the machine showed, where it has one
	Said     int64         `json:"said,omitempty"`   // how many bytes of the log, its last ones, the last step printed

	// Distfile is set in a line that tells how a distfile was unpacked, rather than of a stage. Its Stage is
	// "distfile:NAME", and its only input is the file, from the place that gave it; outputs it has none.
	Distfile *Distfile `json:"distfile,omitempty"`
}

// Distfile is what was declared of a file of somebody else.
type Distfile struct {
	File    digest.Digest `json:"file"`          // other than the input's where that was packed anew
	Tree    digest.Digest `json:"tree,omitzero"` // that it unpacks to, in the form of the Remote Execution API
	Strip   int           `json:"strip,omitempty"`
	Licence string        `json:"licence"` // an SPDX expression
}
