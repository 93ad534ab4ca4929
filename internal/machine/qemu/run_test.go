// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// TestRun is the one boot that a bare go test has the time for.
func TestRun(t *testing.T) {
	blobs := &store.Mem{}
	m := newMachine(t, TransportAuto)
	job := machinetest.Job(t, blobs, []string{"in"}, "cp in out", "print a")
	job.Exports = []string{"out"}
	var shown strings.Builder
	r, err := m.Run(t.Context(), job, blobs, func(e machine.Event) { shown.Write(e.Console) })
	if err != nil || r.Failure != nil {
		t.Fatalf("Run = %+v, %v", r.Failure, err)
	}
	if n, ok := r.Outputs.Lookup("out"); !ok || text(t, blobs, n.Content) != "in" {
		t.Errorf("output = %+v; want the content of the input", n)
	}
	kept := text(t, blobs, r.Console)
	if !strings.Contains(kept, "Linux version") || !strings.HasPrefix(kept, shown.String()) || shown.Len() < len(kept)/2 {
		t.Errorf("%d bytes of console were kept and %d were shown; want the same, with the kernel's banner", len(kept), shown.Len())
	}
	f, err := m.find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Info().Version, version+" qemu "+f.version+" linux "+f.kernel.version+" tcg"; got != want || f.version == "" {
		t.Errorf("Info().Version = %q; want %q", got, want)
	}
}

func TestTransportsCarryWhatIsLarge(t *testing.T) {
	need.Whole(t)
	content := strings.Repeat("0123456789abcde\n", 3<<20)
	for _, tt := range []struct {
		transport string
		size      int
	}{{TransportVirtio, len(content)}, {TransportUART, 300 << 10}} { // the first one does not fit into an initramfs
		t.Run(tt.transport, func(t *testing.T) {
			blobs := &store.Mem{}
			job := machinetest.Job(t, blobs, nil, "cp big copy")
			program, _ := job.Inputs.Lookup("probe")
			job.Inputs = machinetest.Tree(t, program, machinetest.File(t, blobs, "big", content[:tt.size], machine.ModeFile))
			job.Exports = []string{"copy"}
			r, err := newMachine(t, tt.transport).Run(t.Context(), job, blobs, nil)
			if err != nil || r.Failure != nil {
				t.Fatalf("Run = %+v, %v", r.Failure, err)
			}
			if n, ok := r.Outputs.Lookup("copy"); !ok || n.Content != digest.Of([]byte(content[:tt.size])) {
				t.Errorf("output = %v; want the %d bytes of the input", n, tt.size)
			}
		})
	}
}

func TestInteractive(t *testing.T) {
	need.Whole(t)
	for _, transport := range []string{TransportVirtio, TransportUART} {
		t.Run(transport, func(t *testing.T) {
			machinetest.Interactive(t, func(t *testing.T, in io.Reader, out io.Writer) machine.Machine {
				m := newMachine(t, transport)
				m.options.Terminal = &agent.Terminal{In: in, Out: out}
				return m
			})
		})
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	m := newMachine(t, TransportAuto)
	job := machinetest.Job(t, blobs, nil, "print a")
	machinetest.LeavesNothing(t, m, blobs, job, 3)
	left, err := os.ReadDir(m.options.Folder)
	if err != nil || len(left) > 0 {
		t.Errorf("the folder holds %v, %v; want nothing", left, err)
	}
}

// victimVariable makes TestVictim run a job that does not end.
const victimVariable = "RUNG_TEST_VICTIM"

// TestVictim is what TestKilledWithRung kills. It fails where it gets to its end.
func TestVictim(t *testing.T) {
	if os.Getenv(victimVariable) == "" {
		return
	}
	blobs := &store.Mem{}
	_, err := newMachine(t, TransportAuto).Run(t.Context(), machinetest.Job(t, blobs, nil, "wait"), blobs, func(e machine.Event) {
		if e.Console == nil {
			os.Stdout.WriteString("guest " + strings.Join(guests(t, ""), " ") + "\n")
		}
	})
	t.Errorf("the job ended: %v", err)
}

func TestKilledWithRung(t *testing.T) {
	need.Whole(t)
	newMachine(t, TransportAuto) // what it needs, so does the victim
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), victimVariable+"=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guest := ""
	for lines := bufio.NewScanner(out); guest == "" && lines.Scan(); {
		guest, _ = strings.CutPrefix(lines.Text(), "guest ")
		if guest == lines.Text() {
			guest = ""
		}
	}
	if _, err := os.Stat(guest); err != nil {
		t.Errorf("no guest of the victim: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if _, err := os.Stat(guest); err != nil {
			return
		}
	}
	t.Errorf("%s is still there", guest)
}

func TestMachineSaysWhatIsMissing(t *testing.T) {
	need.Arch(t, arch)
	no := New(Options{Options: agent.Options{Now: time.Now}, Program: "no-such-qemu", Folder: t.TempDir()})
	if err := no.Check(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.HintOf(err), "qemu-system-x86") {
		t.Errorf("Check(no QEMU) = %v, hint %q; want unavailable, and the package", err, fault.HintOf(err))
	}
	if got := no.Info(); got.Version != version || got.Name != name || !got.Isolated {
		t.Errorf("Info(no QEMU) = %+v; want what is known without", got)
	}
	no = New(Options{Options: agent.Options{Now: time.Now}, Program: program(t, "echo hello"), Folder: t.TempDir()})
	if err := no.Check(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "hello") {
		t.Errorf("Check(another program) = %v; want unavailable, and what it said", err)
	}
	no = newMachine(t, TransportAuto)
	no.options.Kernel = layOut(t, map[string]string{"bzImage": "text"}) + "/bzImage"
	if err := no.Check(t.Context()); !strings.Contains(err.Error(), "not the image of a Linux kernel") {
		t.Errorf("Check(no kernel) = %v; want what it is not", err)
	}
	no = newMachine(t, TransportVirtio)
	no.options.Kernel = layOut(t, map[string]string{"bzImage": bzImage("0.0.1", true)}) + "/bzImage"
	if err := no.Check(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no folder with its modules") {
		t.Errorf("Check(no modules) = %v; want unavailable, and the modules", err)
	}
	no = newMachine(t, TransportAuto)
	no.options.Program = program(t, `if [ "$1" = --version ]; then echo QEMU emulator version 1.0; else echo no memory >&2; exit 1; fi`)
	err := no.Check(t.Context())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no memory") || fault.HintOf(err) == "" {
		t.Errorf("Check(QEMU that does not start) = %v; want unavailable, what it said, and a hint", err)
	}
}
