// SPDX-License-Identifier: MIT

// Command probe is what the contract suite of machines runs as a step: one verb that does something a step may or may
// not do, and prints what came of it. It is built without cgo, so that it needs no other file.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Println("probe:", err)
		os.Exit(1)
	}
}

// run does what a verb says. The verbs that end otherwise than with status 0 or 1 do not return.
func run(verb string, args []string) error {
	verbs := map[string]func([]string) error{
		"print":   printArgs,
		"write":   func(a []string) error { return os.WriteFile(a[0], []byte(a[1]), 0o666) },
		"cp":      func(a []string) error { return copyFile(a[0], a[1]) },
		"exe":     func(a []string) error { return os.Chmod(a[0], 0o755) },
		"mkdir":   func(a []string) error { return os.Mkdir(a[0], 0o777) },
		"symlink": func(a []string) error { return os.Symlink(a[0], a[1]) },
		"fifo":    func(a []string) error { return syscall.Mkfifo(a[0], 0o666) },
		"fill":    func(a []string) error { return fill(a[0], number(a[1])) },
		"quiet":   func(a []string) error { _ = fill(a[0], number(a[1])); return nil },
		"files":   func(a []string) error { return files(a[0], number(a[1])) },
		"spew":    func(a []string) error { return spew(number(a[0])) },
		"exit":    func(a []string) error { os.Exit(number(a[0])); return nil },
		"kill":    func(a []string) error { return kill(number(a[0])) },
		"attack":  func([]string) error { return attack() },
		"hog":     func(a []string) error { return hog(number(a[0])) },
		"forks":   func(a []string) error { return forks(number(a[0])) },
		"wait":    func([]string) error { time.Sleep(time.Hour); return nil },
		"daemon":  daemon,
		"modify":  func(a []string) error { return modify(a[0]) },
		"connect": func(a []string) error { _, err := net.DialTimeout("tcp", a[0], time.Second); return err },
		"read":    func(a []string) error { return copyFile(a[0], "/dev/stdout") },
		"devices": func([]string) error { return devices() },
		"ls":      func([]string) error { return ls() },
		"facts":   func([]string) error { return facts() },
		"userns":  func([]string) error { return userNamespace() },
	}
	do, ok := verbs[verb]
	if !ok {
		return fmt.Errorf("no verb %q", verb)
	}
	return do(args)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func printArgs(args []string) error {
	_, err := fmt.Println(strings.Join(args, " "))
	return err
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o666)
}

func fill(name string, size int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for block := make([]byte, 1<<16); size > 0; size -= len(block) {
		if _, err := f.Write(block[:min(size, len(block))]); err != nil {
			return err
		}
	}
	return nil
}

func files(prefix string, n int) error {
	for i := range n {
		if err := os.WriteFile(prefix+strconv.Itoa(i), nil, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func spew(n int) error {
	_, err := io.CopyN(os.Stdout, zeros{}, int64(n))
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func kill(n int) error {
	if err := syscall.Kill(os.Getpid(), syscall.Signal(n)); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

// attack sends every signal to process 1 and to all processes it may send one to.
func attack() error {
	signal.Ignore()
	for n := 1; n < 65; n++ {
		_ = syscall.Kill(1, syscall.Signal(n))
		if s := syscall.Signal(n); s != syscall.SIGKILL && s != syscall.SIGSTOP {
			_ = syscall.Kill(-1, s)
		}
	}
	return nil
}

func hog(mib int) error {
	block := make([]byte, mib<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
	return fmt.Errorf("%d", block[0])
}

// forks makes n processes that wait.
func forks(n int) error {
	for range n {
		if fork() != 0 {
			return fmt.Errorf("fork failed")
		}
	}
	time.Sleep(time.Hour)
	return nil
}

//go:nosplit
//go:norace
func fork() syscall.Errno {
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	for pid == 0 && errno == 0 {
		syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
	return errno
}

// daemon starts a process that has a session of its own, and then what the arguments say, which may be nothing. The
// process is shown by its first argument.
func daemon(args []string) error {
	cmd := exec.Cmd{Path: os.Args[0], Args: []string{os.Args[0], "wait", args[0]}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Println("ready")
	if len(args) > 1 {
		return run(args[1], args[2:])
	}
	return nil
}

// modify tries all ways to change an input, and prints those that worked.
func modify(name string) error {
	ways := map[string]func() error{
		"chmod":    func() error { return os.Chmod(name, 0o777) },
		"open":     func() error { _, err := os.OpenFile(name, os.O_WRONLY, 0); return err },
		"truncate": func() error { return os.Truncate(name, 0) },
		"times":    func() error { return os.Chtimes(name, time.Unix(9, 9), time.Unix(9, 9)) },
		"replace":  func() error { return errorOf(os.WriteFile("other", nil, 0o666), os.Rename("other", name)) },
		"rename":   func() error { return os.Rename(name, "renamed") },
		"unlink":   func() error { return os.Remove(name) },
		"unmount":  func() error { return syscall.Unmount(name, syscall.MNT_DETACH) },
		"remount":  func() error { return syscall.Mount("", name, "", syscall.MS_REMOUNT|syscall.MS_BIND, "") },
	}
	order := []string{"chmod", "open", "truncate", "times", "replace", "rename", "unlink", "unmount", "remount"}
	for _, way := range order {
		if ways[way]() == nil {
			fmt.Println("modified by", way)
		}
	}
	return nil
}

func errorOf(first, last error) error {
	if first != nil {
		return nil // the way itself is broken: show it
	}
	return last
}

// ls prints the paths of all files there are.
func ls() error {
	return filepath.WalkDir("/", func(name string, _ os.DirEntry, err error) error {
		if err == nil {
			fmt.Println(name)
		}
		return err
	})
}

// facts prints what a process can find out about where it runs.
func facts() error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	links, err := net.Interfaces()
	up := slices.ContainsFunc(links, func(i net.Interface) bool { return i.Flags&net.FlagUp != 0 })
	fmt.Printf("host %s\ndir %s\nuid %d gid %d\nenv %q\nlinks %d up %v %v\n",
		host, dir, os.Getuid(), os.Getgid(), os.Environ(), len(links), up, err)
	fmt.Printf("umask %#o\ninput %s\n", syscall.Umask(0), inputSize())
	for fd := 0; fd < 1024; fd++ {
		var s syscall.Stat_t
		if syscall.Fstat(fd, &s) == nil && s.Mode&syscall.S_IFMT != 0 && !isGo(fd) {
			fmt.Printf("descriptor %d\n", fd)
		}
	}
	for pid := 1; pid < 5000; pid++ {
		// Unlike kill, tgkill takes a thread, of which this process has some, for none of its own.
		_, _, errno := syscall.Syscall(syscall.SYS_TGKILL, uintptr(pid), uintptr(pid), 0)
		if pid != os.Getpid() && errno != syscall.ESRCH {
			fmt.Printf("process %d\n", pid)
		}
	}
	_, err = os.ReadFile("/proc/self/status")
	fmt.Println("proc:", err)
	return capabilities()
}

func inputSize() string {
	b, err := io.ReadAll(os.Stdin)
	return fmt.Sprintf("%d %v", len(b), err)
}

// isGo tells whether the descriptor is one that the Go runtime opened here: those are closed on execve.
func isGo(fd int) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0 && flags&syscall.FD_CLOEXEC != 0
}

func userNamespace() error {
	cmd := exec.Cmd{Path: os.Args[0], Args: []string{os.Args[0], "print", "in a user namespace"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	return cmd.Run()
}
