// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// startAtTerminal starts a process at a terminal of its own, which is the person's: what they type goes there, what it
// shows comes here and to the console's log. The person's terminal is as it was when the process has ended.
func (is *liveProcess) startAtTerminal(in, out *os.File, console io.Writer) error {
	ours, theirs, err := openTerminal()
	if err != nil {
		return err
	}
	is.cmd.Stdin, is.cmd.Stdout, is.cmd.Stderr = theirs, theirs, theirs
	is.cmd.SysProcAttr.Setsid, is.cmd.SysProcAttr.Setctty, is.cmd.SysProcAttr.Ctty = true, true, 0
	resize(in, ours)
	sizes := make(chan os.Signal, 1)
	signal.Notify(sizes, unix.SIGWINCH)
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		ours.Close()
		theirs.Close()
		return fmt.Errorf("terminal: %w", err)
	}
	restore := func() {
		signal.Stop(sizes)
		close(sizes)
		_ = term.Restore(int(in.Fd()), before) // the terminal may be gone
		ours.Close()
	}
	go func() {
		for range sizes {
			resize(in, ours)
		}
	}()
	shown := make(chan struct{})
	err = is.start(func() error {
		err := is.cmd.Wait()
		<-shown
		restore()
		return err
	})
	theirs.Close()
	if err != nil {
		close(shown)
		restore()
		return err
	}
	go func() { // ends with an error when nobody has the other side open any more
		defer close(shown)
		_, _ = io.Copy(io.MultiWriter(out, console), ours)
	}()
	go func() { _, _ = io.Copy(ours, in) }() // waits for the person, and so may outlive the process by a key
	return nil
}

// resize gives a terminal the size of another; that neither has one is fine.
func resize(from, to *os.File) {
	if size, err := unix.IoctlGetWinsize(int(from.Fd()), unix.TIOCGWINSZ); err == nil {
		_ = unix.IoctlSetWinsize(int(to.Fd()), unix.TIOCSWINSZ, size)
	}
}

// openTerminal makes a pseudoterminal. Source: pts(4).
func openTerminal() (ours, theirs *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("/dev/ptmx: %w", err)
	}
	ours = os.NewFile(uintptr(fd), "terminal")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		ours.Close()
		return nil, nil, fmt.Errorf("terminal: %w", err)
	}
	return ours, theirs, nil
}
