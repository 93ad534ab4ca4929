// SPDX-License-Identifier: MIT

package live

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// VM is a QEMU guest; Args is a pure function of it.
type VM struct {
	Program     string
	Software    bool  // without KVM
	RAM         int64 // MiB
	Cores       int
	Drives      []string // images, as they are
	Format      string   // of the images; "" for raw
	Kernel      string   // a kernel to start; "" for the first drive's boot sector
	Interactive bool
}

// Args are the arguments that QEMU is started with, the program first. Only drives that are named are there (R40);
// without interaction the console is serial and a reboot ends the guest, with it there is a graphical console and
// reboots are what they are (R26 to R28).
func (v VM) Args() []string {
	args := []string{v.Program}
	if !v.Software {
		args = append(args, "-enable-kvm")
	}
	args = append(args, "-m", strconv.FormatInt(v.RAM, 10)+"M", "-smp", strconv.Itoa(v.Cores))
	for _, d := range v.Drives {
		args = append(args, "-drive", "file="+strings.ReplaceAll(d, ",", ",,")+",format="+cmp.Or(v.Format, "raw"))
	}
	if v.Kernel == "" && !v.Software {
		args = append(args, "-machine", "kernel-irqchip=split")
	}
	args = append(args, "-nic", "user,ipv6=off,model=e1000")
	if v.Kernel != "" {
		console := "console=ttyS0 earlycon=uart8250,io,0x3f8,115200n8"
		if v.Interactive {
			console = "consoleblank=0 earlyprintk=vga"
		}
		args = append(args, "-kernel", v.Kernel, "-append", console+" root=/dev/sda1 rootfstype=ext3 init=/init rw")
	}
	if !v.Interactive {
		args = append(args, "-no-reboot", "-nographic")
	}
	return args
}

// VM is the guest of a plan in QEMU.
func (p *Plan) VM() VM {
	o := p.Options
	v := VM{Program: o.QEMUCommand, RAM: o.RAM, Cores: o.Cores, Kernel: o.Kernel, Interactive: o.Interactive}
	for _, m := range p.Media {
		v.Drives = append(v.Drives, filepath.Join(o.Target, m.Name))
	}
	return v
}

// command starts the guest.
func (p *Plan) command() Command {
	o := p.Options
	seed := path.Join("/bootstrap-seeds/POSIX", o.ArchDir(), "kaem-optional-seed")
	switch o.Mode {
	case Chroot:
		return Command{Argv: []string{"chroot", o.Target, seed}, Env: []string{"PATH=/bin"}, Root: true}
	case Bwrap:
		if o.LaterPass() {
			seed = "/init"
		}
		return Command{Argv: bwrapArgs(o, seed), Env: []string{}}
	case QEMU:
		return Command{Argv: p.VM().Args()}
	}
	return Command{}
}

// LaterPass tells whether a run under test in bwrap goes on in the target of the pass before it.
func (o Options) LaterPass() bool {
	return o.Mode == Bwrap && o.InternalCI != "" && o.InternalCI != "pass1"
}

// bwrapArgs gives a guest the device nodes that other modes have too (R42).
func bwrapArgs(o Options, init string) []string {
	args := []string{"bwrap", "--unshare-user", "--uid", "0", "--gid", "0"}
	if o.ExternalSources {
		args = append(args, "--unshare-net")
	}
	args = append(args, "--setenv", "PATH", "/usr/bin", "--bind", o.Target, "/", "--dir", "/dev")
	for _, node := range []string{"null", "zero", "full", "random", "urandom", "ptmx", "pts", "tty"} {
		args = append(args, "--dev-bind", "/dev/"+node, "/dev/"+node)
	}
	return append(args, "--tmpfs", "/dev/shm", "--proc", "/proc", "--bind", "/sys", "/sys", "--tmpfs", "/tmp", init)
}

// String is the command as a line of a shell.
func (c Command) String() string {
	var words []string
	if c.Env != nil {
		words = append(append(words, "env", "-i"), c.Env...)
	}
	words = append(words, c.Argv...)
	for i, w := range words {
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%") != "" ||
			w == "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// directions are what a person does with media for bare metal: every file that there is, and no other.
func (p *Plan) directions() []string {
	o, c := p.Options, p.Checkout
	if o.Mode != BareMetal {
		return nil
	}
	file := func(i int) string { return filepath.Join(o.Target, p.Media[i].Name) }
	if o.Kernel != "" {
		return []string{
			fmt.Sprintf("write %s to the first disk, the one that a kernel finds as sda", file(0)),
			fmt.Sprintf("start the kernel %s from any boot loader, with the command line: "+
				"consoleblank=0 root=/dev/sda1 rootfstype=ext3 init=/init rw",
				o.Kernel),
			"the kernel needs a driver for the disk and ext3 built in; no initramfs is needed",
		}
	}
	lines := []string{fmt.Sprintf("write %s to the disk that the BIOS boots, the one that Linux finds as sda", file(0))}
	switch {
	case c.externalDisk(o):
		lines = append(lines,
			fmt.Sprintf("write %s to a second disk, the one that Linux finds as sdb: the system is built on it", file(1)))
	case c.payloadDisk(o):
		lines = append(lines,
			fmt.Sprintf("write %s to a second disk, as a whole and not into a partition: "+
				"the guest copies distfiles from it", file(1)))
		fallthrough
	default:
		lines = append(lines, "the first disk needs some 16 GiB or more: the system is built behind its first GiB")
	}
	return append(lines,
		"the machine needs a BIOS or its emulation, and 4 GiB of memory",
		"start it from the first disk; it takes many hours, and shows what it does on its screen")
}
