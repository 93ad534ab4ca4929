// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

// schemeOrder says what a conducted guest is.
type schemeOrder struct {
	program, kernel, accel string
	initramfs              *os.File     // closed here
	memory                 int64        // bytes
	line                   string       // the kernel's command line
	console                func([]byte) // told what the console shows; what it is given is its own
}

// serials are the serial lines of a guest: the kernel's console, and two for the conductor.
const serials = 3

// maxConsole is how much of a console is kept, in bytes.
const maxConsole = 16 << 20

// schemeGuest is a machine with serial lines and without anything else.
type schemeGuest struct {
	process *process
	lines   [serials]*os.File // 0 is read by the guest itself
	control *os.File          // QMP
	watched chan struct{}     // closed when the console has come to its end

	mu    sync.Mutex
	shown bytes.Buffer // what the console showed
}

// startScheme starts QEMU with ends of sockets for its lines: they have no names that anybody else could use.
func startScheme(o schemeOrder) (*schemeGuest, error) {
	g := &schemeGuest{watched: make(chan struct{})}
	args := []string{
		"-nodefaults", "-no-user-config", "-machine", machineType, "-cpu", processor, "-smp", "1", "-accel", o.accel,
		"-m", strconv.FormatInt((o.memory+1<<20-1)>>20, 10) + "M", "-display", "none", "-no-reboot",
		"-kernel", o.kernel, "-initrd", inherited(firstFile), "-append", o.line,
	}
	theirs := []*os.File{o.initramfs}
	for i := range serials + 1 {
		ours, other, err := pair("line")
		if err != nil {
			g.close()
			for _, f := range theirs {
				f.Close()
			}
			return nil, fault.New(fault.Unavailable, "a line to a guest: %w", err)
		}
		name := fmt.Sprintf("line%d", i)
		args = append(args, "-chardev", connection(name, firstFile+len(theirs)))
		theirs = append(theirs, other)
		if i < serials {
			g.lines[i] = ours
			args = append(args, "-serial", "chardev:"+name)
		} else {
			g.control = ours
			args = append(args, "-mon", "mode=control,chardev="+name)
		}
	}
	var err error
	if g.process, err = start(o.program, args, nil, theirs...); err != nil {
		g.close()
		return nil, fault.New(fault.Unavailable, "%w", err)
	}
	go g.watch(o.console)
	return g, nil
}

// watch reads the console until QEMU closes it.
func (g *schemeGuest) watch(console func([]byte)) {
	defer close(g.watched)
	buf := make([]byte, 1<<16)
	for {
		n, err := g.lines[0].Read(buf)
		if n > 0 {
			g.mu.Lock()
			g.shown.Write(buf[:min(n, maxConsole-g.shown.Len())])
			g.mu.Unlock()
			console(bytes.Clone(buf[:n]))
		}
		if err != nil {
			return
		}
	}
}

// close lets go of the lines.
func (g *schemeGuest) close() {
	for _, f := range append(g.lines[:], g.control) {
		if f != nil {
			f.Close()
		}
	}
}

// end ends the guest, waits until it is gone, and says how it ended. It may be called more than once.
func (g *schemeGuest) end() string {
	g.process.kill()
	how, err := g.process.wait()
	if err != nil {
		how = err.Error()
	}
	<-g.watched
	return how
}

// keepConsole puts what the console showed into the store.
func (g *schemeGuest) keepConsole(ctx context.Context, blobs store.Blobs) (digest.Digest, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d, err := blobs.Put(ctx, bytes.NewReader(g.shown.Bytes()))
	if err != nil {
		return digest.Digest{}, fmt.Errorf("keeping the console: %w", err)
	}
	return d, nil
}

// plainText gives back what a program wrote to a terminal, which puts a CR before each LF.
type plainText struct {
	w    io.Writer
	held bool // a CR came last
}

func (p *plainText) Write(b []byte) (int, error) {
	out := make([]byte, 0, len(b)+1)
	for _, c := range b {
		if p.held && c != '\n' {
			out = append(out, '\r')
		}
		if p.held = c == '\r'; !p.held {
			out = append(out, c)
		}
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// flush gives what is held back, for nothing follows it.
func (p *plainText) flush() error {
	if !p.held {
		return nil
	}
	p.held = false
	_, err := p.w.Write([]byte{'\r'})
	return err
}
