// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Where the conductor's own files are, beside the job's.
const (
	ownDir      = ".rung"
	consoleDir  = "dev"
	consoleNode = consoleDir + "/console" // what a kernel opens as standard input, output and error of process 1
)

// The lines as device nodes. Source of the numbers: Documentation/admin-guide/devices.txt of Linux, ttyS0 and up.
const (
	serialMajor = 4
	serialMinor = 64
)

// schemeFiles is an archive being put together.
type schemeFiles struct {
	nodes []tree.Node
	own   map[digest.Digest][]byte // content that is in no store
}

// file adds a file that is not part of the job.
func (a *schemeFiles) file(path string, mode uint32, content []byte) {
	d := digest.Of(content)
	if a.own == nil {
		a.own = map[digest.Digest][]byte{}
	}
	a.own[d] = content
	a.nodes = append(a.nodes, tree.Node{Path: path, Kind: tree.File, Mode: mode, Content: d})
}

// line adds the device node of a serial line, by its number.
func (a *schemeFiles) line(path string, number uint32) {
	a.nodes = append(a.nodes, lineNode(path, number))
}

func lineNode(path string, number uint32) tree.Node {
	return tree.Node{Path: path, Kind: tree.CharDevice, Mode: 0o600, Major: serialMajor, Minor: serialMinor + number}
}

// job adds a job's inputs, and the directories that will hold its exports.
func (a *schemeFiles) job(job machine.Job) {
	open := map[string]bool{}
	for _, dir := range machine.Parents(job.Exports) {
		open[dir] = true
		if _, ok := job.Inputs.Lookup(dir); !ok {
			a.nodes = append(a.nodes, tree.Node{Path: dir, Kind: tree.Dir, Mode: 0o755})
		}
	}
	for n := range job.Inputs.Nodes() {
		if open[n.Path] {
			n.Mode = 0o755
		}
		a.nodes = append(a.nodes, n)
	}
}

// pack writes the archive into a file without a name. Process 1 has the serial line of the number as its standard
// streams: Linux has a dev/console of its own before it unpacks anything, and keeps it where another device of the name
// comes, but not where a file does (clean_path in init/initramfs.c).
func (a *schemeFiles) pack(ctx context.Context, blobs store.Blobs, streams uint32) (*os.File, error) {
	all, err := tree.New(a.nodes...)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "initramfs: %w", err)
	}
	empty := schemeFiles{}
	empty.file(consoleNode, 0o600, nil)
	before, err := tree.New(empty.nodes...)
	if err != nil {
		return nil, err
	}
	after, err := tree.New(lineNode(consoleNode, streams))
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("initramfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "initramfs: %w", err)
	}
	f := os.NewFile(uintptr(fd), "initramfs")
	open := func(d digest.Digest) (io.ReadCloser, error) {
		if content, ok := a.own[d]; ok || d.Size() == 0 {
			return io.NopCloser(bytes.NewReader(content)), nil
		}
		return blobs.Open(ctx, d)
	}
	for _, t := range []tree.Tree{all, before, after} {
		if err := cpio.Encode(f, t, open); err != nil {
			return nil, errors.Join(fmt.Errorf("initramfs: %w", err), f.Close())
		}
	}
	return f, nil
}

// schemeLine is the command line of a kernel whose process 1 is a program of the initramfs with arguments. What is not
// explained here is as in hardware.commandLine.
func schemeLine(program string, args []string) string {
	words := []string{
		"console=ttyS0", "rootfstype=ramfs", "nokaslr", "tsc=reliable", "cryptomgr.notests", "lsm=", "mitigations=off",
		"nolapic",                       // a panic shuts the local APIC, and lines are to be served behind it: see drained
		"sysctl.vm.overcommit_memory=1", // scheme1 asks for more memory than it touches
		"rdinit=/" + program, "--",
	}
	return strings.Join(append(words, args...), " ")
}
