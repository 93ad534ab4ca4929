// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"io"
)

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

// collected is what came over a line.
type collected struct {
	content bytes.Buffer
	limit   int64
	told    func([]byte)
	over    bool
	ended   chan struct{}
}

// collect reads a line to its end, in the background, and keeps what a program wrote to it.
func collect(line io.Reader, limit int64, told func([]byte)) *collected {
	c := &collected{limit: limit, told: told, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		p := &plainText{w: c}
		_, _ = io.Copy(p, line) // the line ends with the guest
		_ = p.flush()           // which never fails
	}()
	return c
}

// Write takes what came. It never fails.
func (c *collected) Write(p []byte) (int, error) {
	kept := p[:min(int64(len(p)), c.limit-int64(c.content.Len()))]
	c.over = c.over || len(kept) < len(p)
	c.content.Write(kept)
	if len(p) > 0 {
		c.told(bytes.Clone(p))
	}
	return len(p), nil
}

// all waits for the end of the line.
func (c *collected) all() (content []byte, over bool) {
	<-c.ended
	return c.content.Bytes(), c.over
}

// ackWriter sends acknowledgements to a terminal as files of a line: scheme1 reads a file to its end.
type ackWriter struct{ w io.WriteCloser }

// endOfFile is what a terminal takes for the end of a file: VEOF of termios(3).
const endOfFile = 0x04

func (a ackWriter) Write(p []byte) (int, error) {
	if _, err := a.w.Write(append(bytes.Clone(p), endOfFile)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (a ackWriter) Close() error { return a.w.Close() }

// nowhere is where nothing is typed.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
