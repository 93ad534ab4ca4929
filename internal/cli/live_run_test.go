// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/need"
)

// liveCheckout is a copy of the checkout in testdata of internal/live, with all of its distfiles.
func liveCheckout(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkout")
	if err := os.CopyFS(dir, os.DirFS("../live/testdata/checkout")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "distfiles"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bash-0.1.tar.gz", "bash-0.2.tar.gz", "big-2.0.tar.xz", "big-data.tar.gz",
		"cc-0.1.tar.gz",
		"cc-extra.tar", "isle-1.0.tar.bz2", "kernel-1.0.tar.xz", "make-0.1.tar.xz", "net-1.0.tar.gz"} {
		if err := os.WriteFile(filepath.Join(dir, "distfiles", name), []byte("distfile "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// liveGuest is a program that looks at its place, builds two packages, and ends with a status.
const liveGuest = `package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println(" +> ./x86/artifact/hex0 x y ")
	for _, d := range []string{"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm"} {
		_, err := os.Stat("/dev/" + d)
		fmt.Println("device", d, err == nil)
	}
	f, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("x")
	}
	_, proc := os.Stat("/proc/self/status")
	fmt.Println("null", err, "proc", proc, "pid", os.Getpid(), "uid", os.Getuid())
	if err := os.WriteFile("/made", []byte("made"), 0o644); err != nil {
		fmt.Println(err)
	}
	if os.Getenv("PATH") != "/bin" {
		os.Exit(9)
	}
	if _, err := os.Stat("/asks"); err == nil {
		var word string
		fmt.Print("[TRAP] / # ")
		fmt.Scanln(&word)
		fmt.Println("heard", word)
	}
	if _, err := os.Stat("/fails"); err == nil {
		fmt.Println("bash-0.2: beginning build using script pass1.sh\nbash-0.2: checksumming created " +
			"package.\nbash-0.2_0.tar.bz2: FAILED")
		os.Exit(1)
	}
	fmt.Println("bash-0.2: beginning build using script pass1.sh\nbash-0.2: build successful")
	fmt.Println("big-2.0: beginning build using script pass1.sh\nbig-2.0: build successful")
}
`

// buildGuest makes the first program of a checkout's guest.
func buildGuest(t *testing.T, checkout string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "guest.go")
	if err := os.WriteFile(source, []byte(liveGuest), 0o644); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(checkout, "seed/stage0-posix/bootstrap-seeds/POSIX/x86/kaem-optional-seed")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", to, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if err := os.Remove(to); err != nil {
		t.Fatal(err)
	}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// rungLive runs rung live and gives its status and both streams.
func rungLive(t *testing.T, store string, args ...string) (status int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cli.Main(t.Context(), append([]string{"live"}, append(args, "--store", store)...), nil, &stdout, &stderr,
		func(string) string { return "" })
	return status, stdout.String(), stderr.String()
}

// TestLiveRunInAChroot shows R42, R58, R60 and R61: the guest runs in place, without root too, as process 1, with the
// devices of every other mode, and nothing stays mounted; its progress is told, what it made can be looked at and
// taken home.
func TestLiveRunInAChroot(t *testing.T) {
	if machineHere(t) != "sandbox" {
		need.Unmet(t, "namespaces")
	}
	checkout, store := liveCheckout(t), t.TempDir()
	buildGuest(t, checkout)
	mirror := filepath.Join(t.TempDir(), "mirror")
	if err := os.Rename(filepath.Join(checkout, "distfiles"), mirror); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "target")
	status, out, said := rungLive(t, store, "run", checkout, "--chroot", "--external-sources", "-m", "file://"+mirror, "-t", target)
	if status != 0 || !strings.Contains(out, "verdict      finished") || !strings.Contains(said, "big-2.0") {
		t.Fatalf("Main(live run) = %d\n%s\n%s", status, out, said)
	}
	console, err := os.ReadFile(filepath.Join(target, "rung/console.log"))
	if err != nil || strings.Contains(string(console), "false") || strings.Count(string(console), "true") != 9 ||
		!strings.Contains(string(console), "null <nil> proc <nil> pid 1 uid 0\n") {
		t.Errorf("console: %v, %s; want all devices, and process 1", err, console)
	}
	if text, err := os.ReadFile(filepath.Join(target, "made")); err != nil || string(text) != "made" {
		t.Errorf("what the guest made: %v, %q", err, text)
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), target) {
		t.Errorf("mounts: %v; want none in the target", err)
	}
	archive := filepath.Join(t.TempDir(), "x.tar")
	if status, _, said = rungLive(t, store, "export", target, archive); status != 0 {
		t.Errorf("Main(live export) = %d, %s", status, said)
	}
	if status, _, said = rungLive(t, store, "run", checkout, "--chroot", "--external-sources", "-t",
		target); status != 2 || !strings.Contains(said, "a guest has run in it") {
		t.Errorf("Main(live run), again = %d, %s; want 2", status, said)
	}
	// The times of the run are known to the next one, which fails.
	if err := os.WriteFile(filepath.Join(checkout, "seed/fails"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	target = filepath.Join(t.TempDir(), "target")
	if status, out, said = rungLive(t, store, "media", checkout, "--chroot", "--external-sources", "-t", target); status != 0 {
		t.Fatalf("Main(live media) = %d\n%s\n%s", status, out, said)
	}
	status, out, said = rungLive(t, store, "run", checkout, "--chroot", "--external-sources", "-t", target, "-v")
	if status != 5 || !strings.Contains(out, "bash-0.2 pass 1: the package bash-0.2_0.tar.bz2 differs") ||
		!strings.Contains(said, "device null true") {
		t.Errorf("Main(live run -v) of a guest that fails = %d\n%s\n%s; want 5, and the console", status, out, said)
	}
	if text, err := os.ReadFile(filepath.Join(store, "live/times.json")); err != nil || !strings.Contains(string(text),
		"big-2.0 pass 1") {
		t.Errorf("times: %v, %s; want those of the first run", err, text)
	}
}

// bootCode prints a text on the first serial port, waits three seconds at each byte 1, writes sector 0 over sector 1
// of its disk at the end, and powers off. 16-bit code for address 0x7C00; the text follows at 0x7C52.
var bootCode = []byte{
	0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x7C, 0xFB, // ax, ds, es, ss = 0; sp = 0x7C00; sti
	0xBE, 0x52, 0x7C, // si = text
	0xAC, 0x84, 0xC0, 0x74, 0x26, 0x3C, 0x01, 0x74, 0x12, // next: al = [si++]; 0: end; 1: wait
	0x88, 0xC4, 0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x20, 0x74, 0xF8, // until the UART takes a byte
	0x88, 0xE0, 0xBA, 0xF8, 0x03, 0xEE, 0xEB, 0xE5, // send it; next
	0x8B, 0x0E, 0x6C, 0x04, 0x83, 0xC1, 0x36, // wait: cx = ticks + 54
	0xA1, 0x6C, 0x04, 0x29, 0xC8, 0x78, 0xF9, 0xEB, 0xD5, // until ticks - cx is not negative; next
	0xB8, 0x01, 0x03, 0xBB, 0x00, 0x7C, 0xB9, 0x02, 0x00, 0xBA, 0x80, 0x00, 0xCD, 0x13, // end: BIOS, write one sector
	0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4, 0xEB, 0xFD, // ACPI of QEMU's PC: off; halt
}

// bootSector puts a boot sector of ours into a checkout, in the place of builder-hex0's first stage.
func bootSector(t *testing.T, checkout, text string) {
	t.Helper()
	sector := make([]byte, 512)
	copy(sector, bootCode)
	if n := copy(sector[len(bootCode):509], text); n < len(text) {
		t.Fatalf("%d bytes of text do not fit", len(text))
	}
	sector[510], sector[511] = 0x55, 0xAA
	var hex0 strings.Builder
	for _, b := range sector {
		fmt.Fprintf(&hex0, "%02X\n", b)
	}
	if err := os.WriteFile(filepath.Join(checkout, "builder-hex0/builder-hex0-x86-stage1.hex0"), []byte(hex0.String()),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLiveRunGoesOnFromACheckpoint shows a checkpoint of QEMU: a run that was interrupted goes on in the middle of
// what its guest did, and only at the regular end does the image hold what the guest wrote (pains 12 and 13).
func TestLiveRunGoesOnFromACheckpoint(t *testing.T) {
	need.Tool(t, "qemu-system-x86_64")
	checkout, store := liveCheckout(t), t.TempDir()
	bootSector(t, checkout, "\n +> cd cc-0.1 \n +> kaem --file pass1.kaem \n\x01 +> cd make-0.1 \n +> kaem --file "+
		"pass1.kaem \n\x01"+
		"big-2.0: beginning build using script pass1.sh\nbig-2.0: build successful\n[ 1.000000] reboot: Power down\n")
	target := filepath.Join(t.TempDir(), "target")
	args := []string{"live", "run", checkout, "--qemu", "--accel", "tcg", "-m", "http://127.0.0.1:1/x", "-qs", "1100M",
		"-t", target, "--store", store}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &trigger{text: "checkpoint at script 1, which begins with make-0.1", call: cancel}
	var stdout bytes.Buffer
	env := func(string) string { return "" }
	if got := cli.Main(ctx, args, nil, &stdout, stderr, env); got != 130 {
		t.Fatalf("Main(live run), interrupted = %d; want 130\n%s", got, stderr.all.String())
	}
	sector := func() []byte {
		f, err := os.Open(filepath.Join(target, "init.img"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		two := make([]byte, 1024)
		if _, err := f.Read(two); err != nil {
			t.Fatal(err)
		}
		return two
	}
	if two := sector(); bytes.Equal(two[:512], two[512:]) {
		t.Error("the image holds what the guest wrote; want it as it was made")
	}
	stdout.Reset()
	var said bytes.Buffer
	if got := cli.Main(t.Context(), append(args, "--resume"), nil, &stdout, &said, env); got != 0 {
		t.Fatalf("Main(live run --resume) = %d; want 0\n%s\n%s", got, stdout.String(), said.String())
	}
	if two := sector(); !bytes.Equal(two[:512], two[512:]) {
		t.Error("the image does not hold what the guest wrote")
	}
	console, err := os.ReadFile(filepath.Join(target, "rung/console.log"))
	if err != nil || strings.Count(string(console), "cd cc-0.1") != 1 || strings.Count(string(console),
		"Power down") != 1 {
		t.Errorf("console: %v, %q; want each line once: the guest did not begin again", err, console)
	}
}
