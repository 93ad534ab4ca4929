// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/format/uart"
	"github.com/rung-build/rung/internal/machine/agent"
)

// Files of the initramfs, without the leading slash.
const (
	guestProgram = agent.Program // process 1
	setupFile    = "setup.json"  // a setup
	modulesDir   = "modules"     // modules in the order in which they are loaded
	orderFile    = "order"       // the order, where it is on no disk
)

// The argument of process 1, and that of what it starts.
const (
	guestWord = "rung:guest"
	innerWord = "rung:guest-agent"
)

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
	Virtio  bool     // reports go over a virtio-serial port, and the order is on a virtio disk
}

// Signs of life come so often, and a device may take so long to appear.
const (
	alivePeriod = 2 * time.Second
	deviceTime  = 20 * time.Second
	devicePause = time.Millisecond
)

// Guest has to be called first thing by main, and by TestMain of each test that runs jobs on this machine: the first
// process of a guest is the running program's own file. There it starts the program once more, as process 1 of a pid
// namespace in which the kernel's own threads are not to be seen, and ends the machine when that has ended; in the second
// it does an agent's work. In both it gives the status to exit with; in any other process it does nothing and ok is false.
func Guest() (status int, ok bool) {
	if len(os.Args) != 2 || os.Getpid() != 1 {
		return 0, false
	}
	var err error
	switch os.Args[1] {
	default:
		return 0, false
	case innerWord:
		if err = serve(); err == nil {
			return 0, true
		}
	case guestWord:
		err = errors.Join(mount("devtmpfs", "/dev"), serveWithin())
		complain(err)
		err = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	}
	complain(err)
	return 1, true
}

// serveWithin starts the program once more, and waits for its end.
func serveWithin() error {
	inner := exec.Cmd{Path: "/" + guestProgram, Args: []string{guestProgram, innerWord}, Env: []string{}}
	inner.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	return inner.Run()
}

func mount(kind, at string) error {
	if err := unix.Mount("rung", at, kind, unix.MS_NOSUID|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting %s: %w", at, err)
	}
	return nil
}

// complain says on the console what is wrong.
func complain(err error) {
	if err == nil {
		return
	}
	if log, openErr := os.OpenFile(kernelLog, os.O_WRONLY, 0); openErr == nil {
		fmt.Fprintf(log, "rung: %v", err)
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
	for _, name := range s.Modules {
		if err := load(filepath.Join("/", modulesDir, name)); err != nil {
			return fmt.Errorf("loading the module %s: %w", name, err)
		}
	}
	if s.Virtio {
		return serveVirtio()
	}
	return serveUART()
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

// serveVirtio reads the order from the disk and reports over the port, from which what a person types comes as well.
func serveVirtio() error {
	name, err := awaitDevice(func() (string, bool) { return findPort("/sys/class/virtio-ports") })
	if err != nil {
		return fmt.Errorf("the port %s: %w", portName, err)
	}
	port, err := os.OpenFile(filepath.Join("/dev", name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer port.Close()
	disk, err := awaitDevice(func() (string, bool) { _, err := os.Stat(orderDisk); return orderDisk, err == nil })
	if err != nil {
		return fmt.Errorf("the disk %s: %w", orderDisk, err)
	}
	order, err := os.Open(disk)
	if err != nil {
		return err
	}
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

// serveUART reads the order from the initramfs, reports over the second serial line, and reads what a person types from
// the first, on which the kernel only writes.
func serveUART() error {
	order, err := os.Open("/" + orderFile)
	if err != nil {
		return err
	}
	if err := os.Remove("/" + orderFile); err != nil { // its memory is free as soon as it is read
		return err
	}
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
