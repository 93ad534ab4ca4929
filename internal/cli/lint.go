// SPDX-License-Identifier: MIT

package cli

import (
	"path"
	"slices"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/seedlang"
)

// lint checks a text of the seed before a stage that takes it runs. The programs of the chain are too small to tell
// where a text is wrong; the reference assemblers tell its line and column.
func lint(name string, text []byte) error {
	if !slices.Contains([]string{".hex0", ".hex2", ".M1", ".P1", ".M1pp", ".scm"}, path.Ext(name)) {
		return nil
	}
	if err := seedlang.Lint(name, text); err != nil {
		return fault.New(fault.Usage, "%w", err)
	}
	return nil
}
