// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// moduleFile is an ELF file with a section .modinfo.
func moduleFile(info ...string) []byte {
	const header, entry = 64, 64
	text := strings.Join(info, "\x00") + "\x00"
	names := "\x00.modinfo\x00.shstrtab\x00"
	le := binary.LittleEndian
	out := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	out = le.AppendUint16(out, 1)
	out = le.AppendUint16(out, 62)
	out = le.AppendUint32(out, 1)
	out = le.AppendUint64(out, 0)
	out = le.AppendUint64(out, 0)
	out = le.AppendUint64(out, uint64(header+len(text)+len(names))) // where sections are listed
	out = le.AppendUint32(out, 0)
	for _, v := range []uint16{header, 0, 0, entry, 3, 2} {
		out = le.AppendUint16(out, v)
	}
	out = append(out, text+names...)
	out = append(out, make([]byte, entry)...)
	for _, s := range []struct{ name, kind, at, size int }{{1, 1, header, len(text)}, {10, 3, header + len(text), len(names)}} {
		out = le.AppendUint32(out, uint32(s.name))
		out = le.AppendUint32(out, uint32(s.kind))
		for _, v := range []int{0, 0, s.at, s.size} {
			out = le.AppendUint64(out, uint64(v))
		}
		out = append(out, make([]byte, 4+4)...)
		out = le.AppendUint64(out, 1)
		out = le.AppendUint64(out, 0)
	}
	return out
}

// needs is a module for kernel 6.1 that depends on others.
func needs(depends string) *fstest.MapFile {
	return &fstest.MapFile{Data: moduleFile("license=GPL", "depends="+depends, "vermagic=6.1 SMP mod_unload ")}
}

func packedModule(t *testing.T, f *fstest.MapFile) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(f.Data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestModulesOrder(t *testing.T) {
	all, err := openModules(fstest.MapFS{
		builtinList:                  {Data: []byte("kernel/drivers/built-in.ko\n")},
		"kernel/a/virtio.ko":         needs("virtio-ring"),
		"kernel/b/virtio_ring.ko.gz": packedModule(t, needs("")),
		"kernel/virtio-console.ko":   needs("virtio,built-in,virtio_ring"),
		"kernel/virtio_pci.ko":       needs("virtio_ring,virtio"),
		"modules.dep":                {Data: []byte("nobody reads this")},
	}, "6.1")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := all.order("virtio_pci", "virtio_console", "built_in", "virtio")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range loaded {
		names = append(names, m.name)
		if !bytes.HasPrefix(m.content, []byte("\x7fELF")) {
			t.Errorf("module %s is not unpacked", m.name)
		}
	}
	if diff := cmp.Diff([]string{"virtio_ring", "virtio", "virtio_pci", "virtio_console"}, names); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestModulesRefuse(t *testing.T) {
	large := moduleFile("depends=", "vermagic=6.1 ")
	tests := map[string]struct {
		file *fstest.MapFile
		name string
		want string
	}{
		"a cycle":            {needs("b"), "kernel/a.ko", "module a: depends on itself"},
		"one that is absent": {needs("c"), "kernel/a.ko", "module c: the kernel has none"},
		"another kernel":     {&fstest.MapFile{Data: moduleFile("vermagic=6.2 SMP")}, "kernel/a.ko", `it is for kernel "6.2", not "6.1"`},
		"zstd":               {needs(""), "kernel/a.ko.zst", "packed in a way that is not read here: .zst"},
		"no ELF file":        {&fstest.MapFile{Data: []byte("text")}, "kernel/a.ko", "module kernel/a.ko"},
		"no information":     {&fstest.MapFile{Data: bytes.Replace(large, []byte(".modinfo"), []byte(".modinfx"), 1)}, "kernel/a.ko", "no section .modinfo"},
		"a cut file":         {&fstest.MapFile{Data: large[:len(large)-70]}, "kernel/a.ko", "module kernel/a.ko"},
		"a large file":       {&fstest.MapFile{Data: make([]byte, maxModule+1)}, "kernel/a.ko", "more than 16777216 bytes"},
		"cut in gzip":        {&fstest.MapFile{Data: packedModule(t, needs("")).Data[:40]}, "kernel/a.ko.gz", "gzip"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			all, err := openModules(fstest.MapFS{builtinList: {}, tt.name: tt.file, "b.ko": needs("a")}, "6.1")
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := all.order("a")
			if err == nil || !strings.Contains(err.Error(), tt.want) || loaded != nil {
				t.Errorf("order = %d modules, %v; want an error with %q", len(loaded), err, tt.want)
			}
			var none *noModuleError
			if errors.As(err, &none) != (name == "one that is absent") {
				t.Errorf("order = %v: is it a *noModuleError?", err)
			}
		})
	}
	if _, err := openModules(fstest.MapFS{}, "6.1"); err == nil {
		t.Error("openModules(no list of modules) = nil; want an error")
	}
}
