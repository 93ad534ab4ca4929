// SPDX-License-Identifier: MIT

package console_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/console"
)

// seen is a console that was recorded. All are of linux-image-6.1.0-56-cloud-amd64 of Debian, on qemu-system-x86_64
// -M pc -accel tcg -m 256 -nodefaults -no-user-config -display none -serial stdio -no-reboot with -append
// "console=ttyS0 panic=-1", shortened to the line of the version, without the compiler's, and what came last.
type seen struct {
	file string
	made string // how
	kind fault.Kind
	text string
}

// Where "poked", a debugger at QEMU's -gdb wrote instructions over the kernel's sethostname, which init then called.
func recorded() []seen {
	return []seen{
		{"panic-no-init.txt", "an initramfs without init", fault.Panic,
			"kernel panic: VFS: Unable to mount root fs on unknown-block(0,0)"},
		{"panic-init-ended.txt", "an init that is `exit 1`", fault.Panic,
			"kernel panic: Attempted to kill init! exitcode=0x00000100"},
		{"panic-no-stamps.txt", "the same, with printk.time=0", fault.Panic,
			"kernel panic: Attempted to kill init! exitcode=0x00000100"},
		{"panic-sysrq.txt", "echo c >/proc/sysrq-trigger", fault.Panic, "kernel panic: sysrq triggered crash"},
		{"oops-null.txt", "poked: mov 0, %rax", fault.Oops,
			"kernel oops: BUG: kernel NULL pointer dereference, address: 0000000000000000"},
		{"oops-panic.txt", "the same, with oops=panic", fault.Oops,
			"kernel oops: BUG: kernel NULL pointer dereference, address: 0000000000000000"},
		{"oops-protection.txt", "poked: movabs $0xdead000000000000, %rax; mov (%rax), %rax", fault.Oops,
			"kernel oops: general protection fault, probably for non-canonical address 0xdead000000000000: 0000 [#1] " +
				"PREEMPT SMP NOPTI"},
		{"oops-bug.txt", "poked: ud2", fault.Oops, "kernel oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI"},
		{"oops-lockup.txt", "poked: jmp to itself; softlockup_panic=1, kernel.watchdog_thresh=1", fault.Oops,
			"kernel oops: watchdog: BUG: soft lockup - CPU#0 stuck for 3s! [busybox:80]"},
		{"memory.txt", "tail /dev/zero, with -m 128", fault.OutOfMemory,
			"out of memory: Killed process 79 (busybox) total-vm:69416kB, anon-rss:67212kB, file-rss:4kB, " +
				"shmem-rss:1344kB, UID:0 pgtables:168kB oom_score_adj:0"},
		{"reboot.txt", "reboot -f, without -no-reboot", fault.Reboot,
			"reboot that nobody asked for, after: [    1.454892] reboot: machine restart"},
		{"reboot-firmware.txt", "the same, with -nographic, so that the firmware is at the serial line", fault.Reboot,
			"reboot that nobody asked for, after: [    1.451831] reboot: machine restart"},
		{"good.txt", "an init that ends with poweroff -f", fault.EarlyExit,
			"the machine ended before the job did: exit status 0"},
	}
}

func (s seen) read(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", s.file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWatcherTellsRecordedConsolesApart(t *testing.T) {
	for _, s := range recorded() {
		for name, grace := range map[string]time.Duration{"at once": 0, "with the trace": time.Minute} {
			t.Run(s.file+" "+name, func(t *testing.T) {
				w := console.New(console.Options{Grace: grace})
				write(t, w, string(s.read(t)))
				w.Exited("exit status 0")
				found := w.Found()
				if found == nil || found.Kind != s.kind || found.Text != s.text {
					t.Fatalf("of %s: Found() = %+v; want %v, %q", s.made, found, s.kind, s.text)
				}
				if len(found.Tail) == 0 || len(found.Tail) > 40 {
					t.Errorf("of %s: %d lines in the tail; want 1 to 40", s.made, len(found.Tail))
				}
				_, words, _ := strings.Cut(s.text, ": ")
				if s.kind != fault.EarlyExit && !strings.Contains(strings.Join(found.Tail, "\n"), words) {
					t.Errorf("of %s: the tail lacks %q:\n%s", s.made, words, strings.Join(found.Tail, "\n"))
				}
			})
		}
	}
}

func TestTailHoldsTheTraceAfterTheGrace(t *testing.T) {
	w := console.New(console.Options{Grace: time.Minute})
	write(t, w, string(seen{file: "panic-init-ended.txt"}.read(t)))
	w.Exited("exit status 0")
	if got := strings.Join(w.Found().Tail, "\n"); !strings.Contains(got, "do_group_exit") {
		t.Errorf("the tail of a panic lacks its trace:\n%s", got)
	}
}

// TestWhatTellsNothing has lines that begin nothing of the kernel's; each comes after the lines before it.
func TestWhatTellsNothing(t *testing.T) {
	for name, text := range map[string]string{
		"a program's line after a stamp": "[    0.000000] Linux version 6.1\r\nKernel panic - not syncing: x\nBUG: y\n",
		"a program's banner":             "[    0.000000] Linux version 6.1\r\nLinux version 6.1\nLinux version 6.1\n",
		"words in a sentence":            "[    1.000000] init: no Kernel panic - not syncing: x\n[    1.000000] a BUG: y\n",
		"a process named so":             "[    1.000000] traps: BUG: [63] general protection fault ip:0 sp:0 error:0\n",
		"a memory group":                 "[    1.000000] Memory cgroup out of memory: Killed process 9 (x)\n",
		"firmware, then a kernel":        "SeaBIOS (version 1)\r\n[    0.000000] Linux version 6.1\r\n",
		"words in a sentence, unstamped": "the log says Kernel panic - not syncing: x\n",
		"nothing":                        "",
	} {
		w := console.New(console.Options{})
		write(t, w, text)
		w.Done()
		if found := w.Found(); found != nil {
			t.Errorf("%s: Found() = %q; want nothing", name, found.Text)
		}
	}
}

func TestWhereTheKernelWritesWithinALine(t *testing.T) {
	const panics = "Kernel panic - not syncing: x"
	flood := strings.Repeat("garbage \xff\x00", 1<<20)
	for name, text := range map[string]string{
		"after a prompt":         "[    1.000000] a\r\n/ # [    2.000000] " + panics + "\r\n",
		"after a flood":          flood + "[    2.000000] " + panics + "\r\n",
		"with a caller":          "[    2.000000][    T1] " + panics + "\r\n",
		"after colours":          "\x1b[31m\x1b]0;title\x07\x1b(B[    2.000000] " + panics + "\r\n",
		"after a bare CR":        "10%\r20%\r" + panics + "\r",
		"without an end":         panics,
		"with more CR than due":  panics + "\r\r\n",
		"after an empty console": "\r\n\r\n" + panics + "\r\n",
	} {
		w := console.New(console.Options{})
		write(t, w, text)
		w.Exited("killed")
		if got := w.Found(); got == nil || got.Text != "kernel panic: x" {
			t.Errorf("%s: Found() = %+v; want a panic", name, got)
		}
	}
}

func TestMemoryIsNotOnlyAPanic(t *testing.T) {
	for text, want := range map[string]string{
		"Kernel panic - not syncing: System is deadlocked on memory": "out of memory: Kernel panic - not syncing: System is " +
			"deadlocked on memory",
		"Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled": "out of memory: compulsory " +
			"panic_on_oom is enabled",
		"Out of memory and no killable processes...": "out of memory: Out of memory and no killable processes...",
	} {
		w := console.New(console.Options{})
		write(t, w, text+"\n")
		w.Done()
		if got := w.Found(); got == nil || got.Kind != fault.OutOfMemory || got.Text != want {
			t.Errorf("of %q: Found() = %+v; want %q", text, got, want)
		}
	}
}

func TestTailIsClean(t *testing.T) {
	w := console.New(console.Options{})
	write(t, w, "\x1bc\x1b[?7l\x1b[2Ja\tb \r\n\r\n\x1b[1;31mred\x1b[0m\a\x00\xc2\x9b\r\n\xff\xfe c\n\x1b]0;t\x1b\\d\x1b[")
	w.Done()
	if diff := cmp.Diff([]string{"a\tb", "red", "\uFFFD c", "d"}, w.Tail()); diff != "" {
		t.Errorf("Tail() differs (-want +got):\n%s", diff)
	}
}

func TestTailIsBounded(t *testing.T) {
	w := console.New(console.Options{})
	write(t, w, strings.Repeat("x", 1<<20)+"\n"+strings.Repeat("\xffy", 1<<16))
	w.Done()
	tail := w.Tail()
	if len(tail) != 40 || slices.ContainsFunc(tail, func(l string) bool { return len(l) > 4<<10 }) {
		t.Errorf("Tail() has %d lines, the longest of %d bytes; want 40 of at most 4096", len(tail),
			len(slices.MaxFunc(tail, func(a, b string) int { return len(a) - len(b) })))
	}
}

func TestFaultHasKindHintAndConsole(t *testing.T) {
	for _, s := range recorded() {
		w := console.New(console.Options{})
		write(t, w, string(s.read(t)))
		w.Exited("exit status 0")
		whole := digest.Of([]byte(s.file))
		err := w.Found().Fault(whole)
		var got *console.Trouble
		if !errors.As(err, &got) || got.Console != whole || err.Error() != s.text || !slices.Equal(got.Tail, w.Found().Tail) {
			t.Errorf("%s: Fault() = %v, with %+v; want %q and its console", s.file, err, got, s.text)
		}
		if kind := fault.KindOf(err); kind != s.kind || fault.HintOf(err) == "" {
			t.Errorf("%s: Fault() is of kind %v, hint %q; want %v and some", s.file, kind, fault.HintOf(err), s.kind)
		}
		if !w.Found().Console.IsZero() {
			t.Errorf("%s: Fault() changed what Found gives", s.file)
		}
	}
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			live func(*console.Watcher)
			want string
		}{
			"nothing at all": {func(*console.Watcher) {}, "no sign of life for 10s: nothing on the console"},
			"a last line": {func(w *console.Watcher) { write(t, w, "Booting\r\nthe kernel") },
				"no sign of life for 10s: the last line is: the kernel"},
		} {
			told := make(chan *console.Trouble, 1)
			w := console.New(console.Options{Silence: 10 * time.Second, Trouble: func(x *console.Trouble) { told <- x }})
			test.live(w)
			for range 5 { // alive, for 45 seconds
				time.Sleep(9 * time.Second)
				w.Alive()
			}
			begin := time.Now()
			got := <-told
			if d := time.Since(begin); d != 10*time.Second || got.Kind != fault.Silence || got.Text != test.want {
				t.Errorf("%s: after %v: %v, %q; want silence after 10 s, %q", name, d, got.Kind, got.Text, test.want)
			}
			w.Exited("killed")
			if w.Found() != got {
				t.Errorf("%s: Found() = %+v; want what was told", name, w.Found())
			}
		}
	})
}

func TestSilenceEndsWithTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(*console.Watcher){
			"done":   (*console.Watcher).Done,
			"exited": func(w *console.Watcher) { w.Exited("killed") },
		} {
			n := make(chan fault.Kind, 2)
			w := console.New(console.Options{Silence: time.Second, Trouble: func(x *console.Trouble) { n <- x.Kind }})
			end(w)
			w.Alive()
			write(t, w, "Kernel panic - not syncing: x\n")
			end(w)
			time.Sleep(time.Minute)
			for len(n) > 0 {
				if kind := <-n; kind != fault.EarlyExit || name == "done" {
					t.Errorf("%s: told of %v", name, kind)
				}
			}
		}
	})
}

func TestGrace(t *testing.T) {
	const line, late = "Kernel panic - not syncing: x\n", "late\n"
	for name, test := range map[string]struct {
		after string
		wait  time.Duration // until it is told
		last  string
	}{
		"its time":        {"a\n", 10 * time.Second, "a"},
		"the end of it":   {"---[ end Kernel panic - not syncing: x ]---\n", 0, "---[ end Kernel panic - not syncing: x ]---"},
		"the next start":  {"SeaBIOS (version 1)\n", 0, "SeaBIOS (version 1)"},
		"a long trace":    {strings.Repeat("b\n", 30), 0, "b"},
		"another trouble": {"BUG: y\n", 10 * time.Second, "BUG: y"},
	} {
		synctest.Test(t, func(t *testing.T) {
			told := make(chan *console.Trouble, 1)
			w := console.New(console.Options{
				Silence: time.Second, Grace: 10 * time.Second,
				Trouble: func(x *console.Trouble) { told <- x },
			})
			begin := time.Now()
			write(t, w, "before\n"+line+test.after)
			got := <-told
			write(t, w, late)
			w.Exited("killed")
			if d := time.Since(begin); d != test.wait || got.Text != "kernel panic: x" {
				t.Errorf("%s: after %v: %q; want a panic after %v", name, d, got.Text, test.wait)
			}
			if got.Tail[0] != "before" || got.Tail[len(got.Tail)-1] != test.last {
				t.Errorf("%s: tail %q; want from %q to %q", name, got.Tail, "before", test.last)
			}
		})
	}
}

// TestDone has troubles whose grace the end of the job meets.
func TestDone(t *testing.T) {
	for text, want := range map[string]fault.Kind{
		"Kernel panic - not syncing: Attempted to kill init!\n": fault.Internal, // none
		"BUG: x\n":                              fault.Oops,
		"Out of memory: Killed process 9 (x)\n": fault.OutOfMemory,
	} {
		w := console.New(console.Options{Grace: time.Hour})
		write(t, w, text)
		w.Done()
		w.Exited("exit status 0")
		got := fault.Internal
		if found := w.Found(); found != nil {
			got = found.Kind
		}
		if got != want {
			t.Errorf("after %q and Done: %v; want %v", text, got, want)
		}
	}
}

func TestTroubleIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan *console.Trouble, 100)
		w := console.New(console.Options{
			Silence: time.Millisecond, Grace: time.Millisecond,
			Trouble: func(x *console.Trouble) { told <- x },
		})
		for range 8 {
			go func() {
				for range 100 {
					write(t, w, "BUG: x\nKernel panic - not syncing: x\n")
					w.Alive()
					w.Tail()
				}
				w.Exited("killed")
			}()
		}
		synctest.Wait()
		if n := len(told); n != 1 {
			t.Errorf("told %d times; want once", n)
		}
	})
}

// FuzzWatcher wants the same of a console whether its bytes come one by one or together, and bounds that hold.
func FuzzWatcher(f *testing.F) {
	for _, s := range recorded() {
		f.Add(s.read(f))
	}
	f.Add([]byte("\x1b[\x1b]\xff\r\r\n[    1.000000][   C3] Oops [#"))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, single := console.New(console.Options{}), console.New(console.Options{})
		write(t, whole, string(text))
		whole.Exited("killed")
		for i := range text {
			write(t, single, string(text[i:i+1]))
		}
		single.Exited("killed")
		if diff := cmp.Diff(whole.Found(), single.Found(), cmpopts.EquateComparable(digest.Digest{})); diff != "" {
			t.Errorf("Found() differs (-whole +single):\n%s", diff)
		}
		tail, found := whole.Tail(), whole.Found()
		if found == nil || len(tail) > 40 || len(found.Tail) > 40 || len(found.Text) > 300 {
			t.Fatalf("%d lines, found %+v; want at most 40 and some trouble", len(tail), found)
		}
		for _, line := range append(tail, found.Text) {
			if line == "" || len(line) > 4<<10 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n\x1b\x00") {
				t.Errorf("line %q; want one that can be shown", line)
			}
		}
	})
}

func write(t testing.TB, w *console.Watcher, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("Write() = %d, %v; want %d", n, err, len(text))
	}
}
