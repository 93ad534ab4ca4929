// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/uart"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	guestconsole "github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// The serial lines of a guest that scheme1 conducts, by their numbers.
const (
	lineReports = 1 // standard streams of process 1: reports, and between them what the steps print
	lineAcks    = 2
)

// conducted is a guest with scheme1 as its conductor, and what comes of what it says: the reports of an agent.
type conducted struct {
	job     machine.Job
	guest   *schemeGuest
	trouble func() error // what explain says
	console *guestconsole.Watcher
	stream  *uart.Receiver
	in      *bufio.Reader // of stream
	out     *io.PipeWriter
	passed  *io.PipeReader // what is written to out

	step    int  // that runs; -1 for none
	marked  bool // the mark before what a step prints has come
	printed *plainText
	said    bytes.Buffer // what was printed while no step ran
	size    int64        // of the exports so far that are no inputs
	files   int64
}

// conduct starts a guest for a job.
func (m *SchemeMachine) conduct(ctx context.Context, job machine.Job, scheme digest.Digest, blobs store.Blobs,
	course *walk.Course) (*conducted, error) {
	text, err := schemeScript(job)
	if err != nil {
		return nil, err
	}
	var archive schemeFiles
	archive.job(job)
	archive.file(ownDir+"/run.scm", machine.ModeFile, []byte(text))
	archive.file(ownDir+"/mode.scm", machine.ModeFile, []byte(modeText))
	archive.line(ownDir+"/acks", lineAcks)
	archive.nodes = append(archive.nodes, schemeNode(scheme))
	packed, err := archive.pack(ctx, blobs, lineReports)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	c := &conducted{job: job, out: w, passed: r, step: -1}
	c.printed = &plainText{w: printer{c}}
	media, err := sizes([]*os.File{packed})
	if err != nil {
		return nil, errors.Join(err, packed.Close())
	}
	kill := make(chan struct{}, 1)
	c.console = guestconsole.New(guestconsole.Options{
		Grace: traceTime, Trouble: func(*guestconsole.Trouble) { kill <- struct{}{} },
	})
	c.guest, err = m.boot(ctx, schemeOrder{
		initramfs: packed, memory: memoryFor(job, media),
		line: schemeLine(ownDir+"/scheme1", []string{"/" + ownDir + "/run.scm"}),
		console: func(p []byte) {
			_, _ = c.console.Write(p) // which never fails
			course.Console(p)
		},
	})
	if err != nil {
		c.console.Done()
		return nil, err
	}
	go func() {
		select {
		case <-kill:
			c.guest.process.kill()
		case <-c.guest.watched:
		}
	}()
	c.trouble = func() error { return c.explain(ctx, blobs) }
	c.listen(c.guest.lines[lineReports], ackWriter{c.guest.lines[lineAcks]})
	go c.drain()
	go func() { c.out.CloseWithError(c.hear()) }()
	return c, nil
}

// listen makes a stream of the line.
func (c *conducted) listen(line io.Reader, acks io.Writer) {
	c.stream = uart.NewReceiver(line, acks, uart.Options{Text: textOf{c}, Patience: -1})
	c.in = bufio.NewReaderSize(c.stream, 1<<16)
}

// drain reads what the terminal echoes of acknowledgements.
func (c *conducted) drain() {
	_, _ = io.Copy(io.Discard, c.guest.lines[lineAcks]) // it ends with the guest
}

// session is the guest as package agent sees it.
func (c *conducted) session() *agent.Session {
	return &agent.Session{
		Order: nowhere{}, Placed: true, Reports: bufio.NewReaderSize(c.passed, 1<<16),
		Kill: c.guest.process.kill, Wait: c.wait, Trouble: c.trouble,
	}
}

func (c *conducted) wait() string {
	status := c.guest.end()
	c.stream.Close()
	c.guest.close()
	c.passed.Close() // nobody listens any more
	c.console.Exited(status)
	return status
}

// explain says why a guest ended early.
func (c *conducted) explain(ctx context.Context, blobs store.Blobs) error {
	found := c.console.Found()
	if found == nil {
		return nil
	}
	shown, err := c.guest.keepConsole(ctx, blobs)
	if err != nil {
		return err
	}
	trouble := found.Fault(shown)
	if said := strings.TrimSpace(c.said.String()); said != "" {
		return fault.New(found.Kind, "%w; process 1 said: %s", trouble, said)
	}
	return trouble
}

// hear takes reports and passes them on, until the last. What it gives is never nil.
func (c *conducted) hear() error {
	for {
		line, err := c.in.ReadBytes('\n')
		if err != nil {
			return noEnd(err)
		}
		var r conductorReport
		if err := json.Unmarshal(line, &r); err != nil {
			return fault.New(fault.Internal, "conductor: %.80q: %w", line, err)
		}
		if err := c.take(&r); err != nil {
			return err
		}
		if r.Kind == "done" {
			return io.EOF
		}
	}
}

// noEnd tells the end of a stream that has not come to its end from one that has.
func noEnd(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take passes on a report, with what scheme1 could not know.
func (c *conducted) take(r *conductorReport) error {
	switch r.Kind {
	case "start":
		if r.Step < 0 || r.Step >= len(c.job.Steps) {
			return fault.New(fault.Internal, "conductor: there is no step %d", r.Step)
		}
		c.step, c.marked = r.Step, false
	case "end":
		if r.Step != c.step || r.Ended == nil {
			return fault.New(fault.Internal, "conductor: the end of step %d, which does not run", r.Step)
		}
		if err := c.printed.flush(); err != nil {
			return err
		}
		c.judge(r)
		if r.Ended.Signal == "SIGKILL" && c.outOfMemory() {
			return io.ErrUnexpectedEOF // explain says why
		}
		c.step = -1
	case "export":
		return c.export(r)
	case "done":
		return c.finish(r)
	}
	return c.send(r, nil)
}

// judge says how a step failed, if it did: docs/scheme1.md, run.
func (c *conducted) judge(r *conductorReport) {
	const firstSignal, lastSignal = 128 + 1, 128 + 64
	if r.Text != "" && r.Ended.Exit == 127 {
		r.Text, r.Ended.Exit = "", -1
		r.Failure = walk.NotStarted(r.Step, c.job.Steps[r.Step].Argv[0], unix.ENOENT)
		return
	}
	if e := r.Ended.Exit; e >= firstSignal && e <= lastSignal {
		r.Ended.Exit, r.Ended.Signal = -1, walk.SignalName(e-128)
	}
	r.Failure = walk.Judge(r.Step, walk.Ended{Exit: r.Ended.Exit, Signal: r.Ended.Signal}, c.job.Limits, machine.CallsAny)
}

// outOfMemory tells whether the kernel killed a step because the guest has no more memory. The console says so before the
// step ends, but is read by others, who end the guest when they have seen the trace.
func (c *conducted) outOfMemory() bool {
	const behind = time.Second // how far they may be
	select {
	case <-c.guest.watched:
		return true
	case <-time.After(traceTime + behind):
		return false
	}
}

// export passes on a file. The limits on what a job makes are held here, after the fact and for exports alone.
func (c *conducted) export(r *conductorReport) error {
	if r.Node == nil || r.Size < 0 {
		return fault.New(fault.Internal, "conductor: an export without a node")
	}
	if _, ok := c.job.Inputs.Lookup(r.Node.Path); !ok {
		c.size += r.Size
		c.files++
	}
	last := len(c.job.Steps) - 1
	f := walk.Judge(last, walk.Ended{Bytes: c.size, Files: c.files}, c.job.Limits, machine.CallsAny)
	if f != nil {
		return c.send(&conductorReport{Kind: "fail", Failure: f}, nil) // rung ends the guest
	}
	return c.send(r, io.LimitReader(c.in, r.Size))
}

// finish adds the exports that are no files, once the stream has come to its end.
func (c *conducted) finish(r *conductorReport) error {
	if _, err := c.in.ReadByte(); err != io.EOF {
		return fault.New(fault.Internal, "conductor: something follows the last one: %w", noEnd(err))
	}
	for _, n := range exportedOthers(c.job) {
		if err := c.send(&conductorReport{Kind: "export", Node: &n}, nil); err != nil {
			return err
		}
	}
	c.console.Done()
	return c.send(r, nil)
}

// send passes on a report and the bytes that follow it.
func (c *conducted) send(r *conductorReport, payload io.Reader) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := c.out.Write(append(line, '\n')); err != nil {
		return err
	}
	if payload == nil {
		return nil
	}
	n, err := io.Copy(c.out, payload)
	if err == nil && n != r.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("conductor: %d bytes of %d: %w", n, r.Size, err)
	}
	return nil
}

// textOf gets what came between frames.
type textOf struct{ c *conducted }

func (t textOf) Write(p []byte) (int, error) {
	c, rest := t.c, p
	if c.step < 0 {
		c.said.Write(p[:min(len(p), maxSaid-c.said.Len())])
		return len(p), nil
	}
	if !c.marked && len(rest) > 0 {
		c.marked, rest = true, rest[1:]
	}
	if _, err := c.printed.Write(rest); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printer passes on what a step printed.
type printer struct{ c *conducted }

// maxPrinted is how much one report passes on, in bytes: no more than package agent takes.
const maxPrinted = 1 << 15

func (w printer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part := rest[:min(len(rest), maxPrinted)]
		rest = rest[len(part):]
		r := &conductorReport{Kind: "output", Step: w.c.step, Size: int64(len(part))}
		if err := w.c.send(r, bytes.NewReader(part)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
