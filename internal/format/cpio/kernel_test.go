// SPDX-License-Identifier: MIT

package cpio_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// showMarks is a program for amd64 Linux: it prints the files /0, /1 and so on up to a number, and powers off.
func showMarks(files byte) []byte {
	code := []byte{
		0xb8, 2, 0, 0, 0, // mov $2, %eax: open
		0x48, 0x8d, 0x3d, 99, 0, 0, 0, // lea path(%rip), %rdi
		0x31, 0xf6, // xor %esi, %esi
		0x0f, 0x05, // syscall
		0x89, 0xc7, // mov %eax, %edi
		0x31, 0xc0, // xor %eax, %eax: read
		0x48, 0x89, 0xe6, // mov %rsp, %rsi
		0xba, 64, 0, 0, 0, // mov $64, %edx
		0x0f, 0x05, // syscall
		0x89, 0xc2, // mov %eax, %edx
		0xbf, 1, 0, 0, 0, // mov $1, %edi
		0xb8, 1, 0, 0, 0, // mov $1, %eax: write
		0x0f, 0x05, // syscall
		0xfe, 0x05, 99, 0, 0, 0, // incb path+1(%rip)
		0x80, 0x3d, 99, 0, 0, 0, '0' + files, // cmpb $..., path+1(%rip)
		0x75, 0xc5, // jne to the beginning
		0xb8, 16, 0, 0, 0, // mov $16, %eax: ioctl, of
		0xbe, 0x09, 0x54, 0, 0, // mov $TCSBRK, %esi; with
		0xba, 1, 0, 0, 0, // mov $1, %edx: wait until all is sent
		0x0f, 0x05, // syscall
		0xb8, 169, 0, 0, 0, // mov $169, %eax: reboot
		0xbf, 0xad, 0xde, 0xe1, 0xfe, // mov $LINUX_REBOOT_MAGIC1, %edi
		0xbe, 0x69, 0x19, 0x12, 0x28, // mov $LINUX_REBOOT_MAGIC2, %esi
		0xba, 0xdc, 0xfe, 0x21, 0x43, // mov $LINUX_REBOOT_CMD_POWER_OFF, %edx
		0x0f, 0x05, // syscall
	}
	for at, data := range map[int]int{8: 0, 46: 1, 52: 1} { // where path or path+1 is named; the instruction ends behind
		end := at + 4
		if at == 52 {
			end++ // behind the byte that it compares with
		}
		binary.LittleEndian.PutUint32(code[at:], uint32(len(code)+data-end))
	}
	return elf(append(code, "/0\x00"...))
}

// elf is an executable of one segment that can be written, which begins with its code.
func elf(code []byte) []byte {
	const at, headers = 0x400000, 64 + 56
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	for _, v := range []any{
		uint16(2), uint16(62), uint32(1), uint64(at + headers), uint64(64), uint64(0), uint32(0), // type, machine, ..., flags
		uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0), // sizes and counts of headers
		uint32(1), uint32(7), uint64(0), uint64(at), uint64(at), // the segment: load, rwx
		uint64(headers + len(code)), uint64(headers + len(code)), uint64(4096),
	} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
	}
	return append(b.Bytes(), code...)
}

// boot runs a kernel with an initramfs and gives what it printed.
func boot(t *testing.T, initramfs []byte) string {
	t.Helper()
	kernel, qemu := need.Kernel(t), need.Tool(t, "qemu-system-x86_64")
	file := filepath.Join(t.TempDir(), "initramfs")
	if err := os.WriteFile(file, initramfs, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-M", "pc", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", file,
		"-append", "console=ttyS0 panic=-1 loglevel=4")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("qemu: %v\n%s", err, out)
	}
	return string(out)
}

// TestKernelUnpacksEverySegment boots an initramfs in which each way to pack stands before and behind others, and
// whose last segment replaces a file of the first.
func TestKernelUnpacksEverySegment(t *testing.T) {
	need.Arch(t, "amd64")
	b := formattest.Blobs{}
	console := tree.Node{Path: "dev/console", Kind: tree.CharDevice, Mode: 0o600, Major: 5, Minor: 1}
	_, first := archive(t, b, b.File("init", 0o755, string(showMarks(byte(len(row))))), console,
		b.File("0", 0o644, "never shown\n"))
	parts := [][]byte{first}
	for i, kind := range row {
		size := 0
		if i == 4 { // more than a block of lz4
			size = 9_000_000
		}
		filler := b.File(fmt.Sprintf("filler%d", i), 0o644, strings.Repeat(fmt.Sprint(i), size))
		_, plain := archive(t, b, b.File(fmt.Sprint(i), 0o644, fmt.Sprintf("mark %d, %v\n", i, kind)), filler)
		parts = append(parts, pack(t, kind, plain))
	}
	in := join(t, parts...)
	said := boot(t, in)
	for i, kind := range row {
		if want := fmt.Sprintf("mark %d, %v\r\n", i, kind); !strings.Contains(said, want) {
			t.Errorf("the kernel does not say %q: segment %d of %v is not unpacked", want, i+1, kind)
		}
	}
	if strings.Contains(said, "never shown") || strings.Contains(said, "Initramfs unpacking failed") {
		t.Errorf("the kernel says:\n%s", said)
	}
	segments, err := decode(in, formattest.Blobs{})
	if err != nil || len(segments) != len(row)+1 {
		t.Errorf("Decode of what the kernel unpacked = %d segments, %v; want %d", len(segments), err, len(row)+1)
	}
}
