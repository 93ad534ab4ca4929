// SPDX-License-Identifier: MIT

package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/tree"
)

// What goes between rung and an agent are JSON values, a line each, some with as many bytes after
// the line as the value says. Towards the agent: one order, the content of its files one after the other, and the
// line "go", which rung sends once the store has vouched for all of it. Back: reports, until it has done its work. Where
// a person has a shell, what they type follows the line "go", in reports of the kind "input".

// order is a job as the agent needs it.
type order struct {
	Name    string      // of the job, for people
	Nodes   []tree.Node // the inputs
	Steps   []machine.Step
	Env     []string
	Exports []string
	Limits  machine.Limits
	Calls   machine.Calls
	Devices bool
	Wide    int // most steps side by side
	Place   Place
	Shell   bool // a step that fails leaves a person in a shell
}

const goLine = "go\n"

const maxOutput = 1 << 15 // bytes of a report of the kind "output", and of one of the kind "input"

// kind of a report.
type kind string

const (
	kindReady  kind = "ready"  // the first step is about to start
	kindStart  kind = "start"  // Step starts
	kindOutput kind = "output" // Step printed the Size bytes that follow
	kindEnd    kind = "end"    // Step ended as Ended says, and failed if Failure is set
	kindExport kind = "export" // Node is an export; the Size bytes of a file follow
	kindFail   kind = "fail"   // the job failed otherwise than by a step that ended, as Failure says
	kindFault  kind = "fault"  // the agent cannot do its work, for the reason Text
	kindShell  kind = "shell"  // a shell starts after Step; nothing is limited in time from now on
	kindPrint  kind = "print"  // the shell printed the Size bytes that follow
	kindInput  kind = "input"  // towards the agent: the Size bytes that follow were typed; 0 for the end of it
	kindDone   kind = "done"   // nothing follows
)

// report is one thing the agent has to say.
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

// Bounds of a line, in bytes: an order names every input, a report at most one node.
const (
	maxOrder  = 1 << 30
	maxReport = 1 << 20
)

// receive reads a value that stands on a line of its own, of at most so many bytes.
func receive(r *bufio.Reader, into any, most int) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if len(line) > most {
			return fmt.Errorf("%.80q: a line of more than %d bytes", line, most)
		}
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
