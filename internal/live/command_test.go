// SPDX-License-Identifier: MIT

package live_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/live"
)

// TestVMArgs: R26, R27, R28, R40, R41: the command lines of rootfs.py at 984b8322.
func TestVMArgs(t *testing.T) {
	vm := live.VM{Program: "qemu", RAM: 4096, Cores: 2, Drives: []string{"/T/init.img"}}
	with := func(change func(*live.VM)) live.VM {
		v := vm
		change(&v)
		return v
	}
	for _, c := range []struct {
		name string
		vm   live.VM
		want string
	}{
		{"one disk, without interaction", vm, "qemu -enable-kvm -m 4096M -smp 2 -drive file=/T/init.img,format=raw " +
			"-machine kernel-irqchip=split -nic user,ipv6=off,model=e1000 -no-reboot -nographic"},
		{"two disks, with interaction", with(func(v *live.VM) {
			v.Drives, v.Interactive, v.RAM = []string{"/T/init.img", "/T/external.img"}, true, 8192
		}), "qemu -enable-kvm -m 8192M -smp 2 -drive file=/T/init.img,format=raw -drive file=/T/external.img,format=raw " +
			"-machine kernel-irqchip=split -nic user,ipv6=off,model=e1000"},
		{"a kernel", with(func(v *live.VM) { v.Kernel, v.Drives = "/K", []string{"/T/disk.img"} }),
			"qemu -enable-kvm -m 4096M -smp 2 -drive file=/T/disk.img,format=raw -nic user,ipv6=off,model=e1000 -kernel /K " +
				"-append console=ttyS0 earlycon=uart8250,io,0x3f8,115200n8 root=/dev/sda1 rootfstype=ext3 init=/init rw -no-reboot -nographic"},
		{"a kernel, with interaction", with(func(v *live.VM) { v.Kernel, v.Interactive = "/K", true }),
			"qemu -enable-kvm -m 4096M -smp 2 -drive file=/T/init.img,format=raw -nic user,ipv6=off,model=e1000 -kernel /K " +
				"-append consoleblank=0 earlyprintk=vga root=/dev/sda1 rootfstype=ext3 init=/init rw"},
		{"without KVM", with(func(v *live.VM) { v.Software = true }),
			"qemu -m 4096M -smp 2 -drive file=/T/init.img,format=raw " +
				"-nic user,ipv6=off,model=e1000 -no-reboot -nographic"},
		{"a comma in a name",
			with(func(v *live.VM) { v.Drives = []string{"/T,1/init.img"}; v.Kernel = "/K"; v.Interactive = true }),
			"qemu -enable-kvm -m 4096M -smp 2 -drive file=/T,,1/init.img,format=raw -nic user,ipv6=off,model=e1000 -kernel /K " +
				"-append consoleblank=0 earlyprintk=vga root=/dev/sda1 rootfstype=ext3 init=/init rw"},
	} {
		if got := strings.Join(c.vm.Args(), " "); got != c.want {
			t.Errorf("%s: Args() = %s; want %s", c.name, got, c.want)
		}
	}
}

// TestCommandOfChrootAndBwrap: R42, R58: the nodes of /dev are those that other modes have.
func TestCommandOfChrootAndBwrap(t *testing.T) {
	c := open(t, checkout(t))
	seed := "/bootstrap-seeds/POSIX/x86/kaem-optional-seed"
	bwrap := "env -i bwrap --unshare-user --uid 0 --gid 0 NET--setenv PATH /usr/bin --bind /target / --dir /dev " +
		"--dev-bind /dev/null /dev/null --dev-bind /dev/zero /dev/zero --dev-bind /dev/full /dev/full --dev-bind /dev/random /dev/random " +
		"--dev-bind /dev/urandom /dev/urandom --dev-bind /dev/ptmx /dev/ptmx --dev-bind /dev/pts /dev/pts --dev-bind /dev/tty /dev/tty " +
		"--tmpfs /dev/shm --proc /proc --bind /sys /sys --tmpfs /tmp "
	for _, test := range []struct {
		name string
		o    live.Options
		want string
		root bool
	}{
		{"chroot", options(live.Chroot, nil), "env -i PATH=/bin chroot /target " + seed, true},
		{"bwrap", options(live.Bwrap, nil), strings.Replace(bwrap, "NET", "", 1) + seed, false},
		{"bwrap without a network", options(live.Bwrap, func(o *live.Options) { o.ExternalSources = true }),
			strings.Replace(bwrap, "NET", "--unshare-net ", 1) + seed, false},
		{"a later pass", options(live.Bwrap, func(o *live.Options) { o.InternalCI = "pass2" }), strings.Replace(bwrap,
			"NET", "", 1) + "/init", false},
	} {
		p := mustPlan(t, c, test.o, served{})
		if got := p.Command.String(); got != test.want || p.Command.Root != test.root {
			t.Errorf("%s: command %s, root %v; want %s, root %v", test.name, got, p.Command.Root, test.want, test.root)
		}
	}
	if got, want := (live.Command{Argv: []string{"a b", "it's", ""}}).String(), `'a b' 'it'\''s' ''`; got != want {
		t.Errorf("String() = %s; want %s", got, want)
	}
}

// TestDirectionsNameEveryFile: R6, R12, R36, R59: each medium is named, and nothing that is not there.
func TestDirectionsNameEveryFile(t *testing.T) {
	for _, c := range []struct {
		fork  string
		o     func(*live.Options)
		files []string
	}{
		{"", nil, []string{"init.img"}},
		{"", func(o *live.Options) { o.ExternalSources = true }, []string{"init.img", "external.img"}},
		{"", func(o *live.Options) { o.Kernel = "/K" }, []string{"disk.img"}},
		{"F1", func(o *live.Options) { o.ExternalSources = true }, []string{"init.img", "external.img"}},
	} {
		var forks []string
		if c.fork != "" {
			forks = append(forks, "testdata/forks/"+c.fork)
		}
		p := mustPlan(t, open(t, checkout(t, forks...)), options(live.BareMetal, c.o), served{})
		text := strings.Join(p.Directions, "\n")
		var named []string
		for _, file := range []string{"init.img", "external.img", "disk.img"} {
			if strings.Contains(text, "/target/"+file) {
				named = append(named, file)
			}
		}
		if d := cmp.Diff(c.files, named); d != "" || len(p.Command.Argv) > 0 {
			t.Errorf("directions name (-want +got):\n%s%s", d, text)
		}
	}
	// R36: nothing fills an image for bare metal up but the rest of its last MiB.
	m := mustPlan(t, open(t, checkout(t)), options(live.BareMetal, nil), served{}).Media[0]
	if m.Size != 1<<20 {
		t.Errorf("init.img for bare metal: %d bytes; want one MiB", m.Size)
	}
}
