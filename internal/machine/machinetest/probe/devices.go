// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// devices prints what is below /dev, and whether it does what it is for.
func devices() error {
	entries, err := os.ReadDir("/dev")
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Printf("%s %v%s\n", e.Name(), info.Mode(), does(e.Name(), info))
	}
	err = os.WriteFile("/dev/new", nil, 0o666)
	var number syscall.Errno
	if errors.As(err, &number) {
		fmt.Println("a new file:", number)
	}
	return nil
}

func does(name string, info os.FileInfo) string {
	at := "/dev/" + name
	switch name {
	case "ptmx":
		return " " + pseudoTerminal(at)
	case "pts":
		return ""
	case "shm":
		if err := os.WriteFile(at+"/file", []byte("x"), 0o666); err != nil {
			return " " + err.Error()
		}
		return " takes a file"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return " no device"
	}
	return fmt.Sprintf(" %d:%d %s", unix.Major(stat.Rdev), unix.Minor(stat.Rdev), device(name, at))
}

func device(name, at string) string {
	f, err := os.OpenFile(at, os.O_RDWR, 0)
	var number syscall.Errno
	if errors.As(err, &number) {
		return "opening: " + number.Error()
	}
	defer f.Close()
	if name == "full" {
		if _, err := f.Write([]byte("x")); errors.As(err, &number) {
			return "writing: " + number.Error()
		}
		return "takes a byte"
	}
	n, _ := f.Read(make([]byte, 16)) // the end of a file is no bytes
	return fmt.Sprintf("reads %d bytes", n)
}

func pseudoTerminal(at string) string {
	target, err := os.Readlink(at)
	if err != nil {
		return err.Error()
	}
	f, err := os.OpenFile(at, os.O_RDWR, 0)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	number, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPTN)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s, opens pts/%d", target, number)
}
