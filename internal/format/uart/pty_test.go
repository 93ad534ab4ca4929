// SPDX-License-Identifier: MIT

//go:build linux

package uart

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/need"
)

// openPTY gives the two ends of a pseudo-terminal as the kernel sets it up: lines, echo, LF to CR LF.
func openPTY(t testing.TB) (master, slave *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		need.Unmet(t, "a pseudo-terminal: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		need.Unmet(t, "a pseudo-terminal: %v", err)
	}
	termios, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	const out, local = unix.OPOST | unix.ONLCR, unix.ECHO | unix.ICANON
	if termios.Oflag&out != out || termios.Lflag&local != local {
		t.Fatalf("the terminal has flags %#x, %#x; want it to change what passes", termios.Oflag, termios.Lflag)
	}
	return pollable(t, master), pollable(t, slave)
}

// pollable gives a file whose Close ends a Read that waits: Fd has made it one that does not.
func pollable(t testing.TB, f *os.File) *os.File {
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	name := f.Name()
	f.Close()
	return os.NewFile(uintptr(fd), name)
}

// TestStreamThroughAPTY sends as a guest does, on the slave's side. Somebody else prints there too.
func TestStreamThroughAPTY(t *testing.T) {
	for _, window := range []int{1, DefaultWindow} {
		master, slave := openPTY(t)
		seed := noise(5)
		want := seed.bytes(400_000)
		var text bytes.Buffer
		r := NewReceiver(master, master, Options{Text: &text, Idle: 50 * time.Millisecond, Patience: 100})
		done := make(chan error, 1)
		go func() {
			s := NewSender(slave, slave, SenderOptions{Window: window, Patience: 5 * time.Second})
			for i := 0; i < len(want); i += 100_000 {
				fmt.Fprintf(slave, "[    0.%06d] a step starts\n", i)
				if _, err := s.Write(want[i : i+100_000]); err != nil {
					break // Close says it again
				}
			}
			done <- s.Close()
		}()
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("window %d: ReadAll = %d bytes, %v; want %d", window, len(got), err, len(want))
		}
		if err := <-done; err != nil {
			t.Errorf("window %d: sending: %v", window, err)
		}
		if steps := strings.Count(text.String(), "a step starts\r\n"); steps != 4 {
			t.Errorf("window %d: the text has %d of 4 lines: %.500q", window, steps, text.String())
		}
		r.Close()
	}
}
