// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

// schemeOrder says what a conducted guest is.
type schemeOrder struct {
	initramfs *os.File     // closed here
	memory    int64        // MiB
	line      string       // the kernel's command line
	console   func([]byte) // told what the console shows, mostly by lines; what it is given is its own
}

// serials are the serial lines of a guest: the kernel's console, and two for the conductor.
const serials = 3

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
func startScheme(f found, o schemeOrder) (*schemeGuest, error) {
	g := &schemeGuest{watched: make(chan struct{})}
	args := []string{
		"-nodefaults", "-no-user-config", "-machine", machineType, "-cpu", processor, "-smp", "1", "-accel", f.accel.name,
		"-m", strconv.FormatInt(o.memory, 10) + "M", "-display", "none", "-no-reboot",
		"-kernel", f.kernel.path, "-initrd", inherited(firstFile), "-append", o.line,
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
	if g.process, err = start(f.program, args, nil, theirs...); err != nil {
		g.close()
		return nil, fault.New(fault.Unavailable, "%w", err)
	}
	go g.watch(o.console)
	return g, nil
}

// watch reads the console until QEMU closes it. A UART gives a byte at a time: lines are fewer.
func (g *schemeGuest) watch(console func([]byte)) {
	defer close(g.watched)
	in := bufio.NewReaderSize(g.lines[0], 1<<12)
	for {
		line, err := in.ReadSlice('\n') // a long line comes in parts
		if len(line) > 0 {
			g.mu.Lock()
			g.shown.Write(line[:min(len(line), maxShown-g.shown.Len())])
			g.mu.Unlock()
			console(bytes.Clone(line))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
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
		g.close() // nobody else ends the lines of a process that cannot be ended
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
