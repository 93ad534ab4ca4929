// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"io"
)

// noise is a small generator: what a line does to a stream comes from a number.
type noise uint64

func (n *noise) next() uint64 {
	*n = *n*6364136223846793005 + 1442695040888963407
	return uint64(*n) >> 33
}

// bytes gives n bytes.
func (n *noise) bytes(count int) []byte {
	b := make([]byte, count)
	for i := range b {
		b[i] = byte(n.next())
	}
	return b
}

// oneIn is true once in about so many calls; never for 0.
func (n *noise) oneIn(many int) bool { return many > 0 && n.next()%uint64(many) == 0 }

// line is a serial line with what is wrong with it. Numbers are bytes between two faults, 0 for none.
type line struct {
	crlf                  bool // LF becomes CR LF, in both directions
	echo                  bool // acknowledgements come back, between bytes of frames
	prints                int  // a kernel prints a line
	drops, doubles, flips int  // a byte is lost, comes twice, has another bit
	ackFaults             int  // the same of acknowledgements, all three
	cut                   int  // bytes after which nothing comes any more, and both ends see an end; 0: never
	seed                  noise

	sender, receiver struct { // the ends to be used
		r *io.PipeReader
		w *io.PipeWriter
	}
	back   chan []byte // what is echoed
	frames struct {
		r *io.PipeReader
		w *io.PipeWriter
	}
	ackIn struct {
		r *io.PipeReader
		w *io.PipeWriter
	}
}

// printed is what the kernel says on such a line.
const printed = "[   12.345678] usb 1-1: new device\n"

// open makes the line's ends, and has it carry what is written to them.
func (l *line) open() {
	l.frames.r, l.sender.w = io.Pipe()
	l.receiver.r, l.frames.w = io.Pipe()
	l.ackIn.r, l.receiver.w = io.Pipe()
	l.sender.r, l.ackIn.w = io.Pipe()
	l.back = make(chan []byte, 1000)
	pieces := make(chan []byte)
	go func() {
		defer close(pieces)
		for {
			piece := make([]byte, 700)
			n, err := l.frames.r.Read(piece)
			if err != nil {
				return
			}
			pieces <- piece[:n]
		}
	}()
	go l.carryFrames(pieces)
	go l.carryAcks()
}

// carryFrames carries pieces of frames, with echoes between them.
func (l *line) carryFrames(pieces chan []byte) {
	total := 0
	defer l.frames.w.Close()
	defer l.ackIn.w.Close()
	defer l.frames.r.Close()
	for {
		var out []byte
		select {
		case out = <-l.back:
		case piece, ok := <-pieces:
			if !ok {
				return
			}
			out = l.harm(piece)
		}
		if total += len(out); l.cut > 0 && total > l.cut {
			l.frames.w.Write(out[:max(0, len(out)-total+l.cut)])
			for range pieces { // until the sender has gone
				l.frames.r.Close()
			}
			return
		}
		if _, err := l.frames.w.Write(out); err != nil {
			for range pieces {
			}
			return
		}
	}
}

// harm does to bytes of frames what the line does.
func (l *line) harm(p []byte) []byte {
	var out []byte
	for _, c := range p {
		if l.seed.oneIn(l.prints) {
			out = append(out, l.newlines([]byte(printed))...)
		}
		out = append(out, l.newlines(l.damage([]byte{c}, l.drops, l.doubles, l.flips))...)
	}
	return out
}

func (l *line) damage(p []byte, drops, doubles, flips int) []byte {
	var out []byte
	for _, c := range p {
		switch {
		case l.seed.oneIn(drops):
		case l.seed.oneIn(doubles):
			out = append(out, c, c)
		case l.seed.oneIn(flips):
			out = append(out, c^1<<(l.seed.next()%8))
		default:
			out = append(out, c)
		}
	}
	return out
}

func (l *line) newlines(p []byte) []byte {
	if !l.crlf {
		return p
	}
	return bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
}

// carryAcks carries acknowledgements, one a piece.
func (l *line) carryAcks() {
	defer l.ackIn.r.Close()
	seed := noise(7)
	harmed := line{seed: seed}
	piece := make([]byte, 700)
	for {
		n, err := l.ackIn.r.Read(piece)
		if err != nil {
			return
		}
		p := l.newlines(harmed.damage(piece[:n], l.ackFaults, l.ackFaults, l.ackFaults))
		if l.echo {
			select {
			case l.back <- bytes.Clone(p):
			default:
			}
		}
		if _, err := l.ackIn.w.Write(p); err != nil {
			return
		}
	}
}
