// SPDX-License-Identifier: MIT

package qemu

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// conductorText is the part of run.scm that is the same for each job.
//
//go:embed conductor.scm
var conductorText string

// modeText is what a file that may be executed does in place of its own work: see conductor.scm.
const modeText = "(exit 42)\n"

// conductorReport is what the second conductor says of a job: the reports of an agent (package agent, wire.go), without
// those that only an agent can give.
type conductorReport struct {
	Kind    string
	Step    int              `json:",omitempty"`
	Size    int64            `json:",omitempty"`
	Ended   *conductorEnded  `json:",omitempty"`
	Failure *machine.Failure `json:",omitempty"`
	Node    *tree.Node       `json:",omitempty"`
	Text    string           `json:",omitempty"`
}

// conductorEnded is all of how a step ended that scheme1 can tell.
type conductorEnded struct {
	Exit   int
	Signal string
}

// schemeScript is the text that scheme1 evaluates: what goes before it is conductor.scm.
func schemeScript(job machine.Job) (string, error) {
	var b strings.Builder
	b.WriteString(conductorText)
	b.WriteString("(conduct '(")
	for _, s := range job.Steps {
		b.WriteString("\n  (")
		for i, word := range s.Argv {
			if i > 0 {
				b.WriteByte(' ')
			}
			writeLiteral(&b, word)
		}
		b.WriteByte(')')
	}
	b.WriteString(") '(")
	for _, n := range exportedFiles(job) {
		if err := writeExport(&b, job, n); err != nil {
			return "", err
		}
	}
	b.WriteString("))\n")
	return b.String(), nil
}

// writeExport writes what the conductor has to know of an export.
func writeExport(b *strings.Builder, job machine.Job, n tree.Node) error {
	missing, err := json.Marshal(conductorReport{Kind: "fail", Failure: missingExport(job, n.Path)})
	if err != nil {
		return err
	}
	_, kind, ok := strings.Cut(string(missing), `{"Kind":`)
	if !ok {
		return fault.New(fault.Internal, "a report without a kind: %s", missing)
	}
	parts := []string{n.Path, strings.TrimSuffix(kind, "}")}
	modes := []uint32{n.Mode}
	if _, known := job.Inputs.Lookup(n.Path); !known {
		modes = []uint32{machine.ModeFile, machine.ModeExecutable}
	}
	for _, mode := range modes {
		n.Mode = mode
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		parts = append(parts, string(text))
	}
	b.WriteString("\n  (")
	for i, part := range parts {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeLiteral(b, part)
	}
	b.WriteByte(')')
	return nil
}

func missingExport(job machine.Job, name string) *machine.Failure {
	return &machine.Failure{Cause: machine.CauseMissing, Step: len(job.Steps), Detail: fmt.Sprintf("no file %q", name)}
}

// exportedFiles are the files that a job exports, those in exported directories among them. A directory's are the
// inputs in it: nothing else can be in one, where inputs are read-only.
func exportedFiles(job machine.Job) []tree.Node {
	var files []tree.Node
	for _, e := range job.Exports {
		n, ok := job.Inputs.Lookup(e)
		switch {
		case !ok:
			files = append(files, tree.Node{Path: e, Kind: tree.File})
		case n.Kind == tree.File:
			files = append(files, n)
		case n.Kind == tree.Dir:
			files = append(files, below(job.Inputs, e, func(n tree.Node) bool { return n.Kind == tree.File })...)
		}
	}
	for i := range files {
		files[i] = tree.Node{Path: files[i].Path, Kind: tree.File, Mode: files[i].Mode}
	}
	return files
}

// exportedOthers are the directories and links among the exports, and the directories that hold exports: rung knows
// them without asking.
func exportedOthers(job machine.Job) []tree.Node {
	var others []tree.Node
	for _, dir := range machine.Parents(job.Exports) {
		others = append(others, tree.Node{Path: dir, Kind: tree.Dir, Mode: machine.ModeDir})
	}
	for _, e := range job.Exports {
		if n, ok := job.Inputs.Lookup(e); ok && n.Kind != tree.File {
			others = append(others, n)
			others = append(others, below(job.Inputs, e, func(n tree.Node) bool { return n.Kind != tree.File })...)
		}
	}
	return others
}

// below are some of the nodes below a directory.
func below(t tree.Tree, dir string, want func(tree.Node) bool) []tree.Node {
	var nodes []tree.Node
	for n := range t.Nodes() {
		if strings.HasPrefix(n.Path, dir+"/") && want(n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// writeLiteral writes a string as Scheme has it: docs/scheme1.md.
func writeLiteral(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(b, "\\x%02x;", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
