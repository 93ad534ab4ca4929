// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"io"
	"testing"
)

// benchData is a megabyte without bytes to escape, and one of all bytes.
func benchData() map[string][]byte {
	seed := noise(1)
	return map[string][]byte{"plain": bytes.Repeat([]byte("0123456789abcdef"), 1<<16), "random": seed.bytes(1 << 20)}
}

func BenchmarkEncode(b *testing.B) {
	for name, data := range benchData() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var frame []byte
			for b.Loop() {
				for i := 0; i < len(data); i += MaxPayload {
					frame = appendFrame(frame[:0], typeData, uint32(i), data[i:i+MaxPayload])
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, data := range benchData() {
		b.Run(name, func(b *testing.B) {
			var wire []byte
			for i := 0; i < len(data); i += MaxPayload {
				wire = appendFrame(wire, typeData, uint32(i), data[i:i+MaxPayload])
			}
			b.SetBytes(int64(len(data)))
			d := &decoder{frame: func(byte, uint32, []byte) bool { return true }}
			for b.Loop() {
				d.out = d.out[:0]
				for p := wire; len(p) > 0; {
					n := min(chunkSize, len(p))
					d.feed(p[:n])
					p = p[n:]
				}
			}
			if !bytes.Equal(d.out, data) {
				b.Errorf("%d bytes were decoded, and differ from the %d encoded", len(d.out), len(data))
			}
		})
	}
}

// BenchmarkStream is both ends, with pipes between them.
func BenchmarkStream(b *testing.B) {
	for name, data := range benchData() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			line, w := io.Pipe()
			acks, aw := io.Pipe()
			r := NewReceiver(line, aw, Options{})
			defer r.Close()
			s := NewSender(w, acks, SenderOptions{})
			got := make([]byte, len(data))
			go io.Copy(s, loop{data})
			for b.Loop() {
				if _, err := io.ReadFull(r, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// loop gives the same bytes for ever.
type loop struct{ data []byte }

func (l loop) Read(p []byte) (int, error) { return copy(p, l.data), nil }
