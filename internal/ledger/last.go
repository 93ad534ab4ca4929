// SPDX-License-Identifier: MIT

package ledger

import (
	"context"

	"github.com/rung-build/rung/internal/digest"
)

// known is what a Ledger has read of its file already.
type known struct {
	byJob map[digest.Digest]Run // the latest successful run of each job
	next  place                 // where the runs that are not in byJob start
}

// Last is the latest successful run of a job; ok is false where there is none. The file is read once, and later only
// what was added to it since.
func (l *Ledger) Last(ctx context.Context, job digest.Digest) (run Run, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return Run{}, false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known.byJob == nil {
		l.known.byJob = map[digest.Digest]Run{}
	}
	next, err := l.readFrom(l.known.next, runsOnly(func(r Run) error {
		if r.Failure == "" {
			l.known.byJob[r.Job] = r
		}
		return nil
	}))
	if err != nil {
		l.known = known{}
		return Run{}, false, err
	}
	l.known.next = next
	run, ok = l.known.byJob[job]
	return run, ok, nil
}

// LastComparison is the latest comparison of a chain for an architecture; ok is false where there is none.
func (l *Ledger) LastComparison(ctx context.Context, chain, arch string) (last Comparison, ok bool, err error) {
	err = l.Lines(func(line Line) error {
		if c := line.Comparison; c != nil && c.Chain == chain && c.Arch == arch {
			last, ok = *c, true
		}
		return ctx.Err()
	})
	if err != nil {
		return Comparison{}, false, err
	}
	return last, ok, nil
}
