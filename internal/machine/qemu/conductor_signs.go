// SPDX-License-Identifier: MIT

package qemu

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	guestconsole "github.com/rung-build/rung/internal/machine/console"
)

// What a kernel says when it starts process 1, and when that has ended, with the status as wait(2) gives it. Sources:
// run_init_process in init/main.c, do_exit in kernel/exit.c of Linux.
const (
	signStart = " as init process"
	signEnd   = "Attempted to kill init! exitcode=0x"
)

// bootSigns are what the console says of process 1 where that is a program of the chain. Its end is a panic to Linux.
type bootSigns struct {
	program string
	started func()
	once    sync.Once
	watcher *guestconsole.Watcher
	begun   chan struct{}
	ended   chan syscall.WaitStatus
	late    *time.Timer
	trouble chan *guestconsole.Trouble
	lines   string // the line that has not ended
}

func newBootSigns(program string, boot time.Duration, started func()) *bootSigns {
	s := &bootSigns{
		program: program, started: started, begun: make(chan struct{}), ended: make(chan syscall.WaitStatus, 1),
		late: time.NewTimer(boot), trouble: make(chan *guestconsole.Trouble, 1),
	}
	s.watcher = guestconsole.New(guestconsole.Options{
		Grace: traceTime, Trouble: func(t *guestconsole.Trouble) { s.trouble <- t },
	})
	return s
}

// over ends the watch.
func (s *bootSigns) over() {
	s.watcher.Done()
	s.late.Stop()
}

// start notes that process 1 has started.
func (s *bootSigns) start() {
	s.once.Do(func() {
		s.started()
		close(s.begun)
	})
}

// maxLine is how much of a line of the console is looked at, in bytes.
const maxLine = 4 << 10

// read takes what the console shows.
func (s *bootSigns) read(p []byte) {
	_, _ = s.watcher.Write(p) // which never fails
	text := s.lines + string(p)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			break
		}
		text = rest
		s.line(line)
	}
	s.lines = text[max(0, len(text)-maxLine):]
}

func (s *bootSigns) line(line string) {
	if strings.Contains(line, "Run /"+s.program+signStart) {
		s.start()
	}
	_, number, ok := strings.Cut(line, signEnd)
	if !ok {
		return
	}
	status, err := strconv.ParseUint(strings.TrimSpace(number), 16, 32)
	if err != nil {
		return // the console has it, and the machine does not go on
	}
	s.start()
	select {
	case s.ended <- syscall.WaitStatus(status):
	default:
	}
}

// wait waits until process 1 has ended, and gives its status.
func (s *bootSigns) wait(ctx context.Context, g *schemeGuest) (syscall.WaitStatus, error) {
	defer s.over()
	begun := s.begun
	for {
		select {
		case status := <-s.ended:
			return status, nil
		case <-begun:
			s.late.Stop()
			begun = nil
		case <-s.late.C:
			return 0, fault.New(fault.Unavailable, "process 1 did not start: %q", strings.Join(s.watcher.Tail(), "\n"))
		case <-ctx.Done():
			return 0, fault.New(fault.Interrupted, "%w", context.Cause(ctx))
		case t := <-s.trouble:
			return 0, t.Fault(digest.Digest{})
		case <-g.watched:
			if len(s.ended) > 0 { // both at once
				return <-s.ended, nil
			}
			s.watcher.Exited(g.end())
			return 0, s.watcher.Found().Fault(digest.Digest{})
		}
	}
}

// The registers of the UARTs of a PC that carry what a program writes, and what they hold. Source: the data sheet of
// the PC16550D, 8.0 Registers, and the addresses that Linux gives ttyS1 and ttyS2 (arch/x86/include/asm/serial.h).
const (
	portFile    = 0x2f8
	portPrint   = 0x3e8
	interrupts  = 1    // IER
	wantsToSend = 0x02 // in IER: Linux has something to send
	lineStatus  = 5    // LSR
	allSent     = 0x40 // in LSR: nothing is left in the FIFO and the shift register
)

// drainTime is how long what a kernel holds of a line, 4 KiB at most, may take to be sent.
const drainTime = 20 * time.Second

// drained waits until a kernel has sent all that was written to its lines. A kernel that gave up still serves their
// interrupts, unless it is to start anew, and a program that ends without closing a file leaves some to be sent then.
func drained(ctx context.Context, control *os.File) error {
	late := fault.New(fault.Internal, "a line is not sent in %v", drainTime)
	ctx, cancel := context.WithTimeoutCause(ctx, drainTime, late)
	defer cancel()
	m, err := openMonitor(ctx, control, func(event) {})
	if err != nil {
		return err
	}
	defer m.close()
	for _, port := range []int{portFile, portPrint} {
		for {
			waits, err := inByte(ctx, m, port+interrupts)
			if err != nil {
				return err
			}
			status, err := inByte(ctx, m, port+lineStatus)
			if err != nil {
				return err
			}
			if waits&wantsToSend == 0 && status&allSent != 0 {
				break
			}
		}
	}
	return nil
}

// inByte reads a register of the guest's machine.
func inByte(ctx context.Context, m *monitor, port int) (byte, error) {
	var said string
	arguments := map[string]string{"command-line": fmt.Sprintf("i /1bx %#x", port)}
	if err := m.execute(ctx, "human-monitor-command", arguments, &said); err != nil {
		return 0, err
	}
	_, number, _ := strings.Cut(strings.TrimSpace(said), "= 0x") // portb[0x02f9] = 0x05
	value, err := strconv.ParseUint(number, 16, 8)
	if err != nil {
		return 0, fmt.Errorf("port %#x: %q: %w", port, said, err)
	}
	return byte(value), nil
}
