// SPDX-License-Identifier: MIT

package qemu

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/machine"
)

func TestArgs(t *testing.T) {
	plain := hardware{
		accel: accelTCG, memory: 512, cpus: 1, kernel: "/boot/vmlinuz", initrd: "/proc/self/fd/3", monitor: 4, console: 5, reports: 6,
	}
	const head = "-nodefaults -no-user-config -S -machine pc,hpet=off,usb=off,vmport=off,smm=off,memory-backend=ram " +
		"-object memory-backend-ram,id=ram,size=512M,reserve=off -m 512M -cpu qemu64,+rdrand "
	const lines = "-chardev socket,id=monitor,fd=4 -mon chardev=monitor,mode=control " +
		"-chardev socket,id=console,fd=5 -serial chardev:console -chardev socket,id=reports,fd=6 "
	const system = "-kernel /boot/vmlinuz -initrd /proc/self/fd/3 -append console=ttyS0 "
	const words = "rootfstype=ramfs nokaslr tsc=reliable cryptomgr.notests lsm= mitigations=off random.trust_cpu=on "
	const emulated = words + "lpj=4000000 noreplace-smp rdinit=/init"
	virtio := plain
	virtio.virtio, virtio.disk, virtio.cpus = true, "/proc/self/fd/9", 3
	kvm := plain
	kvm.accel = accelKVM
	window := plain
	window.display = true
	tests := map[string]struct {
		h    hardware
		want string
	}{
		"uart": {plain, head + "-smp 1 -accel tcg,thread=multi " + lines + "-serial chardev:reports -display none -no-reboot " +
			system + "panic=-1 " + emulated},
		"virtio and a disk": {virtio, head + "-smp 3 -accel tcg,thread=multi " +
			strings.Replace(lines, "socket,id=console,fd=5", "file,id=console,path=/proc/self/fd/5", 1) +
			"-device virtio-serial-pci -device virtserialport,chardev=reports,name=org.rung.reports " +
			"-blockdev driver=file,node-name=disk,read-only=on,filename=/proc/self/fd/9 -device virtio-blk-pci,drive=disk " +
			"-display none -no-reboot " + system + "panic=-1 " + emulated},
		"kvm": {kvm, head + "-smp 1 -accel kvm " + lines + "-serial chardev:reports -display none -no-reboot " +
			system + "panic=-1 " + words + "rdinit=/init"},
		"a window": {window, head + "-smp 1 -accel tcg,thread=multi " + lines + "-serial chardev:reports -vga std " +
			system + "console=tty0 panic=0 " + emulated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Fields(tt.want), strings.Fields(strings.Join(tt.h.args(), " "))); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSizeOfAGuest(t *testing.T) {
	const mib = 1 << 20
	job := machine.Job{Limits: machine.Limits{Memory: 100 * mib, Output: 50 * mib, Files: 1024}}
	// 100 + 50 + 6 for files + 2 * 4 of media + 384 to spare = 548, and a sixteenth.
	if got := memoryFor(job, 4*mib); got != 582 {
		t.Errorf("memoryFor = %d MiB; want 582", got)
	}
	job.Devices = true
	if got := memoryFor(job, 4*mib); got != 635 {
		t.Errorf("memoryFor(with devices) = %d MiB; want 635", got)
	}
	job.Steps = []machine.Step{{Group: 1}, {Group: 1}, {Group: 1}, {}, {}}
	if got := [2]int{processorsFor(job, 2), processorsFor(job, 8)}; got != [2]int{2, 3} {
		t.Errorf("processorsFor = %v; want 2 at most, and 3 for three steps side by side", got)
	}
}
