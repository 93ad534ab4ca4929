// SPDX-License-Identifier: MIT

package cpio_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

func archive(t testing.TB, b formattest.Blobs, nodes ...tree.Node) (tree.Tree, []byte) {
	t.Helper()
	tr, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	if err := cpio.Encode(&w, tr, b.Open); err != nil {
		t.Fatal(err)
	}
	return tr, w.Bytes()
}

func pack(t testing.TB, kind compressed.Kind, in []byte) []byte {
	t.Helper()
	if kind == compressed.None {
		return in
	}
	var b bytes.Buffer
	w, err := compressed.NewWriter(&b, kind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wide are limits that no test below reaches.
var wide = cpio.Limits{Files: 1000, Bytes: 64 << 20, Path: 4095, Devices: true, EscapingLinks: true}

func unpack(in *io.SectionReader) (cpio.Packed, error) {
	s, err := compressed.First(in, 16<<20)
	if err != nil {
		return cpio.Packed{}, err
	}
	return cpio.Packed{Reader: s, Name: s.Kind().String(), Length: s.Length}, nil
}

func decode(in []byte, b formattest.Blobs) ([]cpio.Segment, error) {
	return cpio.Decode(io.NewSectionReader(bytes.NewReader(in), 0, int64(len(in))), wide, unpack, b.Put)
}

func join(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var readers []io.Reader
	for _, p := range parts {
		readers = append(readers, bytes.NewReader(p))
	}
	var b bytes.Buffer
	if err := cpio.Join(&b, readers...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// row is every way to pack a segment, each twice and behind each other.
var row = []compressed.Kind{
	compressed.Gzip, compressed.None, compressed.Zstd, compressed.XZ, compressed.LZ4,
	compressed.None, compressed.LZ4, compressed.XZ, compressed.Zstd, compressed.Gzip,
}

func TestDecodeGoesOnBehindEachSegment(t *testing.T) {
	b := formattest.Blobs{}
	var parts [][]byte
	var trees []tree.Tree
	for i, kind := range row {
		tr, plain := archive(t, b, b.File(fmt.Sprintf("f%d", i), 0o644, strings.Repeat(fmt.Sprint(i), 1+i*100_001%300_000)))
		parts, trees = append(parts, pack(t, kind, plain)), append(trees, tr)
	}
	in := join(t, parts...)
	segments, err := decode(in, formattest.Blobs{})
	if err != nil || len(segments) != len(row) {
		t.Fatalf("Decode = %d segments, %v; want %d", len(segments), err, len(row))
	}
	for i, s := range segments {
		want := row[i].String()
		if row[i] == compressed.None {
			want = ""
		}
		if diff := trees[i].Diff(s.Tree); diff != "" || s.Packing != want || s.Size != int64(len(parts[i])) {
			t.Errorf("segment %d: %q, %d bytes, %s; want %q, %d bytes", i, s.Packing, s.Size, diff, want, len(parts[i]))
		}
		if got := in[s.Offset : s.Offset+s.Size]; !bytes.Equal(got, parts[i]) {
			t.Errorf("segment %d: stands not at %d", i, s.Offset)
		}
	}
}

// TestDecodeNeedsNoPadding packs without zeros in between, but for what an archive's alignment and the end of an lz4
// frame want.
func TestDecodeNeedsNoPadding(t *testing.T) {
	b := formattest.Blobs{}
	_, plain := archive(t, b, b.File("f", 0o644, "content"))
	packed := map[compressed.Kind][]byte{}
	for _, kind := range row[:5] {
		packed[kind] = pack(t, kind, plain)
	}
	for first := range packed {
		for second := range packed {
			in := bytes.Clone(packed[first])
			if first == compressed.LZ4 {
				in = append(in, 0, 0, 0, 0)
			}
			for second == compressed.None && len(in)%4 != 0 {
				in = append(in, 0)
			}
			if segments, err := decode(append(in, packed[second]...), b); err != nil || len(segments) != 2 {
				t.Errorf("Decode of %v and %v = %d segments, %v; want 2", first, second, len(segments), err)
			}
		}
	}
}

func TestDecodeReadsSeveralArchivesInOneStream(t *testing.T) {
	b := formattest.Blobs{}
	_, one := archive(t, b, b.File("one", 0o644, "1"))
	_, two := archive(t, b, b.File("two", 0o644, "2"))
	packed := pack(t, compressed.Zstd, join(t, one, two))
	segments, err := decode(packed, b)
	if err != nil || len(segments) != 2 || segments[1].Offset != 0 || segments[0].Size != int64(len(packed)) {
		t.Errorf("Decode = %+v, %v; want two segments of one stream", segments, err)
	}
}

func TestDecodeRefusesWhatIsNoSegment(t *testing.T) {
	b := formattest.Blobs{}
	_, plain := archive(t, b, b.File("f", 0o644, "content"))
	gz := pack(t, compressed.Gzip, plain)
	for want, in := range map[string][]byte{
		"no archive: unexpected EOF":             {},
		"neither gzip, xz, zstd nor legacy lz4":  append(bytes.Clone(plain), "\x04\x22\x4d\x18"...), // the other frame of lz4
		"no multiple of 4":                       append(append(bytes.Clone(gz), make([]byte, 4-len(gz)%4+1)...), plain...),
		"gzip: unpacked offset 0: neither":       pack(t, compressed.Gzip, []byte("text")),
		"gzip: no archive":                       pack(t, compressed.Gzip, nil),
		`gzip: unpacked offset 243: after "f": `: pack(t, compressed.Gzip, plain[:len(plain)-1]),
	} {
		got, err := decode(in, b)
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("Decode = %d segments, %v; want an error with %q", len(got), err, want)
		}
	}
}

func TestDecodeRefusesATruncatedStream(t *testing.T) {
	b := formattest.Blobs{}
	_, plain := archive(t, b, b.File("f", 0o644, "content"))
	for _, kind := range row[:5] {
		in := pack(t, kind, plain)
		for n := range in {
			if got, err := decode(in[:n], b); err == nil {
				t.Errorf("Decode of %d bytes of %d, %v = %d segments; want an error", n, len(in), kind, len(got))
			}
		}
	}
}

func FuzzSegments(f *testing.F) {
	b := formattest.Blobs{}
	_, plain := archive(f, b, b.File("f", 0o644, "content"))
	var parts [][]byte
	for _, kind := range row[:5] {
		parts = append(parts, pack(f, kind, plain))
		f.Add(parts[len(parts)-1])
	}
	f.Add(join(f, parts...))
	if segments, err := decode(join(f, parts...), b); err != nil || len(segments) != 5 {
		f.Fatalf("a seed does not reach the end: %d segments, %v", len(segments), err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		segments, err := decode(in, formattest.Blobs{})
		if err != nil {
			if segments != nil {
				t.Errorf("Decode gave %d segments beside %v", len(segments), err)
			}
			return
		}
		end := int64(0)
		for i, s := range segments {
			if i > 0 && s.Offset == segments[i-1].Offset { // another archive of the same stream
				continue
			}
			if s.Offset < end || s.Size <= 0 || len(bytes.Trim(in[end:s.Offset], "\x00")) > 0 {
				t.Errorf("segment %d at %d, %d bytes; the one before ends at %d", i, s.Offset, s.Size, end)
			}
			end = s.Offset + s.Size
		}
		if len(bytes.Trim(in[end:], "\x00")) > 0 {
			t.Errorf("bytes behind the last segment, which ends at %d of %d", end, len(in))
		}
	})
}
