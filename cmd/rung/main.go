// SPDX-License-Identifier: MIT

// Command rung builds bootable systems from a seed of a few hundred bytes; see internal/cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/qemu"
)

func main() {
	if status, ok := agent.Child(); ok {
		os.Exit(status)
	}
	if status, ok := qemu.Guest(); ok {
		os.Exit(status)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
