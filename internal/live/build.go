// SPDX-License-Identifier: MIT

package live

import (
	"context"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/disk"
)

// Builder writes media.
type Builder struct {
	Held Distfiles
	// Run runs a program of the host that makes a file system, and waits for it.
	Run func(ctx context.Context, c disk.Command) error
	// Progress is told of bytes written so far, from one goroutine; nil for nobody.
	Progress func(medium string, written, of int64)
}

// Built is a medium that was written.
type Built struct {
	Medium Medium
	Path   string        // absolute
	Digest digest.Digest // of a file up to its padding by truncation; zero of a folder
	Size   int64         // of the file
}

// Build writes the media of a plan into Options.Target, which appears whole or not at all: it is written beside its place,
// TARGET.partial, and renamed. A target that is there and is not empty is refused with fault.Usage. Every distfile is
// checked while it is written; one that differs is fault.Mismatch.
func (b Builder) Build(ctx context.Context, p *Plan) ([]Built, error) { return b.build(ctx, p) }
