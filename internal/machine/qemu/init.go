// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"encoding/binary"
)

// initProgram is process 1 of a guest: it starts the agent as process 1 of a pid namespace, in which the kernel's own
// threads are not to be seen by steps, waits for its end, and turns the machine off. It is a few instructions since the
// start of a Go program takes an emulated processor as long as some of the kernel's.
//
// It is an ELF file with one segment. Sources: the ELF-64 Object File Format; the numbers of system calls in
// arch/x86/entry/syscalls/syscall_64.tbl of Linux; clone(2), execve(2), wait4(2), reboot(2).
func initProgram() []byte {
	const (
		base   = 0x400000
		header = 64 + 56
		code   = 108 // bytes of it
		path   = base + header + code
		word   = path + uint64(len("/"+guestProgram)) + 1
		argv   = word + uint64(len(guestWord)) + 1
		env    = argv + 2*8 // it ends at once, where argv does
		size   = env + 8 - base
	)
	out := initHeader(base, header, size)
	out = initStart(out, path, argv, env)
	return append(initWait(out), initData(path, word)...)
}

// initHeader is what stands before the code: the ELF header and one program header.
func initHeader(base, header, size uint64) []byte {
	b := binary.LittleEndian
	var out []byte
	out = append(out, "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	out = b.AppendUint16(out, 2)  // an executable
	out = b.AppendUint16(out, 62) // for amd64
	out = b.AppendUint32(out, 1)
	out = b.AppendUint64(out, base+header) // where it starts
	out = b.AppendUint64(out, 64)          // program headers
	out = append(out, make([]byte, 8+4)...)
	for _, v := range []uint16{64, 56, 1, 0, 0, 0} {
		out = b.AppendUint16(out, v)
	}
	out = b.AppendUint32(out, 1) // to be loaded
	out = b.AppendUint32(out, 5) // to be read and run
	for _, v := range []uint64{0, base, base, size, size, 0x1000} {
		out = b.AppendUint64(out, v)
	}
	return out
}

// initStart appends the start of the agent: clone, and execve in the child.
func initStart(out []byte, path, argv, env uint64) []byte {
	out = append(out,
		0x31, 0xf6, // xor esi, esi
		0x31, 0xd2, // xor edx, edx
		0x45, 0x31, 0xd2, // xor r10d, r10d
		0x45, 0x31, 0xc0, // xor r8d, r8d
		0xbf, 0x11, 0x00, 0x02, 0x20, // mov edi, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD
		0xb8, 56, 0, 0, 0, // mov eax, 56 (clone)
		0x0f, 0x05, // syscall
		0x85, 0xc0, // test eax, eax
		0x75, 34, // jnz parent
	)
	out = appendLoad(out, 0xbf, path) // mov edi, path
	out = appendLoad(out, 0xbe, argv) // mov esi, argv
	out = appendLoad(out, 0xba, env)  // mov edx, env
	return append(out,
		0xb8, 59, 0, 0, 0, // mov eax, 59 (execve)
		0x0f, 0x05, // syscall
		0xbf, 1, 0, 0, 0, // mov edi, 1
		0xb8, 60, 0, 0, 0, // mov eax, 60 (exit)
		0x0f, 0x05, // syscall
	)
}

// initWait appends what the parent does: it waits, and turns the machine off.
func initWait(out []byte) []byte {
	return append(out,
		0x83, 0xcf, 0xff, // parent: or edi, -1
		0x31, 0xf6, // xor esi, esi
		0x31, 0xd2, // xor edx, edx
		0x45, 0x31, 0xd2, // xor r10d, r10d
		0xb8, 61, 0, 0, 0, // mov eax, 61 (wait4)
		0x0f, 0x05, // syscall
		0xbf, 0xad, 0xde, 0xe1, 0xfe, // mov edi, LINUX_REBOOT_MAGIC1
		0xbe, 0x69, 0x19, 0x12, 0x28, // mov esi, LINUX_REBOOT_MAGIC2
		0xba, 0xdc, 0xfe, 0x21, 0x43, // mov edx, LINUX_REBOOT_CMD_POWER_OFF
		0xb8, 169, 0, 0, 0, // mov eax, 169 (reboot)
		0x0f, 0x05, // syscall
		0xb8, 34, 0, 0, 0, // stop: mov eax, 34 (pause)
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp stop
	)
}

// appendLoad appends the instruction that loads an address into a register.
func appendLoad(code []byte, opcode byte, address uint64) []byte {
	return binary.LittleEndian.AppendUint32(append(code, opcode), uint32(address))
}

// initData is what stands behind the code: the arguments and where they are.
func initData(path, word uint64) []byte {
	var data bytes.Buffer
	data.WriteString("/" + guestProgram + "\x00" + guestWord + "\x00")
	var pointers []byte
	for _, at := range []uint64{path, word, 0} {
		pointers = binary.LittleEndian.AppendUint64(pointers, at)
	}
	data.Write(pointers)
	return data.Bytes()
}
