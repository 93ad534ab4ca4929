// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// reported is what goes over a line for some reports with signs of life between them.
func reported(t *testing.T, parts ...string) string {
	t.Helper()
	var line bytes.Buffer
	flushed := 0
	w := &chunkWriter{line: &line, flush: func() error { flushed++; return nil }}
	for _, p := range parts {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatalf("Write = %d, %v; want %d", n, err, len(p))
		}
		if err := w.alive(); err != nil {
			t.Fatal(err)
		}
	}
	if flushed < 2*len(parts) {
		t.Errorf("flushed %d times; want each chunk on its way at once", flushed)
	}
	return line.String()
}

func TestChunksArriveWhole(t *testing.T) {
	parts := []string{"a", strings.Repeat("0123456789", maxChunk/4), "", "b\x00\xff"}
	line := reported(t, parts...)
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(line), "by bytes": iotest.OneByteReader(strings.NewReader(line)),
		"with the end": iotest.DataErrReader(strings.NewReader(line)),
	} {
		alive := 0
		c := &chunkReader{line: r, alive: func() { alive++ }}
		got, err := io.ReadAll(c)
		if string(got) != strings.Join(parts, "") || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %d bytes, %v; want the %d that were sent, and that the line ended", name, len(got), err, len(strings.Join(parts, "")))
		}
		if alive < 2*len(parts)-1 || c.ended() == nil {
			t.Errorf("%s: %d signs of life, ended %v; want one a chunk, and the end", name, alive, c.ended())
		}
	}
}

func TestChunksOfAReader(t *testing.T) {
	const content = "0123456789abcdef"
	var line bytes.Buffer
	n, err := io.Copy(&chunkWriter{line: &line}, struct{ io.Reader }{io.LimitReader(strings.NewReader(strings.Repeat(content, maxChunk)), 1e6)})
	if n != 1e6 || err != nil {
		t.Fatalf("Copy = %d, %v; want a million", n, err)
	}
	got, _ := io.ReadAll(&chunkReader{line: &line, alive: func() {}})
	if string(got) != strings.Repeat(content, maxChunk)[:1e6] {
		t.Errorf("%d bytes came that differ from what was sent", len(got))
	}
	broken := errors.New("broken")
	if n, err := (&chunkWriter{line: io.Discard}).ReadFrom(iotest.ErrReader(broken)); n != 0 || !errors.Is(err, broken) {
		t.Errorf("ReadFrom = %d, %v; want 0 and what the reader says", n, err)
	}
}

func TestChunkReaderRefusesGarbage(t *testing.T) {
	c := &chunkReader{line: strings.NewReader(reported(t, "good") + "garbage"), alive: func() {}}
	got, err := io.ReadAll(c)
	if string(got) != "good" || err == nil || !strings.Contains(err.Error(), `"garb" where the length of a chunk was to come`) {
		t.Errorf("ReadAll = %q, %v; want the good part and what came instead of a chunk", got, err)
	}
}

func TestChunksOverABrokenLine(t *testing.T) {
	broken := errors.New("broken")
	c := &chunkReader{line: iotest.ErrReader(broken), alive: func() {}}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, broken) || !errors.Is(c.ended(), broken) {
		t.Errorf("Read = %v, ended %v; want what the line says", err, c.ended())
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if n, err := (&chunkWriter{line: w}).Write([]byte("a")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("Write = %d, %v; want 0 and what the line says", n, err)
	}
}
