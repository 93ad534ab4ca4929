// SPDX-License-Identifier: MIT

package qemu

import (
	"fmt"
	"strconv"
	"strings"
)

// processor is the model of the guest's processor, the same with KVM and TCG and on every host: the first generation of
// amd64 (x86-64-v1) and nothing newer, so that a program that asks the processor what it can do gets the same answer
// everywhere, and what the chain makes is shown to run on any amd64. "max" and "host" would differ by version and host. It
// has an instruction for random numbers beside, without which a guest that nothing happens in waits for them for minutes.
const processor = "qemu64,+rdrand"

// machineType is the machine that QEMU plays: a PC with PCI, for which every kernel of a distribution has drivers. Its
// parts that no job needs are left out, since a kernel takes its time to find them. Measured under TCG: q35 is no faster,
// microvm by a tenth, but that wants drivers that kernels have as modules only.
const machineType = "pc,hpet=off,usb=off,vmport=off,smm=off"

// portName is the name of the virtio-serial port that reports go over.
const portName = "org.rung.reports"

// hardware is what a command line of QEMU is made from.
type hardware struct {
	accel   string
	memory  int64 // MiB
	cpus    int
	kernel  string // file names, as QEMU sees them
	initrd  string
	disk    string // with the order on it; "" where that is in initrd
	virtio  bool   // reports go over a virtio-serial port, not over the second UART
	monitor int    // numbers of connections in QEMU
	console int
	reports int
	display bool // a window, and a machine that goes on after a panic
}

// args are the arguments of QEMU. The machine is stopped until the monitor says otherwise.
func (h hardware) args() []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-S",
		"-machine", machineType + ",memory-backend=ram",
		"-object", fmt.Sprintf("memory-backend-ram,id=ram,size=%dM,reserve=off", h.memory),
		"-m", strconv.FormatInt(h.memory, 10) + "M",
		"-cpu", processor, "-smp", strconv.Itoa(h.cpus),
		"-accel", h.accelerator(),
		"-chardev", connection("monitor", h.monitor), "-mon", "chardev=monitor,mode=control",
		"-chardev", h.consoleLine(), "-serial", "chardev:console",
		"-chardev", connection("reports", h.reports),
	}
	if h.virtio {
		args = append(args, "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=reports,name="+portName)
	} else {
		args = append(args, "-serial", "chardev:reports")
	}
	if h.disk != "" {
		args = append(args, "-blockdev", "driver=file,node-name=disk,read-only=on,filename="+h.disk,
			"-device", "virtio-blk-pci,drive=disk")
	}
	if h.display {
		args = append(args, "-vga", "std")
	} else {
		args = append(args, "-display", "none", "-no-reboot")
	}
	return append(args, "-kernel", h.kernel, "-initrd", h.initrd, "-append", h.commandLine())
}

func connection(id string, number int) string { return fmt.Sprintf("socket,id=%s,fd=%d", id, number) }

// consoleLine is a pipe, unless a person may type into it.
func (h hardware) consoleLine() string {
	if h.virtio {
		return "file,id=console,path=" + inherited(h.console)
	}
	return connection("console", h.console)
}

// accelerator lets TCG use as many threads as the guest has processors.
func (h hardware) accelerator() string {
	if h.accel == accelTCG {
		return "tcg,thread=multi"
	}
	return h.accel
}

// commandLine is the kernel's. Source: Documentation/admin-guide/kernel-parameters.txt of Linux. Measured under TCG, to
// a shell: 1.8 s of processor time with the first two, 1.4 s with all.
func (h hardware) commandLine() string {
	words := []string{
		"console=ttyS0",
		"panic=-1",            // at once a reboot, which ends QEMU
		"rootfstype=ramfs",    // a tmpfs would hold half of the memory at most
		"nokaslr",             // addresses in a trace are the same each time
		"tsc=reliable",        // nothing to compare it with takes the time
		"cryptomgr.notests",   // ciphers that no job uses
		"lsm=",                // policies that nobody loads
		"mitigations=off",     // a guest runs one job, and keeps nothing from it
		"random.trust_cpu=on", // random numbers from the start
	}
	if h.accel == accelTCG {
		words = append(words, "lpj=4000000", "noreplace-smp") // no loops are timed, no code is patched, which TCG is slow at
	}
	if h.display {
		words[0], words[1] = "console=ttyS0 console=tty0", "panic=0"
	}
	return strings.Join(append(words, "rdinit=/"+initFile), " ")
}
