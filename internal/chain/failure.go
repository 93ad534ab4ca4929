// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
)

// StepError says which step of a stage failed, and how.
type StepError struct {
	Stage  string
	Step   int      // from 0; len of the stage's steps where an export is missing after the last
	Steps  int      // how many the stage has
	Argv   []string // nil where an export is missing
	Cause  machine.Cause
	Detail string        // "exit status 1", "SIGSEGV"
	Tail   []string      // the last lines of what the stage printed, at most 20
	Log    digest.Digest // all that it printed
}

// Error is one line; the tail is left to the reader of the fields.
func (e *StepError) Error() string {
	if e.Step >= e.Steps {
		return fmt.Sprintf("stage %q: after the last step: %s", e.Stage, e.Detail)
	}
	return fmt.Sprintf("stage %q: step %d of %d (%s): %s", e.Stage, e.Step+1, e.Steps,
		clip(strings.Join(e.Argv, " "), 200), e.Detail)
}

// tailLines and tailBytes bound what a StepError repeats of a log.
const (
	tailLines = 20
	tailBytes = 8 << 10
)

// failed turns the failure of a result into a fault.
func (r *runner) failed(ctx context.Context, w *work, result machine.Result) error {
	f := result.Failure
	e := &StepError{Stage: w.Name, Step: f.Step, Steps: len(w.Steps), Cause: f.Cause, Detail: f.Detail, Log: result.Log}
	if f.Step < len(w.Steps) {
		e.Argv = w.Steps[f.Step].Argv
	}
	e.Tail = r.tail(ctx, result.Log)
	if f.Cause.IsLimit() {
		return fault.New(fault.Limit, "%w", e).WithHint("the limits of a stage stand in %s", w.Pos)
	}
	return fault.New(fault.BuildFailed, "%w", e)
}

// tail is the end of a log, in lines; nil where it cannot be read.
func (r *runner) tail(ctx context.Context, log digest.Digest) []string {
	content, err := r.Blobs.Open(ctx, log)
	if err != nil {
		return nil
	}
	defer content.Close()
	end := &lastBytes{}
	if _, err := io.Copy(end, content); err != nil {
		return nil
	}
	text := strings.ToValidUTF8(string(bytes.TrimRight(end.b, "\n")), "\uFFFD")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-tailLines):]
}

// lastBytes keeps the last tailBytes of what is written to it.
type lastBytes struct{ b []byte }

func (l *lastBytes) Write(p []byte) (int, error) {
	l.b = append(l.b, p[max(0, len(p)-tailBytes):]...)
	l.b = append(l.b[:0], l.b[max(0, len(l.b)-tailBytes):]...)
	return len(p), nil
}
