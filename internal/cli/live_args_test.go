// SPDX-License-Identifier: MIT

package cli

import (
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
)

// TestLiveArgs: R41, R56 and the flags of rootfs.py: what Python's argparse makes of a command line, said as cobra has it.
// The rows without an error were tried with Python 3.11, but for those about rung's own.
func TestLiveArgs(t *testing.T) {
	for given, want := range map[string]string{
		"-qr=4096":                        "--qemu-ram=4096",
		"-qr 4096 -qs 16G -qc q -qk K":    "--qemu-ram=4096 --target-size=16G --qemu-cmd=q --kernel=K",
		"-q -s=2G":                        "--qemu --swap=2G",
		"-qi -q":                          "-qi --qemu", // cobra reads it as -q -i, as argparse does
		"-bw":                             "--bwrap",
		"-b -c":                           "--bare-metal --chroot",
		"--target-s 3G --qemu-r 3":        "--target-size=3G --qemu-ram=3",
		"--mirror=U":                      "--mirrors=U",
		"--mirror U":                      "--mirrors=U",
		"-m http://a https://b -q":        "--mirrors=http://a --mirrors=https://b --qemu",
		"-m http://a CHECKOUT":            "--mirrors=http://a CHECKOUT",
		"-m http://a -m http://b":         "--mirrors=http://a --mirrors=http://b",
		"--target= -t=":                   "--target= --target=",
		"--build --ext --internal-ci p":   "--build-kernels --external-sources --internal-ci=p",
		"--s 2G":                          "--swap=2G",
		"--build-g --extra a,b --stage i": "--build-guix-also --extra-builds=a,b --stage0-image=i",
		"-q --kernel":                     "--qemu --kernel=-",
		"-qk -q":                          "--kernel=- --qemu",
		"--json --store DIR --scripts D":  "--json --store DIR --scripts D",
		"CHECKOUT -t -":                   "CHECKOUT --target=-",
		"-q -- -x":                        "--qemu -- -x",
		"-h":                              "--help",
	} {
		got, err := liveArgs(append([]string{"live", "plan"}, strings.Fields(given)...))
		if err != nil || strings.Join(got, " ") != "live plan "+want {
			t.Errorf("liveArgs(%s) = %q, %v; want %s", given, got, err, want)
		}
	}
	for given, want := range map[string]string{
		"-qr4096":  "-qr4096: the value of -qr stands behind",
		"-bwi":     "-bwi: the value of -bw",
		"--tar x":  "--tar: could be --target or --target-size",
		"--tmp":    "--tmp: could be --tmpfs or --tmpfs-size",
		"--qemu=1": "--qemu: takes no value",
		"-q=1":     "--qemu: takes no value",
		"-t -q":    "--target: no value behind it",
		"-m":       "--mirrors: no value behind it",
	} {
		_, err := liveArgs(append([]string{"live", "media"}, strings.Fields(given)...))
		if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.Usage || fault.HintOf(err) == "" {
			t.Errorf("liveArgs(%s): error %v, hint %q; want %s and a hint", given, err, fault.HintOf(err), want)
		}
	}
	for _, other := range []string{"cpio pack live -qr4096", "live", "live audit -qr4096", "why live plan -qr4"} {
		if got, err := liveArgs(strings.Fields(other)); err != nil || strings.Join(got, " ") != other {
			t.Errorf("liveArgs(%s) = %q, %v; want it as it is", other, got, err)
		}
	}
}
