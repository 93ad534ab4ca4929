// SPDX-License-Identifier: MIT

package qemu

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/need"
)

// bzImage is the head of a kernel for amd64, or, where it is not wide, for 386.
func bzImage(version string, wide bool) string {
	head := make([]byte, 0x1000)
	binary.LittleEndian.PutUint16(head[0x1fe:], 0xaa55)
	copy(head[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(head[0x206:], 0x20f)
	binary.LittleEndian.PutUint16(head[0x20e:], 0x400)
	if wide {
		head[0x236] = 1
	}
	copy(head[0x600:], version+" (somebody@somewhere) #1 SMP")
	return string(head)
}

// layOut writes files below a folder of its own.
func layOut(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestOpenKernelReadsTheHeader(t *testing.T) {
	root := layOut(t, map[string]string{
		"boot/vmlinuz-name": bzImage("6.1.0-56-cloud-amd64", true),
		"lib/modules/6.1.0-56-cloud-amd64/modules.builtin": "",
		"usr/lib/modules/6.9/vmlinuz":                      bzImage("6.9", true),
		"usr/lib/modules/6.9/modules.builtin":              "",
		"alone":                                            bzImage("6.2", true),
	})
	tests := []struct{ file, version, modules string }{
		{"boot/vmlinuz-name", "6.1.0-56-cloud-amd64", "lib/modules/6.1.0-56-cloud-amd64"},
		{"usr/lib/modules/6.9/vmlinuz", "6.9", "usr/lib/modules/6.9"},
		{"alone", "6.2", ""},
	}
	for _, tt := range tests {
		got, err := openKernel(filepath.Join(root, tt.file), "amd64")
		want := kernel{path: filepath.Join(root, tt.file), version: tt.version}
		if tt.modules != "" {
			want.modules = filepath.Join(root, tt.modules)
		}
		if err != nil || got != want {
			t.Errorf("openKernel(%s) = %+v, %v; want %+v", tt.file, got, err, want)
		}
	}
}

func TestOpenKernelRefuses(t *testing.T) {
	endless := []byte(bzImage("x", true))
	for i := 0x600; i < len(endless); i++ {
		endless[i] = 'x'
	}
	at := func(offset int, magic string) string {
		return strings.Repeat("\x00", offset) + magic + strings.Repeat("\x00", 99)
	}
	root := layOut(t, map[string]string{
		"386": bzImage("6.1", false), "arm64": at(56, "ARM\x64"), "riscv64": at(56, "RSC\x05"), "zboot": at(4, "zimg"),
		"gzip": "\x1f\x8b\x08", "elf": "\x7fELF", "text": "hello", "empty": "", "cut": bzImage("6.1", true)[:0x237],
		"endless": string(endless),
	})
	tests := []struct {
		file string
		kind fault.Kind
		want string
	}{
		{"386", fault.Unavailable, "it is for 386, not for amd64"},
		{"arm64", fault.Unavailable, "it is for arm64, not for amd64"},
		{"riscv64", fault.Unavailable, "it is for riscv64, not for amd64"},
		{"zboot", fault.Usage, "an EFI program with a packed kernel in it"},
		{"gzip", fault.Usage, "packed with gzip"},
		{"elf", fault.Usage, "an ELF file such as vmlinux"},
		{"text", fault.Usage, "not the image of a Linux kernel"},
		{"empty", fault.Usage, "not the image of a Linux kernel"},
		{"cut", fault.Usage, "not the image of a Linux kernel"},
		{"endless", fault.Usage, "its header says that a version stands at 0x600, and none ends after it"},
		{"absent", fault.NotFound, "no such file"},
	}
	for _, tt := range tests {
		got, err := openKernel(filepath.Join(root, tt.file), "amd64")
		if err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) || got != (kernel{}) {
			t.Errorf("openKernel(%s) = %+v, %v; want a fault of kind %v with %q", tt.file, got, err, tt.kind, tt.want)
		}
	}
}

func TestFindKernelTakesTheNewestOfTheFirstPlace(t *testing.T) {
	host := layOut(t, map[string]string{
		"boot/vmlinuz-6.9.0":          bzImage("6.9.0", true),
		"boot/vmlinuz-6.10.0":         bzImage("6.10.0", true),
		"boot/vmlinuz-6.11.0":         "not a kernel",
		"usr/lib/modules/7.0/vmlinuz": bzImage("7.0", true),
	})
	folder := layOut(t, map[string]string{"boot/vmlinuz-8.0": bzImage("8.0", true)})
	empty := t.TempDir()
	for _, tt := range []struct{ host, folder, want string }{
		{host, folder, "6.10.0"}, {empty, folder, "8.0"}, {empty, host, "6.10.0"},
	} {
		if got, err := findKernel(tt.host, tt.folder, "amd64"); err != nil || got.version != tt.want {
			t.Errorf("findKernel(%s, %s) = %+v, %v; want %s", tt.host, tt.folder, got, err, tt.want)
		}
	}
}

func TestFindKernelSaysWhatToDo(t *testing.T) {
	host := layOut(t, map[string]string{"boot/vmlinuz-1": "not a kernel"})
	_, err := findKernel(host, "/no/such/folder", "amd64")
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "boot/vmlinuz-1: not the image") {
		t.Errorf("findKernel = %v; want a fault of kind unavailable that names the file", err)
	}
	_, err = findKernel(t.TempDir(), "/no/such/folder", "amd64")
	if err == nil || !strings.Contains(fault.HintOf(err), "dpkg-deb -x linux-image-*.deb /no/such/folder") {
		t.Errorf("findKernel = %v, hint %q; want one that unpacks a package into the folder", err, fault.HintOf(err))
	}
}

func TestCompareVersions(t *testing.T) {
	sorted := []string{"", "5.10.0-9-amd64", "5.10.0-10-amd64", "6.1.0", "6.1.0-56-amd64", "6.1.0-56-cloud-amd64", "6.01.1", "6.10", "10"}
	shuffled := slices.Clone(sorted)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, compareVersions)
	if diff := cmp.Diff(sorted, shuffled); diff != "" {
		t.Errorf("sorted by compareVersions (-want +got):\n%s", diff)
	}
}

func TestRealKernel(t *testing.T) {
	need.Arch(t, "amd64")
	path := need.Kernel(t)
	k, err := openKernel(path, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimPrefix(filepath.Base(path), "vmlinuz-"); k.version != want || k.modules == "" {
		t.Errorf("openKernel(%s) = %+v; want version %s, and a folder of modules", path, k, want)
	}
	m, err := virtioOf(k)
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, loaded := range slices.Concat(m.modules, m.disk) {
		place[loaded.name] = i + 1
	}
	if place["virtio"] > 0 && (place["virtio"] < place["virtio_ring"] || place["virtio_pci"] < place["virtio"]) {
		t.Errorf("modules in the order %v; want virtio_ring, virtio, virtio_pci", place)
	}
}
