// SPDX-License-Identifier: MIT

package machinetest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// isolationTests ask what a machine promises that says it isolates.
func isolationTests() []test {
	return []test{
		{name: "Facts", run: testFacts, alone: true}, // it sets the host's environment
		{name: "HostFile", run: testHostFile},
		{name: "HostNetwork", run: testHostNetwork},
		{name: "UserNamespace", run: testUserNamespace},
		{name: "LeftBehind", run: testLeftBehind, alone: true},
		{name: "Attack", run: testAttack},
		{name: "SeedCalls", run: testSeedCalls},
		{name: "SeedCallsAbsent", run: testSeedCallsAbsent},
	}
}

// testFacts compares all a step can find out with what it may.
func testFacts(t *testing.T, m subject) {
	t.Setenv("RUNG_DECOY", "of the host")
	inherited, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0) // without O_CLOEXEC, as a careless parent leaves it
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	blobs := &store.Mem{}
	j := m.job(t, blobs, []string{"in", "dir/in"}, "facts", "ls")
	j.Exports = []string{"in"}
	_, log := succeed(t, m, j, blobs)
	want := `host rung
dir /
uid 0 gid 0
env ["A=1" "B=two words"]
links 1 up false <nil>
umask 022
input 0 <nil>
descriptor 0
descriptor 1
descriptor 2
process 1
proc: open /proc/self/status: no such file or directory
capabilities [{0 0 0} {0 0 0}], bounding set of 0, no_new_privs 1
/
/dir
/dir/in
/in
/probe
`
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("what a step sees (-want +got):\n%s", diff)
	}
}

func testHostFile(t *testing.T, m subject) {
	decoy := filepath.Join(t.TempDir(), "decoy")
	if err := os.WriteFile(decoy, []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	blobs := &store.Mem{}
	for _, name := range []string{decoy, "/../../../../" + decoy} {
		r := run(t, m, m.job(t, blobs, nil, "read "+name), blobs, nil)
		if log := read(t, blobs, r); !strings.Contains(log, "no such file") || r.Failure == nil {
			t.Errorf("a step reads %s: %q", name, log)
		}
	}
}

func testHostNetwork(t *testing.T, m subject) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	blobs := &store.Mem{}
	r := run(t, m, m.job(t, blobs, nil, "connect "+listener.Addr().String()), blobs, nil)
	if log := read(t, blobs, r); !strings.Contains(log, "network is unreachable") || r.Failure == nil {
		t.Errorf("a step connects to the host: %q", log)
	}
}

func testUserNamespace(t *testing.T, m subject) {
	blobs := &store.Mem{}
	r := run(t, m, m.job(t, blobs, nil, "userns"), blobs, nil)
	if log := read(t, blobs, r); !strings.Contains(log, "operation not permitted") || r.Failure == nil {
		t.Errorf("a step makes a user namespace: %q", log)
	}
}

// testAttack has a step send all signals everywhere: the machine goes on, and the log says so.
func testAttack(t *testing.T, m subject) {
	blobs := &store.Mem{}
	_, log := succeed(t, m, m.job(t, blobs, nil, "attack", "print still here"), blobs)
	if want := "still here\n"; log != want {
		t.Errorf("log = %q; want %q", log, want)
	}
}

// testSeedCalls runs programs of a few instructions under machine.CallsSeed, for a program in Go makes more calls.
func testSeedCalls(t *testing.T, m subject) {
	need.Arch(t, "amd64") // the programs below
	exit0 := exitCode()
	getpid := []byte{
		0xb8, 39, 0, 0, 0, // mov eax, 39 (getpid)
		0x0f, 0x05, // syscall
	}
	clone := func(flags uint32) []byte { // the child goes on as the parent does
		return []byte{
			0xbf, byte(flags), byte(flags >> 8), byte(flags >> 16), byte(flags >> 24), // mov edi, flags
			0x31, 0xf6, // xor esi, esi
			0xb8, 56, 0, 0, 0, // mov eax, 56 (clone)
			0x0f, 0x05, // syscall
		}
	}
	x32 := []byte{
		0xb8, 0, 0, 0, 0x40, // mov eax, 0x40000000 (read of the x32 ABI)
		0x0f, 0x05, // syscall
	}
	i386 := []byte{
		0xb8, 3, 0, 0, 0, // mov eax, 3 (read of i386, close of amd64)
		0xcd, 0x80, // int 0x80
	}
	tests := []struct {
		name  string
		code  []byte
		calls machine.Calls
		fails bool
	}{
		{"exit_group", exit0, machine.CallsSeed, false},
		{"getpid", append(getpid, exit0...), machine.CallsSeed, true},
		{"getpid where any call may be made", append(getpid, exit0...), machine.CallsAny, false},
		{"clone as fork", append(clone(17), exit0...), machine.CallsSeed, false}, // SIGCHLD
		{"clone with a user namespace", append(clone(0x10000011), exit0...), machine.CallsSeed, true},
		{"clone as a thread", append(clone(0x10f00), exit0...), machine.CallsSeed, true},
		{"a call of the x32 ABI", append(x32, exit0...), machine.CallsSeed, true},
		{"a call of i386", append(i386, exit0...), machine.CallsSeed, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			blobs := &store.Mem{}
			j := m.job(t, blobs, nil)
			j.Inputs = Tree(t, File(t, blobs, "program", elf(tt.code), machine.ModeExecutable))
			j.Steps = []machine.Step{{Argv: []string{"program"}, Limit: time.Minute}}
			j.Calls = tt.calls
			r := run(t, m, j, blobs, nil)
			if !tt.fails {
				if r.Failure != nil {
					t.Errorf("Failure = %+v; want none", *r.Failure)
				}
				return
			}
			checkFailure(t, r, machine.Failure{
				Cause: machine.CauseCall, Step: 0, Detail: `SIGSYS: a system call that is not in the set "seed"`,
			})
		})
	}
}

// testSeedCallsAbsent is about a program that cannot be started when the filter is in force already.
func testSeedCallsAbsent(t *testing.T, m subject) {
	blobs := &store.Mem{}
	j := m.job(t, blobs, nil)
	j.Steps = []machine.Step{{Argv: []string{"absent"}, Limit: time.Minute}}
	j.Calls = machine.CallsSeed
	checkFailure(t, run(t, m, j, blobs, nil), machine.Failure{
		Cause: machine.CauseStart, Step: 0, Detail: `cannot start "absent": no such file or directory`,
	})
}

// exitCode ends a process with status 0.
func exitCode() []byte {
	return []byte{
		0x31, 0xff, // xor edi, edi
		0xb8, 231, 0, 0, 0, // mov eax, 231 (exit_group)
		0x0f, 0x05, // syscall
	}
}

// Nothing is a job for amd64 of so many steps that do nothing but end, to measure what a machine costs.
func Nothing(t testing.TB, blobs store.Blobs, steps int, calls machine.Calls) machine.Job {
	j := machine.Job{
		Name: "nothing", Arch: "amd64", Limits: generous(), Calls: calls,
		Inputs: Tree(t, File(t, blobs, "nothing", elf(exitCode()), machine.ModeExecutable)),
	}
	for range steps {
		j.Steps = append(j.Steps, machine.Step{Argv: []string{"nothing"}, Limit: time.Minute})
	}
	return j
}

// elf is an executable file for amd64 that is one segment at 0x400000 and starts with the code. The code comes after the
// ELF header of 64 bytes and one program header of 56.
func elf(code []byte) string {
	const base, start = 0x400000, 64 + 56
	word := func(v uint64, size int) string {
		var b strings.Builder
		for range size {
			b.WriteByte(byte(v))
			v >>= 8
		}
		return b.String()
	}
	size := uint64(start + len(code))
	var b strings.Builder
	b.WriteString("\x7fELF\x02\x01\x01" + word(0, 9))                              // 64 bits, little-endian
	b.WriteString(word(2, 2) + word(62, 2) + word(1, 4))                           // ET_EXEC, EM_X86_64, version
	b.WriteString(word(base+start, 8) + word(64, 8) + word(0, 8) + word(0, 4))     // entry, program headers, sections, flags
	b.WriteString(word(64, 2) + word(56, 2) + word(1, 2) + word(0, 6))             // sizes and numbers of headers
	b.WriteString(word(1, 4) + word(5, 4) + word(0, 8) + word(base, 8))            // PT_LOAD, R+X, offset, address
	b.WriteString(word(base, 8) + word(size, 8) + word(size, 8) + word(0x1000, 8)) // physical, sizes, alignment
	return fmt.Sprint(b.String(), string(code))
}
