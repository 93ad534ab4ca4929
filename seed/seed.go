// SPDX-License-Identifier: MIT

// Package seed carries the seed chain inside the program, so that one binary is enough to climb it.
//
// Everything else in this folder is data: chain.star defines the stages (docs/chain-language.md), a folder an
// architecture holds what depends on one. This package leaves reading and checking them to internal/chain.
package seed

import (
	"embed"
	"io/fs"
)

//go:embed *
var files embed.FS

// Files is the folder as it was when the program was built.
func Files() fs.FS { return files }
