// SPDX-License-Identifier: MIT

package compressed_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/format/compressed"
)

// written are the kinds that NewWriter writes.
var written = []compressed.Kind{compressed.Gzip, compressed.XZ, compressed.Zstd, compressed.LZ4}

// pack packs content that is written in pieces of some size.
func pack(t testing.TB, kind compressed.Kind, content []byte, piece int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := compressed.NewWriter(&b, kind)
	if err != nil {
		t.Fatal(err)
	}
	for len(content) > 0 {
		n := min(piece, len(content))
		if _, err := w.Write(content[:n]); err != nil {
			t.Fatalf("%v: Write: %v", kind, err)
		}
		content = content[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%v: Close: %v", kind, err)
	}
	return b.Bytes()
}

// first unpacks the first stream of some bytes and gives its length.
func first(packed []byte, max int64) ([]byte, *compressed.Stream, error) {
	s, err := compressed.First(io.NewSectionReader(bytes.NewReader(packed), 0, int64(len(packed))), max)
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(s)
	return content, s, err
}

// numbers is content that packs neither very well nor badly.
func numbers(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d ", i*i%99991)
	}
	return b.Bytes()[:n]
}

func TestFirstReadsWhatNewWriterWrote(t *testing.T) {
	for _, kind := range written {
		contents := [][]byte{{}, {1}, numbers(100), numbers(150_000)}
		if kind == compressed.LZ4 { // more than a block
			contents = append(contents, make([]byte, 8<<20+1))
		}
		for _, want := range contents {
			packed := pack(t, kind, want, 1<<20)
			got, s, err := first(append(bytes.Clone(packed), "\x00\x00\x00\x00tail"...), int64(len(want)))
			if err != nil || s.Kind() != kind || !bytes.Equal(got, want) || s.Length() != int64(len(packed)) {
				t.Errorf("First(%v of %d bytes) = %d bytes, %v", kind, len(want), len(got), err)
			}
		}
	}
}

// TestNewWriterIsDeterministic writes the same content in pieces of other sizes.
func TestNewWriterIsDeterministic(t *testing.T) {
	for _, kind := range written {
		content := numbers(150_000) // more than a block of zstd
		if kind == compressed.XZ {
			content = numbers(30_000) // its writer is slow
		}
		want := pack(t, kind, content, len(content))
		for _, piece := range []int{4095, 65537} {
			if !bytes.Equal(pack(t, kind, content, piece), want) {
				t.Errorf("%v: pieces of %d bytes come to another stream", kind, piece)
			}
		}
	}
	if _, err := compressed.NewWriter(io.Discard, compressed.Bzip2); err == nil {
		t.Error("NewWriter of bzip2 = no error")
	}
}

// full takes some bytes and then none.
type full struct{ room int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestNewWriterPassesErrorsOn(t *testing.T) {
	for _, kind := range written {
		for _, room := range []int{0, 2000} {
			w, err := compressed.NewWriter(&full{room}, kind)
			if err == nil {
				_, err = w.Write(numbers(20_000))
				err = errors.Join(err, w.Close())
			}
			if !errors.Is(err, errFull) {
				t.Errorf("%v: writing to a writer that is full after %d bytes = %v; want %v", kind, room, err, errFull)
			}
		}
	}
}

func TestFirstRefusesOneByteTooMany(t *testing.T) {
	for _, kind := range written {
		_, _, err := first(pack(t, kind, numbers(1000), 1000), 999)
		var limit *compressed.LimitError
		if !errors.As(err, &limit) || limit.Kind != kind || limit.What != "bytes unpacked" {
			t.Errorf("First(%v) within 999 bytes = %v; want a LimitError", kind, err)
		}
	}
}

func TestFirstRefusesTruncated(t *testing.T) {
	for _, kind := range written {
		packed := pack(t, kind, numbers(500), 500)
		for n := range packed {
			if got, _, err := first(packed[:n], 1<<20); err == nil && !(kind == compressed.LZ4 && n == 4) { // the magic alone
				t.Errorf("First(%v cut to %d of %d bytes) = %d bytes; want an error", kind, n, len(packed), len(got))
			}
		}
	}
}

func TestFirstRefusesDamage(t *testing.T) {
	for _, kind := range []compressed.Kind{compressed.Gzip, compressed.XZ, compressed.Zstd} { // lz4 has no sum
		want := numbers(500)
		packed := pack(t, kind, want, 500)
		for i := range packed {
			packed[i] ^= 0x10
			if got, _, err := first(packed, 1<<20); err == nil && !bytes.Equal(got, want) {
				t.Errorf("First(%v with a wrong byte at %d) = other bytes and no error", kind, i)
			}
			packed[i] ^= 0x10
		}
	}
}

func TestFirstRefuses(t *testing.T) {
	frame := func(rest string) []byte { return []byte("\x28\xb5\x2f\xfd" + rest) }
	sha256, err := base64.StdEncoding.DecodeString(files()[4].packed)
	if err != nil {
		t.Fatal(err)
	}
	for want, packed := range map[string][]byte{
		"neither gzip, xz, zstd nor legacy lz4": []byte("BZh9"),
		"a check other than CRC-32":             sha256,
		"neither gzip":                          {},
		"zstd: more than 67108864 bytes of win": frame("\x00\x88\x01\x00\x00"),             // 128 MiB
		"zstd: more than 1048576 bytes unpack":  frame("\xa0\x00\x00\x20\x00\x01\x00\x00"), // a content of 2 MiB
		"needs a dictionary":                    frame("\x01\x00\x07\x01\x00\x00"),
		"a frame of an unknown form":            frame("\x08\x00\x01\x00\x00"),
		"a block of an unknown form":            frame("\x00\x00\x07\x00\x00"),
		"larger than blocks are":                []byte("\x02\x21\x4c\x18\x1f\x8b\x08\x01"),
		"bytes that are no size":                []byte("\x02\x21\x4c\x18x"),
		"a damaged block":                       []byte("\x02\x21\x4c\x18\x02\x00\x00\x00\xff\xff"),
	} {
		if got, _, err := first(packed, 1<<20); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("First(%.12q) = %d bytes, %v; want an error with %q", packed, len(got), err, want)
		}
	}
}

func FuzzFirst(f *testing.F) {
	for _, kind := range written {
		packed := pack(f, kind, numbers(1000), 1000)
		if got, _, err := first(packed, 1<<20); err != nil || len(got) != 1000 {
			f.Fatalf("seed %v does not reach the end: %v", kind, err)
		}
		f.Add(packed)
	}
	f.Add(decode(f, xzWithX86))
	f.Add(decode(f, xzWith128MiB))
	f.Fuzz(func(t *testing.T, packed []byte) {
		const most = 1 << 20
		got, s, err := first(packed, most)
		if err != nil {
			return
		}
		if n := s.Length(); len(got) > most || n <= 0 || n > int64(len(packed)) {
			t.Fatalf("%v: %d bytes of a stream of %d in %d", s.Kind(), len(got), s.Length(), len(packed))
		}
		// What stands behind a stream changes nothing of it.
		alone := append(bytes.Clone(packed[:s.Length()]), "\x00\x00\x00\x00 tail"...)
		again, t2, err := first(alone, most)
		if err != nil || !bytes.Equal(again, got) || t2.Length() != s.Length() {
			t.Errorf("%v: the stream alone = %d bytes, %v; want %d bytes", s.Kind(), len(again), err, len(got))
		}
	})
}
