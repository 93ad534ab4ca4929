// SPDX-License-Identifier: MIT

// Package console reads what the console of a guest shows, as bytes come, and tells apart how a guest goes wrong: a
// kernel panic, an oops, memory that ran out, a reboot where none was asked for, silence, and an end of the machine
// before the job's. docs/console.md says by what, and what was decided.
//
// It leaves out on purpose: starting and stopping machines, keeping the whole console, and limits on time, which are
// the driver's; and any guess at what a step did, which its own log tells.
package console

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/fault"
)

// Options say what a Watcher does.
type Options struct {
	// Silence is how long neither a byte nor Alive may come before that is a trouble, from New on. 0: for ever.
	Silence time.Duration
	// Grace is how long to go on reading after a line that tells of a panic, an oops or memory that ran out, so that the
	// trace is in the tail. Reading ends earlier where the trace has ended, or would push that line out of the tail.
	Grace time.Duration
	// Trouble is told of the first trouble, at most once, from a goroutine of its own, perhaps a moment after the call
	// of Done or Exited that found it. nil is told nothing: see Found.
	Trouble func(*Trouble)
}

// Watcher is a console that is watched. Its methods may be called from any goroutine; none blocks. Done or Exited has
// to be called in the end, or the clock of silence runs on.
type Watcher struct {
	options Options

	mu      sync.Mutex
	lines   lines
	reader  reader
	clock   *time.Timer // of silence, then of grace
	round   int         // counts settings of the clock: one that was set before the last is of no account
	pending *Trouble    // seen, and not yet told
	after   int         // lines since then
	found   *Trouble
	over    bool // told, or Done or Exited was called: no more trouble
}

// New begins to watch.
func New(o Options) *Watcher {
	w := &Watcher{options: o}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard()
	return w
}

// Write takes what the console shows next. It never fails.
func (w *Watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard()
	w.lines.add(p, w.line)
	return len(p), nil
}

// Alive says that the guest gave a sign of life in another way: it is not silent.
func (w *Watcher) Alive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard()
}

// Done says that the job has come to its end: what the console shows from now on is no trouble, the panic of a kernel
// whose process 1 has ended among it. Such a panic may be read before the report that the job is done is, so one that
// still has its Grace is dropped: a machine that panics does not end a job afterwards. An oops or memory that ran out,
// if it came before, is told at once.
func (w *Watcher) Done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.pending; p != nil && p.Kind != fault.Panic {
		w.tell(p)
	}
	w.end()
}

// Exited says that the machine has ended, and how: "exit status 1". Where Done was not called before, that is a
// trouble, or the last moment to tell one that was seen. All that the machine had said has to be written, and
// reported, before.
func (w *Watcher) Exited(status string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines.end(w.line)
	switch {
	case w.over:
	case w.pending != nil:
		w.tell(w.pending)
	default:
		w.tell(trouble(fault.EarlyExit, "the machine ended before the job did: %s", status))
	}
}

// Tail is the end of the console as it is now, in the form of Trouble.Tail.
func (w *Watcher) Tail() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines.tail()
}

// Found is the trouble that was told; nil where there is none. It does not change after Done or Exited.
func (w *Watcher) Found() *Trouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found
}

// line looks at a line that has ended.
func (w *Watcher) line(text string) {
	if w.over {
		return
	}
	found, start := w.reader.read(text)
	if w.pending != nil {
		w.after++
		if start || w.after >= maxAfter || strings.Contains(text, endOfPanic) {
			w.tell(w.pending)
		}
		return
	}
	if found == nil {
		return
	}
	if found.Kind == fault.Reboot || w.options.Grace <= 0 {
		w.tell(found) // of a reboot, what counts is what came before
		return
	}
	w.pending = found
	w.set(w.options.Grace, func() { w.tell(w.pending) })
}

// maxAfter bounds what is read after a line that tells of a trouble: some lines before it have to be in the tail too.
const maxAfter = maxTail * 3 / 4

// endOfPanic is in the last line of a panic. Source: kernel/panic.c of Linux.
const endOfPanic = "---[ end Kernel panic"

// heard sets the clock of silence.
func (w *Watcher) heard() {
	if w.over || w.pending != nil || w.options.Silence <= 0 {
		return
	}
	w.set(w.options.Silence, func() {
		text := "nothing on the console"
		if tail := w.lines.tail(); len(tail) > 0 {
			text = "the last line is: " + tail[len(tail)-1]
		}
		w.tell(trouble(fault.Silence, "no sign of life for %v: %s", w.options.Silence, text))
	})
}

// set sets the clock, and forgets what it was set to before.
func (w *Watcher) set(d time.Duration, then func()) {
	if w.clock != nil {
		w.clock.Stop()
	}
	w.round++
	round := w.round
	w.clock = time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.round == round && !w.over {
			then()
		}
	})
}

// tell tells of the trouble, and ends the watch.
func (w *Watcher) tell(t *Trouble) {
	t.Tail = w.lines.tail()
	w.found = t
	w.end()
	if w.options.Trouble != nil {
		go w.options.Trouble(t)
	}
}

func (w *Watcher) end() {
	w.over, w.pending = true, nil
	if w.clock != nil {
		w.clock.Stop()
	}
}

// trouble makes one whose text is a line of bounded length.
func trouble(kind fault.Kind, format string, args ...any) *Trouble {
	return &Trouble{Kind: kind, Text: clip(fmt.Sprintf(format, args...), 300)}
}
