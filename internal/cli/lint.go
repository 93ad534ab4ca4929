// SPDX-License-Identifier: MIT

package cli

import (
	"path"
	"slices"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/seedlang"
)

// lint checks texts of the seed before a stage that takes them runs: a single one as far as it goes by itself, and a
// program in P1 together with the macros that stand before it. The programs of the chain are too small to tell where a
// text is wrong; the reference assemblers tell its line and column.
func lint(texts ...chain.Text) error {
	var sources []seedlang.Source
	for _, t := range texts {
		sources = append(sources, seedlang.Source{Name: t.Path, Text: t.Bytes})
	}
	first, last := path.Ext(texts[0].Path), path.Ext(texts[len(texts)-1].Path)
	var err error
	switch {
	case len(sources) == 1 && slices.Contains([]string{".hex0", ".hex2", ".M1", ".P1", ".M1pp", ".scm"}, last):
		err = seedlang.Lint(sources[0].Name, sources[0].Text)
	case first == ".M1" && last == ".P1":
		err = seedlang.LintProgram(sources[0], sources[1:]...)
	}
	if err != nil {
		return fault.New(fault.Usage, "%w", err)
	}
	return nil
}
