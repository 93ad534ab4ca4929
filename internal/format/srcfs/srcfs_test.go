// SPDX-License-Identifier: MIT

package srcfs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

// stage1Text is hex0 text of a boot sector.
func stage1Text() string {
	return "# a boot sector\n" + strings.Repeat("90 9090 90 ; four bytes # twice\n", 127) + "\n\t90 90\r\n55 AA # the mark"
}

// stage2Text is hex0 text of a kernel that looks for its input at a sector.
func stage2Text(sector byte) string {
	return "#:start\n" + strings.Repeat("# filler; C7 05 00 00 00 01\n", 20) +
		"C7 05 00 00 00 01 08 00 00 00 # one\n" + fmt.Sprintf("c7 05 00 00 00 01 %02x 00 00 00 # other\n", sector)
}

func mustBoot(t testing.TB) Boot {
	t.Helper()
	b, err := NewBoot([]byte(stage1Text()), []byte(stage2Text(3)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample is a tree with all that an image needs.
func sample(t testing.TB) (tree.Tree, formattest.Blobs) {
	b := formattest.Blobs{}
	return formattest.Tree(t, b.Plain("x86/hex0_x86.hex0", "7f"), b.Plain("x86/kaem-minimal.hex0", "45"),
		b.Plain("kaem.x86", "exec\n"), b.Plain("High Level Prototypes/a", "\x00src 0 ./no\n"), b.Plain("a-b", "dash"),
		b.Plain("a/b/c", ""), b.Plain("a/b/d", "1234567890")), b
}

func mustEncode(t testing.TB, boot Boot, tr tree.Tree, b formattest.Blobs) []byte {
	t.Helper()
	var w bytes.Buffer
	if err := Encode(&w, boot, tr, b.OpenNode); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return w.Bytes()
}

// sampleStream is the stream of the sample, written by hand.
const sampleStream = "src 0 .\n" +
	"src 0 ./High Level Prototypes\n" +
	"src 12 ./High Level Prototypes/a\n\x00src 0 ./no\n" +
	"src 0 ./a\n" +
	"src 4 ./a-b\ndash" +
	"src 0 ./a/b\n" +
	"src 0 ./a/b/c\n" +
	"src 10 ./a/b/d\n1234567890" +
	"src 5 ./kaem.x86\nexec\n" +
	"src 0 ./x86\n" +
	"src 2 ./x86/hex0_x86.hex0\n7f" +
	"src 2 ./x86/kaem-minimal.hex0\n45" +
	"src 0 /bootstrap-seeds\n" +
	"src 0 /bootstrap-seeds/POSIX\n" +
	"src 0 /bootstrap-seeds/POSIX/x86\n" +
	"hex0 /x86/hex0_x86.hex0 /bootstrap-seeds/POSIX/x86/hex0-seed\n" +
	"hex0 /x86/kaem-minimal.hex0 /bootstrap-seeds/POSIX/x86/kaem-optional-seed\n" +
	"hex0 /x86/kaem-minimal.hex0 /init\n" +
	"/bootstrap-seeds/POSIX/x86/kaem-optional-seed /kaem.x86\n"

// TestEncodeIsCanonical compares with an image written by hand. R43, R44: the boot sector compiled, the kernel as
// source. R36: whole MiB, by padding.
func TestEncodeIsCanonical(t *testing.T) {
	tr, b := sample(t)
	boot := mustBoot(t)
	got := mustEncode(t, boot, tr, b)
	want := strings.Repeat("\x90", 510) + "\x55\xaa" + stage2Text(3)
	want += strings.Repeat("\x00", 3*512-len(want)) + sampleStream
	want += strings.Repeat("\x00", 1<<20-len(want))
	if string(got) != want {
		t.Errorf("Encode =\n%q; want\n%q", bytes.TrimRight(got[Sector:], "\x00"), strings.TrimRight(want[Sector:], "\x00"))
	}
	if boot.Start() != 3 || Size(boot, tr) != 1<<20 {
		t.Errorf("Start, Size = %d, %d; want 3, 1 MiB", boot.Start(), Size(boot, tr))
	}
}

// TestPaddingIsNeverNothing: R36: an image that ends on a MiB grows by a whole one, since the shell ends at a zero.
func TestPaddingIsNeverNothing(t *testing.T) {
	tr, b := sample(t)
	boot := mustBoot(t)
	nodes := slices.Collect(tr.Nodes())
	const entry = len("src 1000000 ./zz\n")
	used := 3*512 + len(sampleStream) + entry
	for size, mib := range map[int]int64{1<<20 - used - 1: 1, 1<<20 - used: 2, 1<<20 - used + 1: 2} {
		tr := formattest.Tree(t, append(nodes, b.Plain("zz", strings.Repeat("z", size)))...)
		if size < 1_000_000 { // as many digits as entry has
			t.Fatalf("the sample grew: %d", size)
		}
		if got := int64(len(mustEncode(t, boot, tr, b))); got != mib<<20 || Size(boot, tr) != got {
			t.Errorf("an image of %d bytes and padding: %d bytes, Size %d; want %d MiB", used+size, got, Size(boot, tr), mib)
		}
	}
}

// TestDiskSizeExtendsOnly: R35, R37: the file grows to the size that was asked for by truncation, and never shrinks.
func TestDiskSizeExtendsOnly(t *testing.T) {
	tr, _ := sample(t)
	boot := mustBoot(t)
	for minimum, want := range map[int64]int64{0: 1 << 20, 1: 1 << 20, 16 << 10: 16 << 30} {
		if got := DiskSize(boot, tr, minimum); got != want {
			t.Errorf("DiskSize(%d MiB) = %d; want %d", minimum, got, want)
		}
	}
}

func TestCheckRefusesWhatTheStreamCannotHold(t *testing.T) {
	tr, b := sample(t)
	nodes := slices.Collect(tr.Nodes())
	large, err := digest.FromHex(digest.Of(nil).Hex(), MaxBytes+1)
	if err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]tree.Node{
		"a symlink;":           {Path: "l", Kind: tree.Symlink, Target: "a-b"},
		"a fifo;":              {Path: "p", Kind: tree.Fifo},
		"name of 1022 bytes":   {Path: strings.Repeat("n", 1022), Kind: tree.Dir},
		"a line end":           {Path: "two\nlines", Kind: tree.Dir},
		"330301441 bytes; the": {Path: "large", Kind: tree.File, Content: large},
	} {
		err := Encode(io.Discard, mustBoot(t), formattest.Tree(t, append(nodes, n)...), b.OpenNode)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", n.Path)) {
			t.Errorf("Encode with %.20q = %v; want an error with %q and the name", n.Path, err, want)
		}
	}
	if err := Check(formattest.Tree(t, append(nodes, b.Plain(strings.Repeat("n", 1021), ""))...)); err != nil {
		t.Errorf("Check of a name of 1021 bytes = %v; want none", err)
	}
	for _, name := range []string{"x86/hex0_x86.hex0", "x86/kaem-minimal.hex0", "kaem.x86"} {
		less := formattest.Tree(t, slices.DeleteFunc(slices.Clone(nodes), func(n tree.Node) bool { return n.Path == name })...)
		if err := Check(less); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q: the tree has no", name)) {
			t.Errorf("Check without %q = %v; want an error that names it", name, err)
		}
	}
}

func TestEncodeRefusesOtherContent(t *testing.T) {
	tr, b := sample(t)
	n, _ := tr.Lookup("a-b")
	for name, content := range map[string]string{"shorter": "x", "longer": "content and more"} {
		b[n.Content] = []byte(content)
		if err := Encode(io.Discard, mustBoot(t), tr, b.OpenNode); err == nil || !strings.Contains(err.Error(), `"a-b"`) {
			t.Errorf("Encode of %s content than the tree says: %v; want an error that names the file", name, err)
		}
	}
	delete(b, n.Content)
	if err := Encode(io.Discard, mustBoot(t), tr, b.OpenNode); err == nil || !strings.Contains(err.Error(), "no blob") {
		t.Errorf("Encode without the content: %v; want the error of open", err)
	}
}

// full takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestEncodePassesErrorsOn(t *testing.T) {
	tr, b := sample(t)
	big := formattest.Tree(t, append(slices.Collect(tr.Nodes()), b.Plain("z", strings.Repeat("x", 2*bufferSize)))...)
	for _, tr := range []tree.Tree{tr, big} {
		if err := Encode(full{}, mustBoot(t), tr, b.OpenNode); !errors.Is(err, errFull) {
			t.Errorf("Encode of %d nodes to a writer that fails = %v; want %v", tr.Len(), err, errFull)
		}
	}
}

// TestNewBootRefuses: R45: the boot sector is converted here, and checked.
func TestNewBootRefuses(t *testing.T) {
	one, two := stage1Text(), stage2Text(3)
	mark := strings.Index(one, "55 AA")
	for name, test := range map[string]struct{ stage1, stage2, want string }{
		"a short boot sector": {one[:mark], two, "stage1: 510 bytes; a boot sector has 512"},
		"a long boot sector":  {one + "\n90", two, "stage1: 513 bytes"},
		"no mark":             {one[:mark] + "55 AB", two, "stage1: ends in 55ab"},
		"no digits":           {"# one\n90 9x", two, "stage1: line 2: "},
		"half a byte":         {"909", two, "stage1: line 1: "},
		"no kernel":           {one, "", "stage2: a source of 0 bytes"},
		"a long kernel":       {one, strings.Repeat("\n", maxStage2+1), "stage2: a source of 1048577 bytes"},
		"a zero in a kernel":  {one, two + "\x00", "stage2: a zero at byte"},
		"whole sectors":       {one, two + strings.Repeat("\n", 1024-len(two)), "whole sectors"},
		"another sector":      {one, stage2Text(4), "it reads its input from sector 4; with a source of"},
		"a grown kernel":      {one, two + strings.Repeat("\n", 1025-len(two)), "from sector 3; with a source of 1025 bytes that is sector 4"},
		"no sector":           {one, "90\n", "sets the sector of its input to []"},
		"three sectors":       {one, two + "C7 05 00 00 00 01 01 00 00 00", "to [8 3 1]"},
		"no own sector":       {one, "C7 05 00 00 00 01 02 00 00 00\nC7 05 00 00 00 01 02 00 00 00\n", "to [2 2]"},
		"no hex in a kernel":  {one, two + "xy", "stage2: line 24: "},
	} {
		_, err := NewBoot([]byte(test.stage1), []byte(test.stage2))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: NewBoot = %v; want an error with %q", name, err, test.want)
		}
	}
}

func TestCompileReadsHex0(t *testing.T) {
	got, err := Compile([]byte("# 11\n22;33\n 4a 4B5c\t# 66 ; 77\n\n88 "))
	if want := "224a4b5c88"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("Compile = %x, %v; want %s", got, err, want)
	}
}
