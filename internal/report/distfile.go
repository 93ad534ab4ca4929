// SPDX-License-Identifier: MIT

package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
)

// Distfile is a file of somebody else that the chain took from.
type Distfile struct {
	Name     string        `json:"name"`
	Digest   digest.Digest `json:"digest"`             // of the file as it was fetched
	Declared digest.Digest `json:"declared"`           // of the file as it is declared
	Repacked bool          `json:"repacked,omitempty"` // the two differ, and unpack to the declared tree
	Tree     digest.Digest `json:"tree,omitzero"`      // that it unpacks to
	Licence  string        `json:"licence"`            // an SPDX expression
	Place    string        `json:"place"`              // where it came from, without passwords
}

// distfilePrefix begins references to distfiles, and the stage of their lines in the ledger.
const distfilePrefix = "distfile:"

// newDistfile reads the ledger's line of a distfile.
func newDistfile(run ledger.Run) Distfile {
	d := Distfile{Name: strings.TrimPrefix(run.Stage, distfilePrefix)}
	if run.Distfile != nil {
		d.Declared, d.Tree, d.Licence = run.Distfile.File, run.Distfile.Tree, run.Distfile.Licence
	}
	if len(run.Inputs) > 0 {
		d.Digest, d.Place = run.Inputs[0].Digest, run.Inputs[0].From
	}
	d.Repacked = d.Digest != d.Declared
	return d
}

// how tells whether the file is the declared one.
func (d Distfile) how() string {
	if d.Repacked {
		return "packed anew (declared is " + d.Declared.Hex() + ")"
	}
	return "as declared"
}

func (d Distfile) line() string {
	text := fmt.Sprintf("%s, %d bytes, sha256 %s, %s", d.Name, d.Digest.Size(), d.Digest.Hex(), d.Licence)
	if d.Repacked {
		text += ", " + d.how()
	}
	return text
}

// remark is what is said of a distfile, or of files of it, at the end of their line.
func (d Distfile) remark(o Origin) string {
	if o.From == d.Place {
		return ", " + d.how()
	}
	return ", " + d.Licence
}

// distfileOf is the name of the distfile that a reference is about.
func distfileOf(ref string) (string, bool) {
	rest, ok := strings.CutPrefix(ref, distfilePrefix)
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

// whole is a distfile itself, rather than a file of its tree.
func (w *walk) whole(arch string, f ledger.File) (Origin, bool) {
	for _, run := range w.runs {
		if run.Arch == arch && run.Stage == f.From && run.Distfile != nil && len(run.Inputs) > 0 &&
			run.Inputs[0].Digest == f.Digest {
			d := newDistfile(run)
			o := Origin{From: f.From, Digest: f.Digest, Size: f.Digest.Size(), Distfile: &d}
			w.tell(&o, run, true)
			return o, true
		}
	}
	return Origin{}, false
}

// taken is all that a run took from one distfile.
func (w *walk) taken(arch, name string, files ...ledger.File) Origin {
	o := Origin{From: distfilePrefix + name, Files: len(files)}
	if len(files) == 1 {
		o = Origin{Name: files[0].Name, From: files[0].From, Digest: files[0].Digest}
	}
	run, known := w.unpacking(arch, name)
	if known {
		d := newDistfile(run)
		o.Distfile = &d
	}
	for _, f := range files {
		o.Size += f.Digest.Size()
	}
	w.tell(&o, run, known)
	return o
}

// unpacking is the latest line of a distfile.
func (w *walk) unpacking(arch, name string) (ledger.Run, bool) {
	for _, run := range w.runs {
		if run.Arch == arch && run.Stage == distfilePrefix+name && run.Distfile != nil {
			return run, true
		}
	}
	return ledger.Run{}, false
}

// fetched is the file that a distfile's tree was unpacked from.
func (w *walk) fetched(run ledger.Run) Origin {
	d := newDistfile(run)
	w.distfiles[d.Name] = d
	return Origin{Name: d.Name, From: d.Place, Digest: d.Digest, Size: d.Digest.Size(), Distfile: &d}
}

// printable is a line of what a program printed, without what would make a terminal do something.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, line)
}
