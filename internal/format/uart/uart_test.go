// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
)

// noise is a small generator: what a line does to a stream is the same in every run.
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

func TestStreamOverACleanLine(t *testing.T) {
	for _, size := range []int{0, 1, MaxPayload - 1, MaxPayload, MaxPayload + 1, 300_000} {
		synctest.Test(t, func(t *testing.T) {
			seed := noise(size)
			want := seed.bytes(size)
			line, w := io.Pipe()
			acks, aw := io.Pipe()
			var text bytes.Buffer
			r := NewReceiver(line, aw, Options{Text: &text})
			done := make(chan error)
			go func() {
				s := NewSender(w, acks, SenderOptions{})
				_, err := s.Write(want)
				if cerr := s.Close(); err == nil {
					err = cerr
				}
				done <- err
			}()
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("ReadAll = %d bytes, %v; want %d", len(got), err, size)
			}
			if err := <-done; err != nil {
				t.Errorf("sending: %v", err)
			}
			r.Close()
			synctest.Wait()
			if text.Len() > 0 {
				t.Errorf("text = %q; want none", text.String())
			}
		})
	}
}
