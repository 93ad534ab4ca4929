// SPDX-License-Identifier: MIT

package machinetest

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
)

// Interactive asks a machine for a shell at a step that fails, and at an export that is missing. Open makes a machine
// with a person who types in and looks at out.
func Interactive(t *testing.T, open func(t *testing.T, in io.Reader, out io.Writer) machine.Machine) {
	t.Run("step", func(t *testing.T) {
		said, r := interact(t, open, []string{"write made x", "exit 3", "print never"},
			"steps\nls\ncat made\nprobe print hello\nprobe write more y\ncat more\nstep\nsteps | x\nexit\n")
		checkFailure(t, r, machine.Failure{Cause: machine.CauseExit, Step: 1, Detail: "exit status 3"})
		wantAll(t, said, "step 2 failed: exit status 3", ">   2  probe exit 3", "made", "probe", "hello\n", "y", "exit status 3\n")
		if strings.Contains(said, "never") && !strings.Contains(said, "  3  probe print never") {
			t.Errorf("the step after the one that failed was run: %q", said)
		}
	})
	t.Run("export", func(t *testing.T) {
		said, r := interact(t, open, []string{"print a"}, "ls\n") // and then the end of input
		checkFailure(t, r, machine.Failure{Cause: machine.CauseMissing, Step: 1, Detail: `no file "out"`})
		wantAll(t, said, `after the last step: no file "out"`, "probe")
	})
	t.Run("success", func(t *testing.T) {
		said, r := interact(t, open, []string{"write out x"}, "ls\n")
		if r.Failure != nil || said != "" {
			t.Errorf("Run = %+v, and the person sees %q; want success and nothing", r.Failure, said)
		}
	})
}

func interact(t *testing.T, open func(*testing.T, io.Reader, io.Writer) machine.Machine, lines []string,
	typed string) (string, machine.Result) {
	t.Helper()
	out := &seen{}
	m := open(t, strings.NewReader(typed), out)
	blobs := &store.Mem{}
	j := Job(t, blobs, nil, lines...)
	j.Exports = []string{"out"}
	r := run(t, m, j, blobs, nil)
	return out.String(), r
}

func wantAll(t *testing.T, said string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("the person sees %q; want %q in it", said, part)
		}
	}
}

// seen is what a person sees.
type seen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}
