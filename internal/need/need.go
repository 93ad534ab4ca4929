// SPDX-License-Identifier: MIT

// Package need is how a test says what it needs of the host, and what happens where that is missing: on a bare machine
// the test is skipped with a message that names the thing; where RUNG_NO_SKIP is set, as make test does after it has
// installed everything, the test fails instead, so that no test is lost without a word.
//
// No other package may skip a test (policy_test.go). Leaving out a slow test is not a need but for Whole: no other test
// here is slow.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// NoSkip is the environment variable that turns skips into failures. Any value but the empty one counts.
const NoSkip = "RUNG_NO_SKIP"

// Tool gives the path of a program of the host. .ci/tools lists those that make test installs.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} { // where programs for disks are, and an ordinary user does not look
		if err != nil {
			path, err = exec.LookPath(dir + name)
		}
	}
	if err != nil {
		Unmet(t, "the program %s", name)
	}
	return path
}

// KernelFile is the environment variable that names the file of a Linux kernel for tests.
const KernelFile = "RUNG_KERNEL"

// Kernel gives the path of a Linux kernel that guests of tests can boot: $RUNG_KERNEL, else the newest of those that
// .ci/install-kernel unpacks, below rung/kernel/boot of $XDG_CACHE_HOME or ~/.cache. Its modules are in
// ../lib/modules, seen from its folder.
func Kernel(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(KernelFile); path != "" {
		if _, err := os.Stat(path); err != nil {
			Unmet(t, "the Linux kernel that "+KernelFile+" names: %v", err)
		}
		return path
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	boot := filepath.Join(cache, "rung/kernel/boot")
	newest := newestKernel(boot)
	if newest == "" {
		Unmet(t, "a Linux kernel in %s, or named by "+KernelFile, boot)
	}
	return newest
}

// newestKernel is that which was made last: a package keeps the times of its files. "" where there is none.
func newestKernel(boot string) (newest string) {
	entries, err := os.ReadDir(boot)
	if err != nil {
		return ""
	}
	var last time.Time
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), "vmlinuz-") && (newest == "" || info.ModTime().After(last)) {
			newest, last = filepath.Join(boot, e.Name()), info.ModTime()
		}
	}
	return newest
}

// Whole leaves out, for a bare go test, what starts so many programs of other people that it takes ten seconds or more.
func Whole(t testing.TB) {
	t.Helper()
	if os.Getenv(NoSkip) == "" {
		t.Skipf("needs ten seconds or more: set " + NoSkip)
	}
}

// Unmet ends a test that needs something of the host which is not there: namespaces that are forbidden, say. The text
// goes on from "needs".
func Unmet(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(NoSkip) != "" {
		t.Fatalf(NoSkip+" is set, and this test needs "+format, args...)
	}
	t.Skipf("needs "+format, args...)
}

// Arch wants the host to run programs of one of some architectures, by Go's names. Nothing can install an
// architecture, so that this skips even under NoSkip: the machines that test the other ones run what is left out here.
func Arch(t testing.TB, arches ...string) {
	t.Helper()
	if runtime.GOOS != "linux" || !slices.Contains(arches, runtime.GOARCH) {
		t.Skipf("needs Linux on %s, and this is %s on %s", strings.Join(arches, " or "), runtime.GOOS, runtime.GOARCH)
	}
}
