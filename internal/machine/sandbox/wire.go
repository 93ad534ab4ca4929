// SPDX-License-Identifier: MIT

package sandbox

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/tree"
)

// What goes between rung and the first process of a sandbox are JSON values, a line each, some with as many bytes after
// the line as the value says. Towards the sandbox: one order, the content of its files one after the other, and the
// line "go", which rung sends once the store has vouched for all of it. Back: reports, until it has done its work.

// order is a job as the sandbox needs it.
type order struct {
	Nodes   []tree.Node // the inputs
	Steps   []machine.Step
	Env     []string
	Exports []string
	Limits  machine.Limits
	Calls   machine.Calls
	Wide    int // most steps side by side
}

const goLine = "go\n"

// kind of a report.
type kind string

const (
	kindStart  kind = "start"  // Step starts
	kindOutput kind = "output" // Step printed the Size bytes that follow
	kindEnd    kind = "end"    // Step ended as Ended says, and failed if Failure is set
	kindExport kind = "export" // Node is an export; the Size bytes of a file follow
	kindFail   kind = "fail"   // the job failed after its last step, as Failure says
	kindFault  kind = "fault"  // the sandbox cannot do its work, for the reason Text
	kindDone   kind = "done"   // nothing follows
)

// report is one thing the sandbox has to say.
type report struct {
	Kind    kind
	Step    int              `json:",omitempty"`
	Size    int64            `json:",omitempty"`
	Ended   *walk.Ended      `json:",omitempty"`
	Failure *machine.Failure `json:",omitempty"`
	Node    *tree.Node       `json:",omitempty"`
	Text    string           `json:",omitempty"`
}

// reporter sends reports. Its method is safe for use by several goroutines at once.
type reporter struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// send sends a report at once, with the bytes of payload, of which there must be r.Size.
func (s *reporter) send(r report, payload io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := send(s.w, r); err != nil {
		return err
	}
	if r.Size > 0 {
		if _, err := io.CopyN(s.w, payload, r.Size); err != nil {
			return err
		}
	}
	return s.w.Flush()
}

// send writes a value on a line of its own.
func send(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// receive reads a value that stands on a line of its own.
func receive(r *bufio.Reader, into any) error {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("%.80q: %w", line, err)
	}
	return nil
}

// exactly reads n bytes of r and then ends; that r ends before is io.ErrUnexpectedEOF.
type exactly struct {
	r io.Reader
	n int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.n)])
	e.n -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
