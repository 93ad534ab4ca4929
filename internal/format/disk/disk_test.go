// SPDX-License-Identifier: MIT

package disk

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/need"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		size, head int64
		want       string
	}{
		{Head + minimum + 1, Head, "whole sectors"},
		{Head + minimum - Sector, Head, "behind a head"},
		{Head, BootHead, "leave 0 behind"},
		{1 << 30, Head + Sector, "cannot start"},
		{1 << 30, 0, "cannot start"},
		{2<<40 + 1<<30, Head, "can count"},
	}
	for _, tt := range tests {
		if l, err := New(tt.size, tt.head); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%d, %d) = %+v, %v; want an error with %q", tt.size, tt.head, l, err, tt.want)
		}
	}
}

// TestLabel: R39, R36. The figures of the entry are those of a disk of 1100 MiB with the head of a boot disk.
func TestLabel(t *testing.T) {
	l, err := New(1100<<20, BootHead)
	if err != nil {
		t.Fatal(err)
	}
	label := l.Label(0x01020304)
	list, err := Partitions(label[:], l.Size)
	if err != nil {
		t.Fatal(err)
	}
	want := []Partition{{Number: 1, Type: 0x83, Start: 0x200000 * Sector, Size: 0x26000 * Sector}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("Partitions (-want +got):\n%s", diff)
	}
	if l.Blocks() != 19456 {
		t.Errorf("Blocks = %d; want 19456", l.Blocks())
	}
}

// TestLabelIsWhatSfdiskReads has a second way to what a label says.
func TestLabelIsWhatSfdiskReads(t *testing.T) {
	sfdisk := need.Tool(t, "sfdisk")
	l, err := New(64<<20, Head)
	if err != nil {
		t.Fatal(err)
	}
	image := newImage(t, l)
	said, err := exec.Command(sfdisk, "--dump", image).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"label: dos", "label-id: 0x72756e67", "start=        2048, size=      129024, type=83"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("sfdisk says %q; want %q in it", said, want)
		}
	}
}

// newImage is a sparse file with a label.
func newImage(t *testing.T, l Layout) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "disk.img")
	label := l.Label(0x72756e67)
	if err := os.WriteFile(image, label[:], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, l.Size); err != nil {
		t.Fatal(err)
	}
	return image
}

func TestPartitionsRefuses(t *testing.T) {
	l, err := New(64<<20, Head)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func([]byte)) []byte {
		label := l.Label(1)
		f(label[:])
		return label[:]
	}
	second := func(b []byte) { copy(b[entryAt+entrySize:], b[entryAt:entryAt+entrySize]) }
	for name, sector := range map[string][]byte{
		"short":      change(func([]byte) {})[:500],
		"no mark":    change(func(b []byte) { b[endAt] = 0 }),
		"overlap":    change(second),
		"at 0":       change(func(b []byte) { clear(b[entryAt+8 : entryAt+12]) }),
		"beyond end": change(func(b []byte) { b[entryAt+15] = 1 }),
	} {
		if list, err := Partitions(sector, l.Size); err == nil {
			t.Errorf("%s: Partitions = %+v; want an error", name, list)
		}
	}
}

// TestExt3 makes a file system of a folder twice: the same bytes, which e2fsck and debugfs find in order.
func TestExt3(t *testing.T) {
	need.Tool(t, "mke2fs")
	e2fsck, debugfs := need.Tool(t, "e2fsck"), need.Tool(t, "debugfs")
	l, err := New(64<<20, Head)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string]string{"a": "content of a", "sub/b": strings.Repeat("b", 1<<20)} {
		at := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// An access that lies in the future is not written anew by the first run, and nothing changes in between.
	for _, name := range []string{"a", "sub/b", "sub", "."} {
		if err := os.Chtimes(filepath.Join(folder, name), time.Unix(1<<32, 0), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	var made [2][]byte
	for i := range made {
		image := newImage(t, l)
		run(t, l.Ext3(image, folder, "72756e67-0000-4000-8000-000000000001"))
		if made[i], err = os.ReadFile(image); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("a second run made other bytes")
	}
	partition := filepath.Join(t.TempDir(), "partition")
	if err := os.WriteFile(partition, made[0][l.Start:], 0o644); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(e2fsck, "-f", "-n", partition).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v: %s", err, said)
	}
	for name, want := range map[string]int{"/a": 12, "/sub/b": 1 << 20} {
		said, err := exec.Command(debugfs, "-R", "cat "+name, partition).Output()
		if err != nil || len(said) != want {
			t.Errorf("debugfs cat %s = %d bytes, %v; want %d", name, len(said), err, want)
		}
	}
}

func run(t *testing.T, c Command) {
	t.Helper()
	cmd := exec.Command(need.Tool(t, c.Argv[0]), c.Argv[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", c.Argv, err, said)
	}
}

func FuzzPartitions(f *testing.F) {
	l, err := New(64<<20, Head)
	if err != nil {
		f.Fatal(err)
	}
	label := l.Label(1)
	f.Add(label[:], l.Size)
	f.Fuzz(func(t *testing.T, sector []byte, size int64) {
		list, err := Partitions(sector, size)
		if err != nil {
			return
		}
		for _, p := range list {
			if p.Start < Sector || p.Size < Sector || size >= 0 && p.Start+p.Size > size {
				t.Errorf("Partitions gives %+v on a disk of %d", p, size)
			}
		}
	})
}
