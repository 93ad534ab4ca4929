// SPDX-License-Identifier: MIT

package tarball

import (
	"archive/tar"
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
var wide = Limits{Files: 1000, Bytes: 1 << 20, Path: 1000}

// longName has parts that ustar could hold one by one.
var longName = strings.Repeat(strings.Repeat("n", 49)+"/", 6) + "größe"

// sample is a tree with every kind, and with values that ustar cannot hold.
func sample(t testing.TB) (tree.Tree, formattest.Blobs) {
	t.Helper()
	b := formattest.Blobs{}
	old := b.File("old", 0o600, "from before 1970")
	old.ModTime = -12345
	owned := b.File("owned", 0o4755, "")
	owned.UID, owned.GID, owned.ModTime = 4_000_000_000, 3_000_000, 1<<34
	tr, err := tree.New(old, owned, b.File(longName, 0o644, "content"), b.File("a-b", 0o644, strings.Repeat("x", 1024)),
		b.File("a/b", 0o755, strings.Repeat("x", 511)),
		tree.Node{Path: "a", Kind: tree.Dir, Mode: 0o1777, UID: 1, GID: 2, ModTime: 1_000_000_000},
		tree.Node{Path: "a/link", Kind: tree.Symlink, Mode: 0o777, Target: "../" + longName},
		tree.Node{Path: "dev/null", Kind: tree.CharDevice, Mode: 0o666, Major: 1, Minor: 3},
		tree.Node{Path: "dev/vda", Kind: tree.BlockDevice, Mode: 0o660, Major: 254, Minor: 1 << 20},
		tree.Node{Path: "dev/pipe", Kind: tree.Fifo, Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	return tr, b
}

func mustEncode(t testing.TB, tr tree.Tree, b formattest.Blobs) []byte {
	t.Helper()
	var w bytes.Buffer
	if err := Encode(&w, tr, b.Open); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return w.Bytes()
}

func TestDecodeReadsWhatEncodeWrote(t *testing.T) {
	want, b := sample(t)
	stream := mustEncode(t, want, b)
	limits := wide
	limits.Devices = true
	again := formattest.Blobs{}
	got, err := Decode(bytes.NewReader(stream), limits, again.Put)
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(got); diff != "" {
		t.Errorf("Decode(Encode(t)) differs: %s", diff)
	}
	if !bytes.Equal(mustEncode(t, got, again), stream) {
		t.Error("encoding what was decoded gives another stream")
	}
	if empty, err := Decode(bytes.NewReader(mustEncode(t, tree.Tree{}, nil)), wide, nil); err != nil || empty.Len() != 0 {
		t.Errorf("Decode(Encode(empty)) = %d nodes, %v; want none", empty.Len(), err)
	}
}

func TestEncodeIsUstarWhereThatIsEnough(t *testing.T) {
	b := formattest.Blobs{}
	tr, err := tree.New(b.File("a/b", 0o755, "content"), tree.Node{Path: "l", Kind: tree.Symlink, Target: "a"})
	if err != nil {
		t.Fatal(err)
	}
	stream := mustEncode(t, tr, b)
	if want := 512 * (3 + 1 + 2); len(stream) != want {
		t.Errorf("3 entries, 1 block of content and 2 at the end are %d bytes; want %d: no PAX header", len(stream), want)
	}
	if magic := string(stream[257:265]); magic != "ustar\x0000" {
		t.Errorf("magic = %q; want ustar's", magic)
	}
}

func TestEncodeRefusesOtherContent(t *testing.T) {
	tr, b := sample(t)
	n, _ := tr.Lookup("a-b")
	for name, content := range map[string][]byte{"shorter": []byte("x"), "longer": bytes.Repeat([]byte("x"), 1025)} {
		b[n.Content] = content
		if err := Encode(io.Discard, tr, b.Open); err == nil || !strings.Contains(err.Error(), `"a-b"`) {
			t.Errorf("Encode of %s content than the tree says: %v; want an error that names the file", name, err)
		}
	}
	delete(b, n.Content)
	if err := Encode(io.Discard, tr, b.Open); err == nil || !strings.Contains(err.Error(), "no blob") {
		t.Errorf("Encode without the content: %v; want the error of open", err)
	}
}

// stream writes headers as they are, each with a content of its size.
func stream(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("WriteHeader(%+v): %v", h, err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name string, size int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
}

func TestDecodeRefuses(t *testing.T) {
	link := func(kind byte, name, target string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: target}
	}
	mode := file("a", 0)
	mode.Mode = 1 << 18
	for name, row := range map[string]struct {
		headers []tar.Header
		want    string
	}{
		"an absolute name":        {[]tar.Header{file("/etc/passwd", 0)}, "clean relative"},
		"a way out":               {[]tar.Header{file("../a", 0)}, "clean relative"},
		"a way out after a dot":   {[]tar.Header{file("./../a", 0)}, "clean relative"},
		"a way out inside":        {[]tar.Header{file("a/../../b", 0)}, "clean relative"},
		"a name not clean":        {[]tar.Header{file("a//b", 0)}, "clean relative"},
		"a slash after a dot":     {[]tar.Header{file(".//b", 0)}, "clean relative"},
		"a file that is the root": {[]tar.Header{file(".", 0)}, "clean relative"},
		"a name twice":            {[]tar.Header{file("a", 0), file("./a", 0)}, `"a" stands twice`},
		"a file as a directory":   {[]tar.Header{file("a", 0), file("a/b", 0)}, "below"},
		"a link as a directory":   {[]tar.Header{link(tar.TypeSymlink, "a", "b"), file("a/b", 0)}, "below"},
		"a link to the outside":   {[]tar.Header{link(tar.TypeSymlink, "a/l", "../../b")}, "leave the tree"},
		"an absolute link":        {[]tar.Header{link(tar.TypeSymlink, "l", "/b")}, "leave the tree"},
		"a hard link to nothing":  {[]tar.Header{link(tar.TypeLink, "l", "b")}, "hard link"},
		"a hard link to itself":   {[]tar.Header{link(tar.TypeLink, "l", "l")}, "hard link"},
		"a hard link forward":     {[]tar.Header{link(tar.TypeLink, "l", "b"), file("b", 0)}, "hard link"},
		"a hard link to a directory": {[]tar.Header{
			{Typeflag: tar.TypeDir, Name: "d/"}, link(tar.TypeLink, "l", "d"),
		}, "hard link"},
		"a hard link that moves a link out": {[]tar.Header{
			link(tar.TypeSymlink, "a/l", "../b"), link(tar.TypeLink, "l", "a/l"),
		}, "leave the tree"},
		"a device":             {[]tar.Header{{Typeflag: tar.TypeChar, Name: "null"}}, "not allowed"},
		"a fifo":               {[]tar.Header{{Typeflag: tar.TypeFifo, Name: "pipe"}}, "not allowed"},
		"an unknown type":      {[]tar.Header{{Typeflag: 'V', Name: "label"}}, "type 'V'"},
		"a mode of other bits": {[]tar.Header{mode}, "mode"},
		"a negative owner":     {[]tar.Header{{Typeflag: tar.TypeDir, Name: "d/", Uid: -1}}, "owner -1"},
		"a global record": {[]tar.Header{{
			Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "x"},
		}}, "global header"},
	} {
		t.Run(name, func(t *testing.T) {
			b := formattest.Blobs{}
			got, err := Decode(bytes.NewReader(stream(t, row.headers...)), wide, b.Put)
			if err == nil || !strings.Contains(err.Error(), row.want) || got.Len() != 0 {
				t.Errorf("Decode = %d nodes, %v; want an error with %q", got.Len(), err, row.want)
			}
		})
	}
}

func TestDecodeTakesTheHabitsOfTar(t *testing.T) {
	withType := file("./b", 5)
	withType.Mode = 0o100755
	in := stream(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "a commit"}},
		tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o700}, withType,
		tar.Header{Typeflag: tar.TypeLink, Name: "./c", Linkname: "./b"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "d/abs", Linkname: "/b", Mode: 0o777})
	limits := wide
	limits.AbsoluteLinks = true
	b := formattest.Blobs{}
	got, err := Decode(bytes.NewReader(append(in, make([]byte, 10240)...)), limits, b.Put)
	if err != nil {
		t.Fatal(err)
	}
	five := b.File("b", 0o755, "\x00\x00\x00\x00\x00")
	second := five
	second.Path = "c"
	want, err := tree.New(five, second, tree.Node{Path: "d/abs", Kind: tree.Symlink, Mode: 0o777, Target: "/b"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(got); diff != "" {
		t.Errorf("Decode differs: %s", diff)
	}
}

func TestDecodeKeepsToItsLimits(t *testing.T) {
	in := stream(t, file("a", 10), file("bc", 10), file("d", 10))
	for what, limits := range map[string]Limits{
		"":                 {Files: 3, Bytes: 30, Path: 2},
		"files":            {Files: 2, Bytes: 30, Path: 2},
		"bytes of content": {Files: 3, Bytes: 29, Path: 2},
		"bytes of path":    {Files: 3, Bytes: 30, Path: 1},
	} {
		_, err := Decode(bytes.NewReader(in), limits, formattest.Blobs{}.Put)
		var limit *LimitError
		if what == "" && err != nil {
			t.Errorf("Decode within the limits: %v", err)
		}
		if what != "" && (!errors.As(err, &limit) || limit.What != what || limit.Name == "") {
			t.Errorf("Decode = %v; want the limit on %s, with the entry", err, what)
		}
	}
}

func TestDecodeDoesNotReadAClaim(t *testing.T) {
	in := stream(t, file("a", 512))
	copy(in[124:136], "77777777777\x00") // 8 GiB
	sum := 8 * int(' ')
	for i, c := range in[:512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(in[148:156], fmt.Sprintf("%06o\x00 ", sum))
	var limit *LimitError
	_, err := Decode(bytes.NewReader(in), wide, formattest.Blobs{}.Put)
	if !errors.As(err, &limit) || limit.What != "bytes of content" {
		t.Errorf("Decode of a file that claims 8 GiB = %v; want the limit on content", err)
	}
	huge := wide
	huge.Bytes = 1 << 40
	if _, err := Decode(bytes.NewReader(in), huge, formattest.Blobs{}.Put); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Decode of a file that claims 8 GiB and has none = %v; want %v", err, io.ErrUnexpectedEOF)
	}
	short := func(r io.Reader) (digest.Digest, error) { return digest.Of([]byte("1")), nil }
	if _, err := Decode(bytes.NewReader(stream(t, file("a", 2))), wide, short); err == nil {
		t.Error("Decode believed a put that kept less than there was")
	}
}

func TestDecodeStopsAStreamOfHeaders(t *testing.T) {
	record := stream(t, tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("n", 300), Format: tar.FormatPAX})[:1024]
	endless := io.MultiReader(readers(record, 1000)...)
	limits := Limits{Files: 1, Bytes: 1, Path: 1000}
	_, err := Decode(endless, limits, formattest.Blobs{}.Put)
	if err == nil {
		t.Error("Decode of PAX headers without an entry succeeded")
	}
	var limit *LimitError
	if _, err := Decode(zeros{}, limits, formattest.Blobs{}.Put); !errors.As(err, &limit) || limit.What != "bytes of stream" {
		t.Errorf("Decode of endless zeros = %v; want the limit on the stream", err)
	}
}

// readers reads some bytes n times.
func readers(b []byte, n int) []io.Reader {
	all := make([]io.Reader, n)
	for i := range all {
		all[i] = bytes.NewReader(b)
	}
	return all
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDecodeRefusesATruncatedStream(t *testing.T) {
	in := stream(t, file("a", 600), file("z", 1536)) // z is zeros, as the end mark is
	for n := range len(in) {
		if got, err := Decode(bytes.NewReader(in[:n]), wide, formattest.Blobs{}.Put); err == nil || got.Len() != 0 {
			t.Fatalf("Decode of %d bytes of %d = %d nodes, %v; want an error", n, len(in), got.Len(), err)
		}
	}
	for _, more := range []string{"x", strings.Repeat("\x00", 5000) + "x"} {
		if _, err := Decode(strings.NewReader(string(in)+more), wide, formattest.Blobs{}.Put); err == nil {
			t.Errorf("Decode with %d bytes after the end, one of them not 0, succeeded", len(more))
		}
	}
}

func TestDecodePassesErrorsOn(t *testing.T) {
	broken := errors.New("the store broke")
	put := func(io.Reader) (digest.Digest, error) { return digest.Digest{}, broken }
	if _, err := Decode(bytes.NewReader(stream(t, file("a", 1))), wide, put); !errors.Is(err, broken) {
		t.Errorf("Decode = %v; want the error of put", err)
	}
}
