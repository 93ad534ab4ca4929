// SPDX-License-Identifier: MIT

package ledger

import "github.com/rung-build/rung/internal/digest"

// Index finds runs of a ledger as it was when the index was made. Where several runs fit, the latest counts.
type Index struct {
	byJob    map[digest.Digest]Run
	byOutput map[digest.Digest]Run
	byStage  map[stage]Run
}

// stage names a stage of one architecture.
type stage struct{ arch, name string }

// Index reads the whole ledger.
func (l *Ledger) Index() (*Index, error) {
	x := &Index{
		byJob: make(map[digest.Digest]Run), byOutput: make(map[digest.Digest]Run), byStage: make(map[stage]Run),
	}
	err := l.Read(func(r Run) error {
		x.Add(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Add takes one more run into the index, as the latest.
func (x *Index) Add(r Run) {
	x.byJob[r.Job] = r
	if r.Failure != "" {
		return
	}
	x.byStage[stage{r.Arch, r.Stage}] = r
	for _, out := range r.Outputs {
		x.byOutput[out.Digest] = r
	}
}

// Job is the latest run of a job, successful or not.
func (x *Index) Job(job digest.Digest) (Run, bool) {
	r, ok := x.byJob[job]
	return r, ok
}

// Maker is the latest successful run that has some content among its outputs.
func (x *Index) Maker(output digest.Digest) (Run, bool) {
	r, ok := x.byOutput[output]
	return r, ok
}

// Stage is the latest successful run of a stage.
func (x *Index) Stage(arch, name string) (Run, bool) {
	r, ok := x.byStage[stage{arch, name}]
	return r, ok
}
