// SPDX-License-Identifier: MIT

package distfile

import (
	"fmt"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
)

// State is what became of a file.
type State string

// The states.
const (
	Held    State = "held"    // it was there already
	Fetched State = "fetched" // a place gave it
	Made    State = "made"    // it is an archive of a git repository, made here
	Failed  State = "failed"
)

// Result is what became of a file.
type Result struct {
	Name, SHA256 string
	State        State
	Size         int64   // bytes, where it is not Failed
	Place        string  // that gave it, or the repository and ref it was made of
	Note         string  // how it was made where that is not the usual way; or ""
	Tries        []Tried // the places that did not do, in their order
}

// Tried is a place that did not do.
type Tried struct {
	Place   string // without passwords
	Trouble source.Trouble
	Why     string
	Kept    string // where the wrong file lies; or ""
}

// Report is how a fetch went.
type Report struct {
	Files  []Result // in the order they were asked for
	Places []Health // the mirrors in their order, then the hosts of upstream by name
}

// Count is the number of files in a state, and their bytes.
func (r Report) Count(s State) (files int, bytes int64) {
	for _, f := range r.Files {
		if f.State == s {
			files++
			bytes += f.Size
		}
	}
	return files, bytes
}

// Err is nil where no file failed. Otherwise it names each of them with its places, and is a fault of kind Mismatch where
// a place sent wrong bytes, else of kind Unavailable.
func (r Report) Err() error {
	var b strings.Builder
	kind, failed, nowhere := fault.Unavailable, 0, false
	for _, f := range r.Files {
		if f.State != Failed {
			continue
		}
		failed++
		fmt.Fprintf(&b, "\ndistfile %s: ", f.Name)
		if len(f.Tries) == 0 {
			b.WriteString("there is no place to ask")
			nowhere = true
		} else {
			fmt.Fprintf(&b, "none of %d places gave it", len(f.Tries))
		}
		for _, t := range f.Tries {
			fmt.Fprintf(&b, "\n  %s: %s", t.Place, strings.ReplaceAll(t.Why, "\n", "\n    "))
			if t.Trouble == source.Wrong {
				kind = fault.Mismatch
			}
		}
	}
	if failed == 0 {
		return nil
	}
	e := fault.New(kind, "%d of %d distfiles could not be had%s", failed, len(r.Files), b.String())
	if nowhere {
		return e.WithHint("sources with _ in place of an address need a mirror (--mirror URL), or git (--git)")
	}
	return e.WithHint("the others are kept; the same command tries the rest again, and --mirror URL adds a place to ask")
}
