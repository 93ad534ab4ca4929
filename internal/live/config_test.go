// SPDX-License-Identifier: MIT

package live_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/manifest"
)

// plain is the configuration of --qemu -m URL in the first generation, as rootfs.py at 984b8322 writes it.
const plain = `ARCH=x86
ARCH_DIR=x86
FORCE_TIMESTAMPS=False
CHROOT=False
UPDATE_CHECKSUMS=False
JOBS=2
SWAP_SIZE=0
FINAL_JOBS=2
INTERNAL_CI=False
INTERACTIVE=False
QEMU=True
BARE_METAL=False
DISK=sda
KERNEL_BOOTSTRAP=True
BUILD_KERNELS=False
CONFIGURATOR=False
MIRRORS="https://m.example/d"
MIRRORS_LEN=1
`

const (
	mirrors   = "MIRRORS=\"https://m.example/d\"\n"
	noMirrors = mirrors + "MIRRORS_LEN=1\n"
)

// TestConfigVectors: R9, R29, R31, R77: what differs from the plain configuration, mode by mode. The rows of the first
// generation were made with rootfs.py at 984b8322.
func TestConfigVectors(t *testing.T) {
	set := func(pairs ...string) []string { return pairs }
	for _, c := range []struct {
		name string
		g    manifest.Generation
		mode live.Mode
		o    func(*live.Options)
		want []string // old, new
	}{
		{"-q", manifest.H, live.QEMU, nil, nil},
		{"-q -i --external-sources", manifest.H, live.QEMU, func(o *live.Options) {
			o.Interactive,
				o.ExternalSources = true, true
		},
			set("INTERACTIVE=False", "INTERACTIVE=True", "BARE_METAL=False", "BARE_METAL=True", "DISK=sda", "DISK=sdb1",
				noMirrors, "")},
		{"-b -s 2G --external-sources", manifest.H, live.BareMetal, func(o *live.Options) {
			o.Swap,
				o.ExternalSources = 2048, true
		},
			set("SWAP_SIZE=0", "SWAP_SIZE=2048", "QEMU=True", "QEMU=False", "BARE_METAL=False", "BARE_METAL=True",
				"DISK=sda", "DISK=sdb1", noMirrors, "")},
		{"-bw --external-sources", manifest.H, live.Bwrap, func(o *live.Options) { o.ExternalSources = true },
			set("CHROOT=False", "CHROOT=True", "QEMU=True", "QEMU=False", "DISK=sda", "DISK=sda1",
				"KERNEL_BOOTSTRAP=True", "KERNEL_BOOTSTRAP=False", noMirrors, "")},
		{"-c -s 2G", manifest.H, live.Chroot, func(o *live.Options) { o.Swap = 2048 },
			set("CHROOT=False", "CHROOT=True", "QEMU=True", "QEMU=False", "DISK=sda", "DISK=sda1",
				"KERNEL_BOOTSTRAP=True", "KERNEL_BOOTSTRAP=False")},
		{"-q -qk K", manifest.H, live.QEMU, func(o *live.Options) { o.Kernel = "/K" },
			set("DISK=sda", "DISK=sda1", "KERNEL_BOOTSTRAP=True", "KERNEL_BOOTSTRAP=False")},
		{"-q -r R", manifest.H, live.QEMU, func(o *live.Options) { o.Repo = "/R" }, set("DISK=sda", "DISK=sdb1")},
		{"-q --update-checksums --cores 8", manifest.H, live.QEMU, func(o *live.Options) {
			o.UpdateChecksums,
				o.Cores = true, 8
		},
			set("UPDATE_CHECKSUMS=False", "UPDATE_CHECKSUMS=True", "JOBS=2", "JOBS=8", "FINAL_JOBS=2", "FINAL_JOBS=8",
				"BUILD_KERNELS=False", "BUILD_KERNELS=True")},
		{"-q -a amd64", manifest.H, live.QEMU, func(o *live.Options) { o.Arch = "amd64" },
			set("ARCH=x86", "ARCH=amd64", "ARCH_DIR=x86", "ARCH_DIR=AMD64")},
		{"-q without mirrors", manifest.H, live.QEMU, func(o *live.Options) { o.Mirrors = nil }, set(noMirrors,
			"MIRRORS_LEN=0\n")},
		{"-q -m A B", manifest.H, live.QEMU, func(o *live.Options) { o.Mirrors = append(o.Mirrors, "http://b") },
			set("example/d\"", "example/d http://b\"", "LEN=1", "LEN=2")},
		{"F1 -q", manifest.F1, live.QEMU, nil,
			set("\nQEMU", "\nPAYLOAD_REQUIRED=False\nQEMU", "\nDISK", "\nBUILD_GUIX_ALSO=False\nDISK")},
		{"F1 -q --external-sources --build-guix-also", manifest.F1, live.QEMU,
			func(o *live.Options) { o.ExternalSources, o.BuildGuixAlso = true, true },
			set("\nQEMU", "\nPAYLOAD_REQUIRED=True\nQEMU", "\nDISK", "\nBUILD_GUIX_ALSO=True\nDISK", noMirrors, "")},
		{"F1 -q --external-sources -r R", manifest.F1, live.QEMU,
			func(o *live.Options) { o.ExternalSources, o.Repo = true, "/R" },
			set("\nQEMU", "\nPAYLOAD_REQUIRED=False\nQEMU", "\nDISK=sda", "\nBUILD_GUIX_ALSO=False\nDISK=sdb1",
				noMirrors, "")},
		{"F2 -q", manifest.F2, live.QEMU, nil, set("\nQEMU", "\nPAYLOAD_REQUIRED=False\nQEMU")},
		{"F2 -b --extra-builds a,b", manifest.F2, live.BareMetal, func(o *live.Options) {
			o.ExtraBuilds = []string{"a",
				"b"}
		},
			set("\nQEMU=True", "\nPAYLOAD_REQUIRED=False\nQEMU=False", "BARE_METAL=False", "BARE_METAL=True", "\nDISK",
				"\nEXTRA_BUILDS=a,b\nDISK")},
	} {
		checkout := live.Checkout{Generation: c.g}
		got := checkout.Config(options(c.mode, c.o)).Format()
		if d := cmp.Diff(strings.NewReplacer(c.want...).Replace(plain), got); d != "" {
			t.Errorf("Config(%s) (-want +got):\n%s", c.name, d)
		}
	}
	if got := new(live.Checkout).Config(options(live.QEMU,
		func(o *live.Options) { o.NoCreateConfig = true })); len(got) != 0 {
		t.Errorf("Config(--no-create-config) = %v; want nothing", got)
	}
}
