// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/need"
)

// terminal is a pseudoterminal: a person's side and a program's. Source: pts(4).
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		need.Unmet(t, "pseudoterminals: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// TestLiveRunHandsTheTerminalOver shows R30 and R31: with --interactive a shell in the guest has the person's terminal, and
// all of it is in the console's log; without, what asks gets no answer, and the run does not wait.
func TestLiveRunHandsTheTerminalOver(t *testing.T) {
	if machineHere(t) != "sandbox" {
		need.Unmet(t, "namespaces")
	}
	checkout, store := liveCheckout(t), t.TempDir()
	buildGuest(t, checkout)
	if err := os.WriteFile(filepath.Join(checkout, "seed/asks"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	person, program := terminal(t)
	shown := &trigger{text: "[TRAP] / # ", call: func() {}}
	var once bool
	shown.call = func() {
		if !once {
			once = true
			_, _ = person.WriteString("friend\r") // a failure shows below
		}
	}
	go func() { // what it answers shows that the prompt was shown
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
			_, _ = shown.Write(buf[:n]) // never fails
			if err != nil {
				return
			}
		}
	}()
	target := filepath.Join(t.TempDir(), "target")
	args := []string{"live", "run", checkout, "--chroot", "-i", "--external-sources", "--store", store, "-t"}
	status := cli.Main(t.Context(), append(args, target), program, &bytes.Buffer{}, program, func(string) string { return "" })
	console, err := os.ReadFile(filepath.Join(target, "rung/console.log"))
	if status != 0 || err != nil || !strings.Contains(string(console), "heard friend") {
		t.Errorf("Main(live run -i) = %d, %v, console %q; want the guest to hear the person", status, err, console)
	}
	target = filepath.Join(t.TempDir(), "target")
	if status, out, said := rungLive(t, store, "run", checkout, "--chroot", "--external-sources", "-t", target); status != 0 {
		t.Errorf("Main(live run) = %d\n%s\n%s; want it to end by itself", status, out, said)
	}
}
