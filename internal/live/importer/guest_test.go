// SPDX-License-Identifier: MIT

package importer

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// initramfs collects the files of a guest.
type initramfs struct {
	nodes []tree.Node
	blobs map[digest.Digest][]byte
}

func (i *initramfs) add(path string, mode uint32, content []byte) {
	i.blobs[digest.Of(content)] = content
	i.nodes = append(i.nodes, tree.Node{Path: path, Kind: tree.File, Mode: mode, Content: digest.Of(content)})
}

// write packs it into a file.
func (i *initramfs) write(t *testing.T) string {
	t.Helper()
	tr, err := tree.New(i.nodes...)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	err = cpio.Encode(&w, tr, func(d digest.Digest) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(i.blobs[d])), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return device(t, w.Bytes())
}

// module is the content of a kernel's module; nil for one that is built in.
func module(t *testing.T, kernel, name string) []byte {
	t.Helper()
	version, _ := strings.CutPrefix(filepath.Base(kernel), "vmlinuz-")
	folder := os.DirFS(filepath.Join(filepath.Dir(kernel), "../lib/modules", version))
	builtin, err := fs.ReadFile(folder, "modules.builtin")
	if err != nil {
		need.Unmet(t, "the modules of the kernel %s: %v", kernel, err)
	}
	if strings.Contains(string(builtin), "/"+name+".ko\n") {
		return nil
	}
	var content []byte
	err = fs.WalkDir(folder, "kernel/drivers", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), name+".ko") {
			return err
		}
		packed, err := fs.ReadFile(folder, path)
		if err != nil {
			return err
		}
		r, _, err := compressed.NewReader(bytes.NewReader(packed), 16<<20)
		if err != nil {
			return err
		}
		content, err = io.ReadAll(r)
		return err
	})
	if err != nil || content == nil {
		t.Fatalf("module %s of %s: %v", name, kernel, err)
	}
	return content
}

// guest boots a kernel whose first program runs the importer, and gives what it printed.
func guest(t *testing.T, modules []string, proc bool, args ...string) string {
	t.Helper()
	kernel, qemu := need.Kernel(t), need.Tool(t, "qemu-system-x86_64")
	in := initramfs{blobs: map[digest.Digest][]byte{}}
	in.nodes = []tree.Node{{Path: "dev/console", Kind: tree.CharDevice, Mode: 0o600, Major: 5, Minor: 1}}
	if proc {
		in.nodes = append(in.nodes, tree.Node{Path: "proc", Kind: tree.Dir, Mode: 0o755})
	}
	for path, program := range map[string]string{
		"payload-import": compile(t, source(t), tcc(t)), "init": compile(t, "testdata/init.c", tcc(t)),
	} {
		content, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		in.add(path, 0o755, content)
	}
	loaded := 0
	for _, name := range modules {
		if content := module(t, kernel, name); content != nil {
			in.add(fmt.Sprintf("modules/%d", loaded), 0o644, content)
			loaded++
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, qemu, append([]string{"-M", "pc", "-accel", "tcg", "-m", "256", "-nodefaults",
		"-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", in.write(t),
		"-append", "console=ttyS0 panic=-1 loglevel=4"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("qemu: %v\n%s", err, out)
	}
	return string(out)
}

// TestGuestSeesEveryByte boots a kernel with a payload as its second disk, and compares sums over what the importer made
// of it. R6, R7, R12: the disk is found by itself, on both kinds of controller, with a list of disks from the kernel and
// without one, where there are no device nodes at first.
func TestGuestSeesEveryByte(t *testing.T) {
	files := sample()
	first := device(t, make([]byte, 1<<20))
	for _, test := range []struct {
		name    string
		version payload.Version
		proc    bool
		device  string // the kernel may number the disks of one ATA controller either way
		options string
		modules []string
	}{
		{"ATA without a list", payload.U32, false, "sd", "if=ide,index=%d,format=raw,file=%s",
			[]string{"scsi_common", "scsi_mod", "sd_mod", "libata", "ata_piix"}},
		{"virtio with a list", payload.U64, true, "vdb", "if=virtio,index=%d,format=raw,file=%s",
			[]string{"virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := device(t, encode(t, test.version, files))
			said := guest(t, test.modules, test.proc, "-drive", fmt.Sprintf(test.options, 0, first),
				"-drive", fmt.Sprintf(test.options, 1, disk))
			for _, want := range []string{"found on /dev/" + test.device, "payload-import ended with 0\r\n"} {
				if !strings.Contains(said, want) {
					t.Errorf("the guest does not say %q:\n%s", want, said)
				}
			}
			if n := strings.Count(said, "\nfile "); n != len(files) {
				t.Errorf("the guest has %d files; want %d:\n%s", n, len(files), said)
			}
			for name, content := range files {
				sum := fnv.New64a()
				_, _ = io.WriteString(sum, content)
				if want := fmt.Sprintf("file %d %016x %s\r\n", len(content), sum.Sum64(), name); !strings.Contains(said, want) {
					t.Errorf("the guest does not say %q:\n%s", want, said)
				}
			}
		})
	}
}
