// SPDX-License-Identifier: MIT

package live

import "github.com/rung-build/rung/internal/live/manifest"

// Finding is something that Check has to say.
type Finding struct {
	Area     string            `json:"area"` // "checkout", "manifest", "sources", "configuration", "distfiles", "capacity", "host"
	Severity manifest.Severity `json:"-"`
	Pos      manifest.Position `json:"-"` // Line 0: of no line
	Text     string            `json:"text"`
	Hint     string            `json:"hint,omitempty"`
	Limit    bool              `json:"-"` // a limit is passed, rather than something wrong
}

// Check tells what is wrong with a checkout under options, sorted by area and place. Nothing is written, no network is
// asked.
func (c *Checkout) Check(o Options, held Distfiles) []Finding { return check(c, o, held) }
