// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// text gives content of a store.
func text(t *testing.T, blobs store.Blobs, d digest.Digest) string {
	t.Helper()
	r, err := blobs.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wantTrouble checks that a job was ended by a trouble of its guest, whose console is in the store.
func wantTrouble(t *testing.T, blobs store.Blobs, r machine.Result, err error, kind fault.Kind, words ...string) {
	t.Helper()
	var found *console.Trouble
	if !errors.As(err, &found) || fault.KindOf(err) != kind || found.Kind != kind {
		t.Fatalf("Run = %v; want a trouble of kind %v", err, kind)
	}
	if r.Outputs.Len() > 0 || len(r.Steps) > 0 {
		t.Errorf("Run = %+v beside an error; want nothing", r)
	}
	shown := text(t, blobs, found.Console)
	for _, word := range words {
		if !strings.Contains(err.Error()+"\n"+strings.Join(found.Tail, "\n"), word) {
			t.Errorf("Run = %v, and the last lines are\n%s\nwant %q in it", err, strings.Join(found.Tail, "\n"), word)
		}
	}
	if len(found.Tail) > 0 && !strings.Contains(shown, "Linux version") {
		t.Errorf("the console that was kept begins %.200q; want the kernel's banner", shown)
	}
}

// guestsHere are the numbers of the QEMUs of this process.
func guestsHere(t *testing.T) []int {
	t.Helper()
	var numbers []int
	for _, file := range guests(t, "") {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func TestKilledMidRun(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	r, err := newMachine(t, TransportAuto).Run(t.Context(), machinetest.Job(t, blobs, nil, "wait"), blobs, func(e machine.Event) {
		if e.Console == nil && e.Result == nil {
			for _, pid := range guestsHere(t) {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wantTrouble(t, blobs, r, err, fault.EarlyExit, "the machine ended before the job did: signal: killed")
}

// spoiled is a way for the line for reports to go wrong: so many bytes pass, and then this comes instead of the rest.
type spoiled struct {
	pass    int64
	instead string
}

// connect makes the lines of a guest, with something between the ends of the one for reports.
func (s spoiled) connect(name string) (ours, theirs *os.File, err error) {
	ours, theirs, err = pair(name)
	if name != "reports" || err != nil {
		return ours, theirs, err
	}
	inner, guest, err := pair(name)
	if err != nil {
		return nil, nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	outer := theirs
	go io.Copy(inner, outer) // what goes towards the guest; it ends with both
	go func() {
		io.CopyN(outer, inner, s.pass)
		io.WriteString(outer, s.instead)
		unix.Shutdown(int(outer.Fd()), unix.SHUT_RDWR) // which ends the copying the other way as well
		io.Copy(io.Discard, inner)
	}()
	return ours, guest, nil
}

func TestLineThatGoesWrong(t *testing.T) {
	need.Whole(t)
	tests := map[string]struct {
		how       spoiled
		transport string
		want      string
	}{
		"cut in an export":         {spoiled{1 << 20, ""}, TransportVirtio, "the machine ended before the job did"},
		"cut at once":              {spoiled{0, ""}, TransportVirtio, "the line for reports was cut"},
		"garbage":                  {spoiled{1 << 20, strings.Repeat("garbage", 100000)}, TransportVirtio, "where the length of a chunk was to come"},
		"cut in an export on UART": {spoiled{1 << 20, ""}, TransportUART, "the line for reports was cut"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			blobs := &store.Mem{}
			m := newMachine(t, tt.transport)
			m.connect = tt.how.connect
			job := machinetest.Job(t, blobs, nil, "fill out 4194304")
			job.Exports = []string{"out"}
			r, err := m.Run(t.Context(), job, blobs, nil)
			if err == nil || fault.KindOf(err) != fault.EarlyExit || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v; want an early exit with %q", err, tt.want)
			}
			if r.Outputs.Len() > 0 {
				t.Errorf("Run gave %d outputs; want none", r.Outputs.Len())
			}
		})
	}
}

// full is a store that takes nothing more.
type full struct{ *store.Mem }

var errFull = errors.New("the store is full")

func (full) Put(_ context.Context, r io.Reader) (digest.Digest, error) {
	_, _ = io.ReadFull(r, make([]byte, 1000))
	return digest.Digest{}, fault.New(fault.Unavailable, "put: %w", errFull)
}

func TestStoreThatIsFull(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, nil, "write out x")
	job.Exports = []string{"out"}
	_, err := newMachine(t, TransportAuto).Run(t.Context(), job, full{blobs}, nil)
	if !errors.Is(err, errFull) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Run = %v; want the store's error, of kind unavailable", err)
	}
}

func TestFolderThatIsFull(t *testing.T) {
	m := newMachine(t, TransportAuto)
	m.options.Folder = "/no/such/folder"
	if err := m.Check(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "/no/such/folder") {
		t.Errorf("Check = %v; want a fault of kind unavailable that names the folder", err)
	}
}

// TestBrokenKVM has a KVM that was asked for and whose guest does not come far: it is played by firmware that ends in a
// loop.
func TestBrokenKVM(t *testing.T) {
	blobs := &store.Mem{}
	m := newMachine(t, TransportAuto)
	m.options.Silence = 500 * time.Millisecond
	firmware := make([]byte, probeSize)
	copy(firmware[resetAt:], []byte{0xeb, 0xfe}) // jmp to itself
	at := filepath.Join(t.TempDir(), "firmware")
	if err := os.WriteFile(at, firmware, 0o644); err != nil {
		t.Fatal(err)
	}
	m.options.Program = program(t, fmt.Sprintf(`for word; do
	shift
	if [ "$word" = kvm ]; then word=tcg; fi
	set -- "$@" "$word"
done
if [ "$1" != --version ]; then set -- "$@" -bios %s; fi
exec %s "$@"`, at, m.options.Program))
	if _, err := m.find(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.found.accel = accel{accelKVM, "asked for"}
	r, err := m.Run(t.Context(), machinetest.Job(t, blobs, nil, "print a"), blobs, nil)
	wantTrouble(t, blobs, r, err, fault.Silence, "no sign of life for 500ms: nothing on the console")
	if want := "KVM may not work here: --accel tcg does without"; fault.HintOf(err) != want {
		t.Errorf("hint = %q; want %q", fault.HintOf(err), want)
	}
}

// withInit makes a machine boot something else than an agent.
func withInit(t testing.TB, m *Machine, init []byte) {
	t.Helper()
	f, err := unnamed(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	contents := opener{}
	err = encode(f, []tree.Node{
		{Path: "dev", Kind: tree.Dir, Mode: modeProgram},
		{Path: "dev/console", Kind: tree.CharDevice, Mode: 0o600, Major: 5, Minor: 1},
		{Path: initFile, Kind: tree.File, Mode: modeProgram, Content: contents.bytes(init)},
	}, contents)
	if err != nil {
		t.Fatal(err)
	}
	m.pack = &pack{initramfs: f, virtio: true}
}

// initOf is a program of a few instructions, which stand where those of initProgram do.
func initOf(code ...byte) []byte {
	program := initProgram()
	copy(program[64+56:], code)
	return program
}

func TestGuestsThatGoWrong(t *testing.T) {
	need.Whole(t)
	prints := initOf(
		0xbf, 1, 0, 0, 0, // print: mov edi, 1
		0xbe, 0, 0, 0x40, 0, // mov esi, 0x400000
		0xba, 200, 0, 0, 0, // mov edx, 200
		0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
		0x0f, 0x05, // syscall
		0xeb, 0xe8, // jmp print
	)
	ends := initOf(0xbf, 0, 7, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05) // exit_group(0x700)
	hangs := initOf(0xeb, 0xfe)                                      // jmp to itself
	tests := map[string]struct {
		init  []byte
		kind  fault.Kind
		words []string
	}{
		"process 1 ends":  {ends, fault.Panic, []string{"kernel panic: Attempted to kill init!", "Call Trace:"}},
		"a guest hangs":   {hangs, fault.Silence, []string{"no sign of life for 3s", "Run /init as init process"}},
		"garbage":         {prints, fault.Limit, []string{"the guest shows more than it may"}},
		"nothing to run":  {initOf(0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7), fault.Silence, []string{"Run /init"}},
		"another program": {[]byte("#!/nothing\n"), fault.Panic, []string{"kernel panic: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			blobs := &store.Mem{}
			m := newMachine(t, TransportAuto)
			m.options.Silence, m.maxShown = 3*time.Second, 200<<10
			withInit(t, m, tt.init)
			again := 0
			watch := func(e machine.Event) {
				again += bytes.Count(e.Console, []byte("rung: the guest did not come up; it is booted once more"))
			}
			r, err := m.Run(t.Context(), machinetest.Job(t, blobs, nil, "print a"), blobs, watch)
			if want := boots - 1; (tt.kind == fault.Silence) != (again == want) {
				t.Errorf("%d boots more; want %d where the guest is silent, else none", again, want)
			}
			if tt.kind == fault.Limit {
				if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.words[0]) {
					t.Errorf("Run = %v; want a fault of kind %v with %q", err, tt.kind, tt.words[0])
				}
				return
			}
			wantTrouble(t, blobs, r, err, tt.kind, tt.words...)
		})
	}
}

// TestAgentThatCannotWork has a guest with a module that is none.
func TestAgentThatCannotWork(t *testing.T) {
	need.Whole(t)
	blobs := &store.Mem{}
	m := newMachine(t, TransportAuto)
	f, err := unnamed(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := agent.Files()
	if err != nil {
		t.Fatal(err)
	}
	if err := packGuest(f, files, transport{virtio: true, modules: []module{{"virtio_console", []byte("text")}}}); err != nil {
		t.Fatal(err)
	}
	m.pack = &pack{initramfs: f, virtio: true}
	r, err := m.Run(t.Context(), machinetest.Job(t, blobs, nil, "print a"), blobs, nil)
	wantTrouble(t, blobs, r, err, fault.EarlyExit, "guest-shutdown", "rung: loading the module virtio_console: exec format error")
}
