// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
)

// maxSaid bounds what is shown of a step's output, in bytes.
const maxSaid = 4 << 10

// said is what the last step of a run printed, its first maxSaid bytes, from the run's log; "" for a stage that does not
// ask for it. The log is read to its end, which is when the store finds out whether it is what it should be.
func (r *runner) said(ctx context.Context, s Stage, run ledger.Run) (string, error) {
	if s.Says == "" {
		return "", nil
	}
	log, err := r.Blobs.Open(ctx, run.Log)
	if err != nil {
		return "", fmt.Errorf("log of stage %q: %w", s.Name, err)
	}
	defer log.Close()
	before := run.Log.Size() - run.Said
	if before < 0 {
		return "", fault.New(fault.Mismatch, "log of stage %q: has %d bytes, and %d of them are of the last step", s.Name,
			run.Log.Size(), run.Said)
	}
	if _, err = io.CopyN(io.Discard, log, before); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	var text strings.Builder
	if err == nil {
		_, err = io.Copy(&text, io.LimitReader(log, maxSaid))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, log)
	}
	if err != nil {
		return "", fmt.Errorf("log of stage %q: %w", s.Name, err)
	}
	return text.String(), nil
}

// listen counts what the last step of a job prints, beside telling of the job's progress.
func (r *runner) listen(s Stage, said *int64) machine.Watch {
	return func(e machine.Event) {
		if e.Step == len(s.Steps)-1 {
			*said += int64(len(e.Output))
		}
		r.tell(stepEvent(s, e))
	}
}
