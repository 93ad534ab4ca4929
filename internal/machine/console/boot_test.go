// SPDX-License-Identifier: MIT

package console_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/need"
)

// TestGuestWithoutInit boots a kernel that finds no init, under an emulated processor.
func TestGuestWithoutInit(t *testing.T) {
	need.Arch(t, "amd64")
	qemu, kernel := need.Tool(t, "qemu-system-x86_64"), need.Kernel(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := make(chan *console.Trouble, 1)
	w := console.New(console.Options{
		Silence: 30 * time.Second, Grace: 30 * time.Second,
		Trouble: func(x *console.Trouble) { told <- x },
	})
	cmd := exec.CommandContext(ctx, qemu, "-M", "pc", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", kernel, "-append", "console=ttyS0 panic=-1")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = w, &said
	if err := cmd.Run(); err != nil {
		t.Errorf("qemu: %v: %s", err, said.String())
	}
	w.Exited(cmd.ProcessState.String())
	found := <-told
	if found.Kind != fault.Panic || !strings.HasPrefix(found.Text, "kernel panic: VFS: Unable to mount root fs") {
		t.Errorf("told of %v: %s; want a panic: no root\n%s", found.Kind, found.Text, strings.Join(found.Tail, "\n"))
	}
	if tail := strings.Join(found.Tail, "\n"); !strings.Contains(tail, "Call Trace:") {
		t.Errorf("the tail lacks the trace:\n%s", tail)
	}
}
