// SPDX-License-Identifier: MIT

package ledger

import (
	"context"

	"github.com/rung-build/rung/internal/digest"
)

// Index finds successful runs. Where several fit, the latest counts.
type Index struct {
	byJob    map[digest.Digest]Run
	byOutput map[digest.Digest]Run
	byStage  map[stage]Run
}

// stage names a stage of one architecture.
type stage struct{ arch, name string }

// NewIndex makes an index of no runs.
func NewIndex() *Index {
	return &Index{
		byJob: make(map[digest.Digest]Run), byOutput: make(map[digest.Digest]Run), byStage: make(map[stage]Run),
	}
}

// Add takes one more run into the index, as the latest. A run that failed changes nothing.
func (x *Index) Add(r Run) {
	if r.Failure != "" {
		return
	}
	x.byJob[r.Job] = r
	x.byStage[stage{r.Arch, r.Stage}] = r
	for _, out := range r.Outputs {
		x.byOutput[out.Digest] = r
	}
}

// Job is the latest run of a job.
func (x *Index) Job(job digest.Digest) (Run, bool) {
	r, ok := x.byJob[job]
	return r, ok
}

// Maker is the latest run that has some content among its outputs.
func (x *Index) Maker(output digest.Digest) (Run, bool) {
	r, ok := x.byOutput[output]
	return r, ok
}

// Stage is the latest run of a stage.
func (x *Index) Stage(arch, name string) (Run, bool) {
	r, ok := x.byStage[stage{arch, name}]
	return r, ok
}

// known is what a Ledger has read of its file already.
type known struct {
	index *Index
	next  place // where the runs that are not in the index start
}

// Last is the latest successful run of a job; ok is false where there is none. The file is read once, and later only
// what was added to it since.
func (l *Ledger) Last(ctx context.Context, job digest.Digest) (run Run, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return Run{}, false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known.index == nil {
		l.known.index = NewIndex()
	}
	next, err := l.readFrom(l.known.next, func(r Run) error {
		l.known.index.Add(r)
		return nil
	})
	if err != nil {
		l.known = known{}
		return Run{}, false, err
	}
	l.known.next = next
	run, ok = l.known.index.Job(job)
	return run, ok, nil
}
