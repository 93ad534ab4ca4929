// SPDX-License-Identifier: MIT

package cpio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

// wide are limits that no test below reaches.
var wide = Limits{Files: 1000, Bytes: 1 << 20, Path: 4095, Devices: true, EscapingLinks: true}

// sample is a tree with every kind, and with the largest values that the format holds.
func sample(t testing.TB) (tree.Tree, formattest.Blobs) {
	t.Helper()
	b := formattest.Blobs{}
	owned := b.File("owned", 0o4755, "")
	owned.UID, owned.GID, owned.ModTime = 0xffffffff, 3_000_000, 0xffffffff
	return formattest.Tree(t, owned, b.File("a-b", 0o644, strings.Repeat("x", 1024)), b.File("a/b", 0o755, "odd"),
		b.File(strings.Repeat(strings.Repeat("n", 49)+"/", 81)+"größe", 0o600, "content"),
		tree.Node{Path: "a", Kind: tree.Dir, Mode: 0o1777, UID: 1, GID: 2, ModTime: 1_000_000_000},
		tree.Node{Path: "a/link", Kind: tree.Symlink, Mode: 0o777, Target: "/" + strings.Repeat("t", 4094)},
		tree.Node{Path: "dev/null", Kind: tree.CharDevice, Mode: 0o666, Major: 1, Minor: 3},
		tree.Node{Path: "dev/vda", Kind: tree.BlockDevice, Mode: 0o660, Major: 254, Minor: 1 << 20},
		tree.Node{Path: "dev/pipe", Kind: tree.Fifo, Mode: 0o600}), b
}

func decode(in []byte, limits Limits, b formattest.Blobs) (tree.Tree, []Segment, error) {
	segments, err := Decode(io.NewSectionReader(bytes.NewReader(in), 0, int64(len(in))), limits, nil, b.Put)
	if err != nil {
		return tree.Tree{}, segments, err
	}
	tr, err := Merge(segments)
	return tr, segments, err
}

func TestDecodeReadsWhatEncodeWrote(t *testing.T) {
	want, b := sample(t)
	archive := mustEncode(t, want, b)
	again := formattest.Blobs{}
	got, _, err := decode(archive, wide, again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(got); diff != "" {
		t.Errorf("Decode(Encode(t)) differs: %s", diff)
	}
	if !bytes.Equal(mustEncode(t, got, again), archive) {
		t.Error("encoding what was decoded gives another archive")
	}
	if empty, _, err := decode(mustEncode(t, tree.Tree{}, nil), wide, b); err != nil || empty.Len() != 0 {
		t.Errorf("Decode(Encode(empty)) = %d nodes, %v; want none", empty.Len(), err)
	}
}

// raw is an entry as it shall stand in an archive.
type raw struct {
	magic, name, content string
	f                    fields
}

func regular(name, content string) raw {
	return raw{magicPlain, name, content, fields{fieldMode: 0o100644, fieldNlink: 1}}
}

func (r raw) with(field int, v uint32) raw { r.f[field] = v; return r }

func (r raw) linked(ino, links uint32) raw { return r.with(fieldIno, ino).with(fieldNlink, links) }

func (r raw) bytes() []byte {
	if r.f[fieldNameSize] == 0 {
		r.f[fieldNameSize] = uint32(len(r.name) + 1)
	}
	if r.f[fieldSizeOf] == 0 {
		r.f[fieldSizeOf] = uint32(len(r.content))
	}
	text := r.magic
	for _, v := range r.f {
		text += fmt.Sprintf("%08x", v)
	}
	pad := func(s string) string { return s + strings.Repeat("\x00", (4-len(s)%4)%4) }
	return []byte(pad(pad(text+r.name+"\x00") + r.content))
}

func archiveOf(entries ...raw) []byte {
	var all []byte
	for _, e := range append(entries, raw{magic: magicPlain, name: trailer}) {
		all = append(all, e.bytes()...)
	}
	return all
}

func TestDecodeRefuses(t *testing.T) {
	a, summed := regular("a", ""), raw{magicSummed, "a", "ab", fields{fieldMode: 0o100644, fieldSum: 'a' + 'b' + 1}}
	kind := func(name string, mode uint32) raw { return raw{magicPlain, name, "", fields{fieldMode: mode}} }
	link := func(name, to string) raw { return raw{magicPlain, name, to, fields{fieldMode: 0o120777}} }
	for want, entries := range map[string][]raw{
		`"/etc/passwd" is not a clean`:         {regular("/etc/passwd", "")},
		`"../a" is not a clean`:                {regular("../a", "")},
		`"./../a" is not a clean`:              {regular("./../a", "")},
		`"a/../../b" is not a clean`:           {regular("a/../../b", "")},
		`"a//b" is not a clean`:                {regular("a//b", "")},
		`"." is not a clean`:                   {regular(".", "")},
		`"a" stands twice`:                     {a, regular("./a", "")},
		`"." stands twice`:                     {kind(".", 0o40755), kind("./.", 0o40755)},
		`below "a", which is a file`:           {a, regular("a/b", "")},
		`below "l", which is a symlink`:        {link("l", "x"), regular("l/b", "")},
		`link to "../x" may leave`:             {link("l", "../x")},
		`link to "/x" may leave`:               {link("l", "/x")},
		`with target ""`:                       {link("l", "")},
		`with target "x\x00y"`:                 {link("l", "x\x00y")},
		"a char, which is not allowed":         {kind("c", 0o20666)},
		"a fifo, which is not allowed":         {kind("c", 0o10666)},
		"mode 0140666":                         {kind("socket", 0o140666)},
		"mode 0666":                            {kind("nothing", 0o666)},
		"mode 0300644":                         {kind("more", 0o300644)},
		"a dir with content":                   {{magicPlain, "d", "x", fields{fieldMode: 0o40755}}},
		"a trailer with content":               {regular(trailer, "x")},
		`"070707"; want`:                       {{"070707", "a", "", fields{}}},
		"does not end with its only 0":         {regular("a\x00b", "")},
		`name "a" that does not end`:           {a.with(fieldNameSize, 1)},
		"a sum in an entry that has none":      {a.with(fieldSum, 1)},
		"the header says 000000c4":             {summed},
		"the content of 2 links never comes":   {a.linked(1, 2)},
		`"a": the content of 3 links`:          {a.linked(1, 3), regular("b", "").linked(1, 3)},
		"content a second time":                {regular("a", "x").linked(1, 2), regular("b", "y").linked(1, 2)},
		"which has its 2 names":                {a.linked(1, 2), regular("b", "").linked(1, 2), regular("c", "").linked(1, 2)},
		`link to "a", of which it says other`:  {a.linked(1, 2), regular("b", "y").linked(1, 2).with(fieldUID, 1)},
		`"b": a link to "a", of which it says`: {a.linked(1, 2), regular("b", "y").linked(1, 3)},
	} {
		limits := wide
		limits.Devices, limits.EscapingLinks = false, false
		got, segments, err := decode(archiveOf(entries...), limits, formattest.Blobs{})
		if err == nil || !strings.Contains(err.Error(), want) || got.Len() != 0 || segments != nil {
			t.Errorf("Decode = %d nodes, %v; want an error with %q", got.Len(), err, want)
		}
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	for at, row := range map[int]struct{ name, want string }{ // 110 bytes of header, then the name and its 0
		6: {"a", "field 1 is"}, 109: {"a", "field 13 is"}, 113: {"a", "padding of zeros"}, 115: {"a", "padding of zeros"},
		114: {"abc", "padding of zeros"},
	} {
		in := archiveOf(regular(row.name, "x"))
		in[at] = '-'
		if _, _, err := decode(in, wide, formattest.Blobs{}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Decode with byte %d wrong = %v; want an error with %q", at, err, row.want)
		}
	}
}

func TestDecodeResolvesHardLinks(t *testing.T) {
	b := formattest.Blobs{}
	got, _, err := decode(archiveOf(
		regular("a", "").linked(7, 3), regular("other", "").linked(8, 2), regular("b", "").linked(7, 3),
		regular("c", "content").linked(7, 3), regular("rest", "").linked(8, 2),
		regular("elsewhere", "alone").linked(9, 5), regular("device", "x").linked(7, 1)), wide, b)
	if err != nil {
		t.Fatal(err)
	}
	want := formattest.Tree(t, b.File("a", 0o644, "content"), b.File("b", 0o644, "content"), b.File("c", 0o644, "content"),
		b.File("other", 0o644, ""), b.File("rest", 0o644, ""), b.File("elsewhere", 0o644, "alone"), b.File("device", 0o644, "x"))
	if diff := want.Diff(got); diff != "" {
		t.Errorf("Decode differs: %s", diff)
	}
}

func TestDecodeTakesTheHabitsOfCpio(t *testing.T) {
	in := archiveOf(raw{magicPlain, ".", "", fields{fieldMode: 0o40700}}, regular("./d/f", "x"),
		raw{magicSummed, "s", "ab", fields{fieldMode: 0o100600, fieldSum: 'a' + 'b'}})
	b := formattest.Blobs{}
	got, _, err := decode(append(in, make([]byte, 512)...), wide, b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := formattest.Tree(t, b.File("d/f", 0o644, "x"), b.File("s", 0o600, "ab")).Diff(got); diff != "" {
		t.Errorf("Decode differs: %s", diff)
	}
}

func TestDecodeRefusesATruncatedArchive(t *testing.T) {
	tr, b := sample(t)
	in := archiveOf(regular("a", "12345"))
	for n := range len(in) {
		if got, _, err := decode(in[:n], wide, formattest.Blobs{}); !errors.Is(err, io.ErrUnexpectedEOF) || got.Len() != 0 {
			t.Fatalf("Decode of %d bytes of %d = %d nodes, %v; want %v", n, len(in), got.Len(), err, io.ErrUnexpectedEOF)
		}
	}
	for n, in := 0, mustEncode(t, tr, b); n < len(in); n += 9973 {
		if got, _, err := decode(in[:n], wide, formattest.Blobs{}); err == nil || got.Len() != 0 {
			t.Fatalf("Decode of %d bytes of %d = %d nodes, %v; want an error", n, len(in), got.Len(), err)
		}
	}
	if _, _, err := decode(append(in, 'x'), wide, formattest.Blobs{}); err == nil {
		t.Error("Decode of an archive and a byte behind it succeeded")
	}
}

func TestDecodeKeepsToItsLimits(t *testing.T) {
	in := archiveOf(regular("a", "0123456789"), regular("bc", "0123456789"), regular("d", "0123456789"))
	for what, limits := range map[string]Limits{
		"":                 {Files: 3, Bytes: 30, Path: 10},
		"files":            {Files: 2, Bytes: 30, Path: 10},
		"bytes of content": {Files: 3, Bytes: 29, Path: 10},
		"bytes of path":    {Files: 3, Bytes: 30, Path: 9}, // of the trailer
	} {
		_, _, err := decode(in, limits, formattest.Blobs{})
		var limit *LimitError
		if what == "" && err != nil {
			t.Errorf("Decode within the limits: %v", err)
		}
		if what != "" && (!errors.As(err, &limit) || limit.What != what || limit.Name == "") {
			t.Errorf("Decode = %v; want the limit on %s, with the entry", err, what)
		}
	}
	var limit *LimitError
	deep := archiveOf(regular(strings.Repeat("d/", 1000)+"f", "x")) // its directories count as well
	if _, _, err := decode(deep, wide, formattest.Blobs{}); !errors.As(err, &limit) || limit.What != "files" {
		t.Errorf("Decode of a file in 1000 directories = %v; want the limit on files", err)
	}
	many := bytes.Repeat(archiveOf(), maxSegments+1)
	if _, _, err := decode(many, wide, formattest.Blobs{}); !errors.As(err, &limit) || limit.What != "segments" {
		t.Errorf("Decode of %d archives = %v; want the limit on segments", maxSegments+1, err)
	}
}

func TestDecodeDoesNotBelieveAClaim(t *testing.T) {
	in := regular("a", "x").with(fieldSizeOf, 0xffffffff).bytes()
	var limit *LimitError
	if _, _, err := decode(in, wide, formattest.Blobs{}); !errors.As(err, &limit) || limit.What != "bytes of content" {
		t.Errorf("Decode of a file that claims 4 GiB = %v; want the limit on content", err)
	}
	huge := wide
	huge.Bytes = 1 << 40
	if _, _, err := decode(in, huge, formattest.Blobs{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Decode of a file that claims 4 GiB and has a byte = %v; want %v", err, io.ErrUnexpectedEOF)
	}
	link := raw{magicPlain, "l", "x", fields{fieldMode: 0o120777, fieldSizeOf: 0xffffffff}}.bytes()
	if _, _, err := decode(link, wide, formattest.Blobs{}); !errors.As(err, &limit) || limit.What != "bytes of path" {
		t.Errorf("Decode of a link of 4 GiB = %v; want the limit on paths", err)
	}
	short := func(io.Reader) (digest.Digest, error) { return digest.Of([]byte("1")), nil }
	in = archiveOf(regular("a", "xy"))
	_, err := Decode(io.NewSectionReader(bytes.NewReader(in), 0, int64(len(in))), wide, nil, short)
	if err == nil {
		t.Error("Decode believed a put that kept less than there was")
	}
}

func TestMergeReplacesAsAKernelDoes(t *testing.T) {
	b := formattest.Blobs{}
	dir := func(path string, mode uint32) tree.Node { return tree.Node{Path: path, Kind: tree.Dir, Mode: mode} }
	first := mustEncode(t, formattest.Tree(t, dir("d", 0o700), b.File("d/a", 0o600, "old"), b.File("kept", 0o600, ""),
		tree.Node{Path: "l", Kind: tree.Symlink, Mode: 0o777, Target: "kept"}), b)
	second := archiveOf(regular("d/a", "new"), regular("l", "a file now"), regular("e/f", "x"))
	got, segments, err := decode(append(first, second...), wide, b)
	if err != nil {
		t.Fatal(err)
	}
	want := formattest.Tree(t, dir("d", 0o700), b.File("d/a", 0o644, "new"), b.File("kept", 0o600, ""),
		b.File("l", 0o644, "a file now"), b.File("e/f", 0o644, "x"))
	if diff := want.Diff(got); diff != "" {
		t.Errorf("Merge differs: %s", diff)
	}
	if len(segments) != 2 || segments[0].Offset != 0 || segments[0].Size != int64(len(first)) ||
		segments[1].Offset != int64(len(first)) || segments[1].Size != int64(len(second)) || segments[1].Packing != "" {
		t.Errorf("Decode = %+v; want segments of %d and %d bytes", segments, len(first), len(second))
	}
	var named []string
	for n := range segments[1].Entries() {
		named = append(named, n.Path)
	}
	if got := strings.Join(named, " "); got != "d/a e/f l" {
		t.Errorf("Entries = %s; want what the archive names: d/a e/f l", got)
	}
}

func TestMergeRefusesWhatAKernelWouldLeaveOut(t *testing.T) {
	device := raw{magicPlain, "null", "", fields{fieldMode: 0o20666, fieldRDevMajor: 1, fieldRDevMinor: 3}}
	dir := raw{magicPlain, "d", "", fields{fieldMode: 0o40755}}
	link := raw{magicPlain, "l", "x", fields{fieldMode: 0o120777}}
	for want, pair := range map[string][2][]byte{
		"in place of a directory":      {archiveOf(dir), archiveOf(regular("d", ""))},
		"another char":                 {archiveOf(device), archiveOf(device.with(fieldRDevMinor, 5))},
		"that has other names":         {archiveOf(regular("a", "").linked(1, 2), regular("b", "x").linked(1, 2)), archiveOf(regular("a", "y"))},
		`below "l", which is a symlin`: {archiveOf(link), archiveOf(regular("l/a", ""))},
	} {
		if got, _, err := decode(append(pair[0], pair[1]...), wide, formattest.Blobs{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Merge = %d nodes, %v; want an error with %q", got.Len(), err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	tr, b := sample(f)
	limits := Limits{Files: 100, Bytes: 1 << 16, Path: 4095, Devices: true, EscapingLinks: true}
	for _, seed := range [][]byte{
		mustEncode(f, tr, b), append(archiveOf(regular("a", "").linked(1, 2), regular("b", "x").linked(1, 2)), archiveOf()...),
		archiveOf(raw{magicSummed, "./s", "ab", fields{fieldMode: 0o100600, fieldSum: 'a' + 'b'}}),
	} {
		if !roundTrip(f, seed, limits) {
			f.Fatal("a seed does not reach the end")
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) { roundTrip(t, in, limits) })
}

// roundTrip checks that what decodes encodes to an archive that decodes to the same tree and encodes to the same bytes;
// false where it does not decode.
func roundTrip(t testing.TB, in []byte, limits Limits) bool {
	b := formattest.Blobs{}
	first, segments, err := decode(in, limits, b)
	if err != nil {
		if first.Len() != 0 {
			t.Errorf("Decode gave %d nodes beside %v", first.Len(), err)
		}
		return false
	}
	canonical := mustEncode(t, first, b)
	second, _, err := decode(canonical, limits, formattest.Blobs{})
	if err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	if diff := first.Diff(second); diff != "" {
		t.Errorf("decoding what was encoded differs: %s", diff)
	}
	if !bytes.Equal(mustEncode(t, second, b), canonical) {
		t.Error("a canonical archive encodes to other bytes than it had")
	}
	if len(segments) == 1 && bytes.HasPrefix(in, canonical) && segments[0].Size != int64(len(canonical)) {
		t.Errorf("the segment has %d bytes; want the %d of the archive", segments[0].Size, len(canonical))
	}
	return true
}
