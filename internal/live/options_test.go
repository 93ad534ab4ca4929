// SPDX-License-Identifier: MIT

package live_test

import (
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
)

// TestParseSize: R35: sizes as rootfs.py reads them.
func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "16G": 16384, "16g": 16384, "1100M": 1100, "7m": 7, "2048": 2048} {
		if got, err := live.ParseSize("--swap", text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "G", "10T", "-1", "+1", "1GM", "1.5G", "16 G", "9999999G",
		"99999999999999999999"} {
		_, err := live.ParseSize("--swap", text)
		wantFault(t, "ParseSize("+text+")", err, fault.Usage, "--swap "+text)
	}
}

// TestOptionsValidate: R17, R24, R41 and section by section of a command line: what is wrong, in the order of rootfs.py.
func TestOptionsValidate(t *testing.T) {
	for _, c := range []struct {
		mode  live.Mode
		o     func(*live.Options)
		words string
	}{
		{"", nil, "no mode"},
		{live.QEMU, func(o *live.Options) { o.Arch = "a/b" }, "--arch"},
		{live.QEMU, func(o *live.Options) { o.Arch = "riscv64" }, "builder-hex0 is for x86 only"},
		{live.QEMU, func(o *live.Options) { o.Cores = 0; o.TargetSize = 0 }, "--cores 0"},
		{live.Chroot, func(o *live.Options) { o.Kernel = "/K" }, "--kernel"},
		{live.Chroot, func(o *live.Options) { o.Arch, o.EarlyPreseed = "amd64", "/x.tar" }, "--early-preseed"},
		{live.QEMU, func(o *live.Options) { o.TargetSize = 0; o.Mirrors = nil }, "--target-size"},
		{live.QEMU, func(o *live.Options) { o.TargetSize = 1024 }, "the first 1024 MiB"},
		{live.QEMU, func(o *live.Options) { o.RAM = 2048 }, "--qemu-ram 2048"},
		{live.QEMU, func(o *live.Options) { o.Mirrors = nil }, "no mirror"},
		{live.QEMU, func(o *live.Options) { o.Mirrors = []string{"file://x"} }, "not an absolute path"},
		{live.QEMU, func(o *live.Options) { o.Mirrors = []string{"m.example"} }, "not an address"},
		{live.QEMU, func(o *live.Options) { o.Mirrors = []string{"http://a/$b"} }, "shells"},
		{live.QEMU, func(o *live.Options) { o.InternalCI = "a b" }, "--internal-ci"},
		{live.QEMU, func(o *live.Options) { o.Target = "x" }, "--target"},
		{live.QEMU, func(o *live.Options) { o.ExtraBuilds = []string{"a/b"} }, "--extra-builds"},
		{live.BareMetal, func(o *live.Options) { o.Stage0Image = "/i" }, "--stage0-image"},
		{live.QEMU, func(o *live.Options) { o.BreakAfter = "steps" }, "SCOPE:STEP"},
		{live.QEMU, func(o *live.Options) { o.BreakAfter = "steps:x" }, "--internal-ci NAME"},
		{live.QEMU, func(o *live.Options) { o.BreakAfter, o.InternalCI = "steps-x:x", "p" }, "--extra-builds x"},
	} {
		err := options(c.mode, c.o).Validate()
		wantFault(t, "Validate, "+c.words, err, fault.Usage, c.words)
	}
	for _, o := range []live.Options{
		options(live.QEMU, nil),
		options(live.QEMU, func(o *live.Options) { o.Mirrors, o.ExternalSources = nil, true }),
		options(live.QEMU, func(o *live.Options) { o.Mirrors, o.Stage0Image = nil, "/i" }),
		options(live.QEMU, func(o *live.Options) { o.Arch, o.Kernel, o.RAM = "riscv64", "/K", 512 }),
		options(live.Chroot, func(o *live.Options) { o.Mirrors = []string{"file:///x", "https://a.example/"} }),
	} {
		if err := o.Validate(); err != nil {
			t.Errorf("Validate(%+v) = %v; want nothing", o, err)
		}
	}
}

// TestPlanRefusesWhatTheGenerationLacks: each generation has flags of its own.
func TestPlanRefusesWhatTheGenerationLacks(t *testing.T) {
	for _, c := range []struct {
		fork  string
		o     func(*live.Options)
		words string
	}{
		{"", func(o *live.Options) { o.BuildGuixAlso = true }, "--build-guix-also"},
		{"", func(o *live.Options) { o.ExtraBuilds = []string{"x"} }, "steps-x"},
		{"testdata/forks/F1", func(o *live.Options) { o.ExtraBuilds = []string{"guix"} }, "--build-guix-also"},
		{"testdata/forks/F2", func(o *live.Options) { o.BuildGuixAlso = true }, "--extra-builds guix"},
		{"testdata/forks/F2", func(o *live.Options) { o.ExtraBuilds = []string{"none"} }, "no steps-none/manifest"},
		{"", func(o *live.Options) { o.InternalCI, o.BreakAfter = "p", "steps:none-1" }, "builds no none-1"},
	} {
		overlays := strings.Fields(c.fork)
		_, err := open(t, checkout(t, overlays...)).Plan(options(live.QEMU, c.o), served{})
		wantFault(t, "Plan, "+c.words, err, fault.Usage, c.words)
	}
	f1 := checkout(t, "testdata/forks/F1")
	c := open(t, f1)
	_, err := c.With(options(live.QEMU, func(o *live.Options) { o.ShipImporter = true }))
	wantFault(t, "With, a second importer", err, fault.Usage, "--ship-importer")
	write(t, f1+"/steps/manifest", "build: cc-0.1\nimprove: after\n")
	_, err = open(t, f1).Plan(options(live.QEMU, func(o *live.Options) { o.ExternalSources = true }), served{})
	wantFault(t, "Plan, no import", err, fault.Usage, "import_payload")
}
