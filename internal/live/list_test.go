// SPDX-License-Identifier: MIT

package live_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/format/ramdrive"
	"github.com/rung-build/rung/internal/live"
)

func list(t *testing.T, b []byte) (live.Listing, map[string]string, error) {
	t.Helper()
	c := formattest.Blobs{}
	l, err := live.List(bytes.NewReader(b), int64(len(b)), c.Put)
	return l, files(l.Tree, c), err
}

// TestListReadsWhatBuildWrote: R5, R43: an image and a payload, read back from their bytes.
func TestListReadsWhatBuildWrote(t *testing.T) {
	for fork, version := range map[string]payload.Version{"F1": payload.U32, "F2": payload.U64} {
		o := options(live.BareMetal, into(t, func(o *live.Options) { o.ExternalSources = true }))
		build(t, checkout(t, "testdata/forks/"+fork), o)
		image, err := os.ReadFile(filepath.Join(o.Target, "init.img"))
		if err != nil {
			t.Fatal(err)
		}
		l, got, err := list(t, image)
		if err != nil || l.Shape != live.Image || l.Start < 2 || len(l.Commands) == 0 {
			t.Errorf("%s: List(init.img) = %s, start %d, %q, %v; want an image", fork, l.Shape, l.Start, l.Commands, err)
		}
		if got["external/distfiles/cc-extra.tar"] != "distfile cc-extra.tar\n" {
			t.Errorf("%s: cc-extra.tar in init.img = %q", fork, got["external/distfiles/cc-extra.tar"])
		}
		second, err := os.ReadFile(filepath.Join(o.Target, "external.img"))
		if err != nil {
			t.Fatal(err)
		}
		l, got, err = list(t, second)
		if err != nil || l.Shape != live.Payload || l.Version != version || got["net-1.0.tar.gz"] != "distfile net-1.0.tar.gz\n" {
			t.Errorf("%s: List(external.img) = %s, %v, %q, %v; want a payload of version %v", fork, l.Shape, l.Version, got, err,
				version)
		}
		image[len(image)-1] = 1 // of the zeros that fill it up
		_, _, err = list(t, image)
		wantFault(t, "List of an image with something behind it", err, fault.Mismatch, "")
		_, err = live.List(io.MultiReader(bytes.NewReader(second[:300]), iotest.ErrReader(&fs.PathError{Op: "read", Path: "x",
			Err: syscall.EIO})), int64(len(second)), formattest.Blobs{}.Put)
		wantFault(t, "List of a payload on a bad disk", err, fault.Unavailable, "input/output error")
		_, _, err = list(t, slices.Concat([]byte("LBPAYLD1"), []byte{0xff, 0xff, 0xff, 0x7f}, second[12:]))
		wantFault(t, "List of a payload of too many files", err, fault.Limit, "files")
		_, _, err = list(t, second[:300])
		wantFault(t, "List of half a payload", err, fault.Mismatch, "")
	}
}

func TestListReadsRAMDrives(t *testing.T) {
	kernel, initramfs := []byte("a kernel"), []byte("an initramfs")
	var b bytes.Buffer
	err := ramdrive.Encode(&b, digest.Of(kernel), digest.Of(initramfs), func(d digest.Digest) (io.ReadCloser, error) {
		content := kernel
		if d == digest.Of(initramfs) {
			content = initramfs
		}
		return io.NopCloser(bytes.NewReader(content)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"kernel": string(kernel), "initramfs": string(initramfs)}
	for name, whole := range map[string][]byte{
		"to its end": b.Bytes(), "a drive": slices.Concat(b.Bytes(), make([]byte, 4096)),
	} {
		if l, got, err := list(t, whole); err != nil || l.Shape != live.RAMDrive || !cmp.Equal(want, got) {
			t.Errorf("%s: List = %s, %q, %v; want %q", name, l.Shape, got, err, want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	l, err := disk.New(64<<20, disk.Head)
	if err != nil {
		t.Fatal(err)
	}
	label := l.Label(1)
	for name, b := range map[string][]byte{
		"nothing":                    nil,
		"a text":                     []byte(strings.Repeat("a line of text\n", 99)),
		"zeros":                      make([]byte, 4096),
		"a disk with a partition":    slices.Concat(label[:], make([]byte, l.Size-int64(len(label)))),
		"less than a RAM drive says": {1, 0, 0, 0, 2, 0, 0, 0, 'k', 'i'},
	} {
		_, _, err := list(t, b)
		wantFault(t, "List of "+name, err, fault.Usage, "")
	}
	boot := slices.Concat(make([]byte, 510), []byte{0x55, 0xaa}, []byte("no hex0"))
	_, _, err = list(t, boot)
	wantFault(t, "List of a boot sector with something behind it", err, fault.Mismatch, "")
}
