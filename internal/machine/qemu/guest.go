// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/format/uart"
	"github.com/rung-build/rung/internal/machine/agent"
)

// Files of the initramfs, without the leading slash.
const (
	initFile     = "init"        // process 1
	guestProgram = agent.Program // what it starts
	setupFile    = "setup.json"  // a setup
	modulesDir   = "modules"     // modules in the order in which they are loaded
	orderFile    = "order"       // the order, where it is on no disk
)

// guestWord is the argument of the agent in a guest.
const guestWord = "rung:guest"

// Devices of a guest.
const (
	orderDisk   = "/dev/vda"
	consoleLine = "/dev/ttyS0"
	reportLine  = "/dev/ttyS1"
	kernelLog   = "/dev/kmsg"
)

// setup is what process 1 has to know of the machine it is in.
type setup struct {
	Modules []string // names of files below modulesDir
	Disk    []string // those that are needed beside where the order is on a disk
	Virtio  bool     // reports go over a virtio-serial port
}

// Signs of life come so often, and a device may take so long to appear.
const (
	alivePeriod = 2 * time.Second
	deviceTime  = 20 * time.Second
	devicePause = time.Millisecond
)

// Guest has to be called first thing by main, and by TestMain of each test that runs jobs on this machine: the agent of a
// guest is the running program's own file. In that process it does an agent's work and gives the status to exit with, and
// process 1 ends the machine; in any other process it does nothing and ok is false.
func Guest() (status int, ok bool) {
	if len(os.Args) != 2 || os.Args[1] != guestWord || os.Getpid() != 1 {
		return 0, false
	}
	err := mount("devtmpfs", "/dev")
	say("the agent is process 1 of its namespace")
	if err == nil {
		err = serve()
	}
	if err != nil {
		say(err.Error())
		return 1, true
	}
	return 0, true
}

func mount(kind, at string) error {
	if err := unix.Mount("rung", at, kind, unix.MS_NOSUID|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting %s: %w", at, err)
	}
	return nil
}

// say says something on the console.
func say(text string) {
	if log, err := os.OpenFile(kernelLog, os.O_WRONLY, 0); err == nil {
		fmt.Fprintf(log, "rung: %s", text)
		log.Close()
	}
}

// serve makes of a kernel that has just started a machine that an agent can work in.
func serve() error {
	if err := errors.Join(mount("proc", "/proc"), mount("sysfs", "/sys")); err != nil {
		return err
	}
	text, err := os.ReadFile("/" + setupFile)
	if err != nil {
		return err
	}
	var s setup
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: %w", setupFile, err)
	}
	if err := loadAll(s.Modules); err != nil {
		return err
	}
	order, err := openOrder(s.Disk)
	if err != nil {
		return fmt.Errorf("the order: %w", err)
	}
	if s.Virtio {
		return serveVirtio(order)
	}
	return serveUART(order)
}

func loadAll(names []string) error {
	for _, name := range names {
		if err := load(filepath.Join("/", modulesDir, name)); err != nil {
			return fmt.Errorf("loading the module %s: %w", name, err)
		}
	}
	return nil
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// openOrder opens the order, which is a file, or else a disk.
func openOrder(modules []string) (*os.File, error) {
	order, err := os.Open("/" + orderFile)
	if err == nil {
		return order, os.Remove(order.Name()) // its memory is free as soon as it is read
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := loadAll(modules); err != nil {
		return nil, err
	}
	disk, err := awaitDevice(func() (string, bool) { _, err := os.Stat(orderDisk); return orderDisk, err == nil })
	if err != nil {
		return nil, fmt.Errorf("the disk %s: %w", orderDisk, err)
	}
	return os.Open(disk)
}

// serveVirtio reports over the port, from which what a person types comes as well.
func serveVirtio(order *os.File) error {
	name, err := awaitDevice(func() (string, bool) { return findPort("/sys/class/virtio-ports") })
	if err != nil {
		return fmt.Errorf("the port %s: %w", portName, err)
	}
	port, err := os.OpenFile(filepath.Join("/dev", name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer port.Close()
	return report(order, port, &chunkWriter{line: port})
}

// awaitDevice waits until a device has appeared.
func awaitDevice(look func() (string, bool)) (string, error) {
	for range deviceTime / devicePause {
		if name, ok := look(); ok {
			return name, nil
		}
		time.Sleep(devicePause)
	}
	return "", fmt.Errorf("not there after %v", deviceTime)
}

// findPort gives the device of the port for reports, among all ports in a folder of the sysfs.
func findPort(folder string) (string, bool) {
	ports, err := os.ReadDir(folder)
	if err != nil {
		return "", false
	}
	for _, p := range ports {
		name, err := os.ReadFile(filepath.Join(folder, p.Name(), "name"))
		if err == nil && strings.TrimSpace(string(name)) == portName {
			return p.Name(), true
		}
	}
	return "", false
}

// serveUART reports over the second serial line, and reads what a person types from the first, on which the kernel only
// writes.
func serveUART(order *os.File) error {
	typed, err := openLine(consoleLine)
	if err != nil {
		return err
	}
	line, err := openLine(reportLine)
	if err != nil {
		return err
	}
	sender := uart.NewSender(line, line, uart.SenderOptions{})
	return errors.Join(report(order, typed, &chunkWriter{line: sender, flush: sender.Flush}), sender.Close())
}

// report has an agent work, and shows that the machine lives while it does.
func report(order *os.File, typed io.Reader, out *chunkWriter) error {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(alivePeriod)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if out.alive() != nil {
					return
				}
			}
		}
	}()
	err := agent.Serve(bufio.NewReaderSize(order, 1<<20), bufio.NewReader(typed), out)
	close(over)
	<-done
	return err
}

// openLine opens a serial line and makes it carry bytes as they are. Source of the settings: cfmakeraw of termios(3).
func openLine(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	raw, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CLOCAL | unix.CREAD
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, raw); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}
