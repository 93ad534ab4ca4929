// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/uart"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	watch "github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// startTime is how long QEMU may take until its guest can start.
const startTime = 30 * time.Second

// traceTime is how long the console is read on after a line that tells of a trouble.
const traceTime = 2 * time.Second

// maxShown is how much a console may show, in bytes. A kernel that boots shows some 40 KiB.
const maxShown = 64 << 20

// lastMoment is how long a QEMU whose line has ended may take to end itself: if it takes longer, the line was cut.
const lastMoment = time.Second

// session is a guest that was started.
type session struct {
	spoke atomic.Bool // the agent has said something

	job     string
	process *process
	monitor *monitor
	console *os.File // our ends of the lines
	reports io.ReadCloser
	order   io.WriteCloser
	chunks  *chunkReader
	watcher *watch.Watcher
	accel   string
	room    int // bytes that the console may still show

	shown      chan struct{} // closed when the console was read to its end and kept
	digest     digest.Digest // of the console; to be read after shown
	consoleErr error         // likewise
	how        string        // how QEMU ended; set by wait

	mu     sync.Mutex
	reason string // why the guest's machine ended, as QEMU says it
	cut    bool   // the line for reports ended before QEMU did
}

// lines are the connections to a guest: our ends, and those that QEMU inherits.
type lines struct{ ours, theirs [3]*os.File }

const (
	lineMonitor = iota
	lineConsole
	lineReport
)

// connectAll connects to a guest. What a person types goes over the console where the line for reports has one direction.
func (m *Machine) connectAll(virtio bool) (l lines, err error) {
	for i, of := range []string{"monitor", "console", "reports"} {
		connect := m.connect
		if i == lineConsole && virtio {
			connect = oneWay
		}
		if l.ours[i], l.theirs[i], err = connect(of); err != nil {
			closeAll(l.ours[:i]...)
			closeAll(l.theirs[:i]...)
			return lines{}, fault.New(fault.Unavailable, "qemu: %w", err)
		}
	}
	return l, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// launch starts a guest that has its order already.
func (m *Machine) launch(ctx context.Context, job machine.Job, blobs store.Blobs, c *walk.Course) (*session, error) {
	f, err := m.find(ctx)
	if err != nil {
		return nil, err
	}
	pack, err := m.packed(f.kernel)
	if err != nil {
		return nil, err
	}
	files, err := m.media(ctx, job, blobs, pack)
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "job %s: %w", job.Name, err)
	}
	l, err := m.connectAll(pack.virtio)
	if err != nil {
		closeAll(files...)
		return nil, err
	}
	p, err := m.start(f, job, pack, files, l)
	if err != nil {
		closeAll(l.ours[:]...)
		return nil, fault.New(fault.Unavailable, "qemu: %w", err)
	}
	s := &session{
		job: job.Name, process: p, accel: f.accel.name, room: m.maxShown, shown: make(chan struct{}),
		console: l.ours[lineConsole], reports: l.ours[lineReport], order: l.ours[lineReport],
	}
	if err := s.begin(ctx, l.ours[lineMonitor]); err != nil {
		return nil, err
	}
	s.attend(pack.virtio, m.options.Silence)
	go s.show(ctx, blobs, c)
	return s, nil
}

// maxPacked is the longest order that is packed into the initramfs where it could be on a disk, in bytes: a disk takes
// a module more, and no memory.
const maxPacked = 32 << 20

// media are the files that QEMU inherits: the initramfs, and the disk with the order, if there is one.
func (m *Machine) media(ctx context.Context, job machine.Job, blobs store.Blobs, p pack) ([]*os.File, error) {
	order, err := writeOrder(ctx, m.options.Folder, job, blobs, m.options.Options)
	if err != nil {
		return nil, err
	}
	size, err := sizes([]*os.File{order})
	if err != nil {
		return nil, errors.Join(err, order.Close())
	}
	if !p.virtio || size <= maxPacked {
		initrd, err := withOrder(m.options.Folder, p.initramfs, order)
		return []*os.File{initrd}, err
	}
	initrd, err := duplicate(p.initramfs)
	if err != nil {
		return nil, errors.Join(err, order.Close())
	}
	return []*os.File{initrd, order}, nil
}

func (m *Machine) start(f found, job machine.Job, p pack, files []*os.File, l lines) (*process, error) {
	media, err := sizes(files)
	if err != nil {
		return nil, err
	}
	lines := firstFile + len(files)
	h := hardware{
		accel: f.accel.name, memory: memoryFor(job, media), cpus: processorsFor(job, m.options.Wide), virtio: p.virtio,
		kernel: f.kernel.path, initrd: inherited(firstFile),
		monitor: lines + lineMonitor, console: lines + lineConsole, reports: lines + lineReport,
		display: m.options.Terminal != nil && m.options.Display != nil,
	}
	if len(files) > 1 {
		h.disk = inherited(firstFile + 1)
	}
	var env []string
	if h.display {
		env = m.options.Display
	}
	return start(f.program, h.args(), env, append(files, l.theirs[:]...)...)
}

// begin lets a guest start.
func (s *session) begin(ctx context.Context, stream io.ReadWriteCloser) error {
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var err error
	if s.monitor, err = openMonitor(limited, stream, s.note); err == nil {
		if err = s.monitor.execute(limited, "cont", nil, nil); err != nil {
			err = errors.Join(err, s.monitor.close())
		}
	}
	if err == nil {
		return nil
	}
	s.process.kill()
	how, waitErr := s.process.wait()
	s.hangUp()
	return fault.New(fault.Unavailable, "qemu: it did not start: %s", errors.Join(err, waitErr, errors.New(how))).
		WithHint("rung doctor tells whether the machine works at all; --accel tcg does without KVM")
}

// attend begins to watch a guest.
func (s *session) attend(virtio bool, silence time.Duration) {
	if !virtio {
		s.reports = uart.NewReceiver(s.reports, s.order, uart.Options{Patience: -1}) // silence is watched for
		s.order = s.console
	}
	s.watcher = watch.New(watch.Options{
		Silence: silence, Grace: traceTime, Trouble: func(*watch.Trouble) { s.process.kill() },
	})
	s.chunks = &chunkReader{line: s.reports, alive: func() {
		s.spoke.Store(true)
		s.watcher.Alive()
	}}
}

// note takes in what QEMU says.
func (s *session) note(e event) {
	if reason, ok := e.Data["reason"].(string); ok && e.Name == "SHUTDOWN" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reason = reason
	}
}

// show reads the console to its end, keeps it, and passes it on.
func (s *session) show(ctx context.Context, blobs store.Blobs, c *walk.Course) {
	defer close(s.shown)
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.readConsole(w, c)) }()
	s.digest, s.consoleErr = blobs.Put(ctx, r)
	if s.consoleErr != nil {
		r.CloseWithError(s.consoleErr)
		s.process.kill()
	}
}

// readConsole passes the console on by lines: a UART gives a byte at a time.
func (s *session) readConsole(keep io.Writer, c *walk.Course) error {
	in := bufio.NewReaderSize(s.console, 1<<12)
	for {
		line, end := in.ReadSlice('\n') // a long line comes in parts
		if s.room -= len(line); s.room < 0 {
			s.process.kill()
			return fault.New(fault.Limit, "the guest shows more than it may")
		}
		if len(line) > 0 {
			s.watcher.Write(line)
			c.Console(bytes.Clone(line))
			if _, err := keep.Write(line); err != nil {
				return err
			}
		}
		if end != nil && !errors.Is(end, bufio.ErrBufferFull) {
			return nil
		}
	}
}

// agent is the guest as a driver gives it.
func (s *session) agent() *agent.Session {
	return &agent.Session{
		Order: s.order, Placed: true, Reports: bufio.NewReaderSize(s.chunks, 1<<16),
		Kill: s.kill, Wait: s.wait, Trouble: s.trouble,
	}
}

// kill ends QEMU, and the lines to it where it cannot be ended.
func (s *session) kill() {
	if s.chunks.ended() != nil {
		select {
		case <-s.process.ended:
		case <-time.After(lastMoment):
			s.mu.Lock()
			s.cut = true
			s.mu.Unlock()
		}
	}
	s.process.kill()
	go func() {
		if _, err := s.process.wait(); err != nil {
			s.hangUp()
		}
	}()
}

func (s *session) hangUp() {
	s.console.Close()
	s.reports.Close()
	s.order.Close()
}

// wait waits for the end of QEMU, and of all that it had to say.
func (s *session) wait() string {
	how, err := s.process.wait()
	if err != nil {
		how = err.Error()
		s.hangUp()
	}
	<-s.shown
	s.hangUp()
	s.monitor.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != "" {
		how += ", " + s.reason
	}
	if s.cut {
		how = "the line for reports was cut"
	}
	s.how = how
	return how
}

// trouble is what is known about why the reports ended early.
func (s *session) trouble() error {
	ended := s.chunks.ended()
	switch {
	case s.consoleErr != nil:
		return s.unkept()
	case ended == nil: // it is rung that did not read on
		s.watcher.Done()
	case errors.Is(ended, io.ErrUnexpectedEOF) || errors.Is(ended, os.ErrClosed) || errors.Is(ended, unix.ECONNRESET):
		s.watcher.Exited(s.how)
	default:
		s.watcher.Done()
		if s.watcher.Found() == nil {
			return fault.New(fault.EarlyExit, "the line for reports: %w", ended)
		}
	}
	found := s.watcher.Found()
	if found == nil {
		return nil
	}
	err := found.Fault(s.digest)
	if found.Kind == fault.Silence && s.accel == accelKVM {
		err.WithHint("KVM may not work here: --accel tcg does without")
	}
	return err
}

// unkept says that the console could not be kept.
func (s *session) unkept() error {
	return fault.New(fault.KindOf(s.consoleErr), "keeping the console: %w", s.consoleErr)
}

// finish makes the result of a job of what its agent and its guest have said.
func (s *session) finish(r machine.Result, err error) (machine.Result, error) {
	s.watcher.Done()
	if err != nil {
		return machine.Result{}, err
	}
	if s.consoleErr != nil {
		return machine.Result{}, fault.New(fault.KindOf(s.consoleErr), "job %s: %w", s.job, s.unkept())
	}
	found := s.watcher.Found()
	if found != nil && wrongKernel(found.Kind) && (r.Failure == nil || !r.Failure.Cause.IsLimit()) {
		return machine.Result{}, fault.New(found.Kind, "job %s: %w", s.job, found.Fault(s.digest))
	}
	r.Console = s.digest
	return r, nil
}

// wrongKernel tells whether a trouble says that the kernel itself went wrong, so that it vouches for nothing.
func wrongKernel(k fault.Kind) bool {
	return k == fault.Panic || k == fault.Oops || k == fault.OutOfMemory
}

// checkHost tells whether guests can be started here at all.
func checkHost() error {
	if runtime.GOARCH != arch {
		return fault.New(fault.Unavailable, "qemu: rung is built for %s here, and its guests are %s", runtime.GOARCH, arch).
			WithHint("--machine sandbox needs no guest")
	}
	return nil
}
