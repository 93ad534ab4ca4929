// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// export is what --export asks for: the exports of a stage, as a tar archive.
type export struct {
	stage, file string
}

// parseExport reads the value of --export: FILE for the chain's product, or STAGE=FILE. A name before "=" that has a
// slash is part of a path.
func parseExport(plan *chain.Plan, text string) (export, error) {
	if stage, file, ok := strings.Cut(text, "="); ok && !strings.Contains(stage, "/") {
		if _, ok := plan.Stage(stage); !ok || file == "" {
			return export{}, fault.New(fault.NotFound, "--export %s: want STAGE=FILE, and there is no stage %q", text, stage).
				WithHint("the stages are: %s", strings.Join(stageNames(plan), ", "))
		}
		return export{stage, file}, nil
	}
	product, ok := plan.Product()
	if !ok {
		return export{}, fault.New(fault.Usage, "--export %s: the chain says of no stage that it is its product", text).
			WithHint("name a stage: --export STAGE=%s", text)
	}
	return export{product.Name, text}, nil
}

func stageNames(plan *chain.Plan) []string {
	var names []string
	for _, s := range plan.Stages {
		names = append(names, s.Name)
	}
	return names
}

// write writes the archive beside its place and renames it. One tree gives one archive: files have mode 0644 or 0755,
// owner 0 and time 0.
func (e export) write(ctx context.Context, blobs store.Blobs, stages []chain.Done) error {
	for _, done := range stages {
		if done.Stage.Name != e.stage {
			continue
		}
		t, err := portable(done.Outputs)
		if err == nil {
			err = writeArchive(ctx, blobs, e.file, t)
		}
		if err != nil {
			return exportFault(err, e.file)
		}
	}
	return nil
}

func exportFault(err error, file string) error {
	return fault.New(fault.KindOf(landFault(err, tree.Node{})), "archive %q: %w", file, err)
}

// portable is a tree with the permissions that files have elsewhere.
func portable(t tree.Tree) (tree.Tree, error) {
	var nodes []tree.Node
	for n := range t.Nodes() {
		if n.Kind != tree.Symlink {
			n.Mode |= 0o200
		}
		nodes = append(nodes, n)
	}
	return tree.New(nodes...)
}

func writeArchive(ctx context.Context, blobs store.Blobs, file string, t tree.Tree) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() {
		open := func(d digest.Digest) (io.ReadCloser, error) { return blobs.Open(ctx, d) }
		w.CloseWithError(tarball.Encode(w, t, open))
	}()
	err := replace(file, r, false)
	r.CloseWithError(err) // ends the writer where the file could not be written
	return err
}
