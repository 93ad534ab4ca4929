// SPDX-License-Identifier: MIT

package machine

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/tree"
)

// The only modes a job's inputs and outputs have: a Directory of the Remote Execution API keeps no more of a mode than
// whether a file is executable.
const (
	ModeFile       = 0o444
	ModeExecutable = 0o555
	ModeDir        = 0o555
	ModeSymlink    = 0o777
)

// Normal is the tree as a job takes it and as a machine gives it back: files of mode 0444, or 0555 where any execute
// bit was set, directories of mode 0555, links of mode 0777, owner 0, time 0. It refuses devices, fifos, and links that
// lead out of the tree.
func Normal(t tree.Tree) (tree.Tree, error) {
	nodes := make([]tree.Node, 0, t.Len())
	for n := range t.Nodes() {
		n.UID, n.GID, n.ModTime = 0, 0, 0
		n.Mode = normalMode(n)
		if err := checkNode(n); err != nil {
			return tree.Tree{}, err
		}
		nodes = append(nodes, n)
	}
	return tree.New(nodes...)
}

func normalMode(n tree.Node) uint32 {
	switch {
	case n.Kind == tree.Dir:
		return ModeDir
	case n.Kind == tree.Symlink:
		return ModeSymlink
	case n.Executable():
		return ModeExecutable
	}
	return ModeFile
}

func checkNode(n tree.Node) error {
	switch {
	case n.Kind != tree.File && n.Kind != tree.Dir && n.Kind != tree.Symlink:
		return fault.New(fault.Usage, "%q: a job's tree cannot hold a %v", n.Path, n.Kind)
	case n.Kind == tree.Symlink && !Inside(n.Path, n.Target):
		return fault.New(fault.Usage, "%q: the link's target %q leads out of the tree", n.Path, n.Target)
	case n.Mode != normalMode(n) || n.UID != 0 || n.GID != 0 || n.ModTime != 0:
		return fault.New(fault.Usage, "%q: mode %#o, owner %d:%d, time %d: a job's inputs have normal ones",
			n.Path, n.Mode, n.UID, n.GID, n.ModTime).WithHint("pass the tree through machine.Normal")
	case !utf8.ValidString(n.Path) || !utf8.ValidString(n.Target):
		return fault.New(fault.Usage, "%q: a path in a job's tree has to be UTF-8", n.Path)
	}
	return nil
}

// Inside tells whether a link at a path of a tree has a target that, read as text, stays in the tree.
func Inside(link, target string) bool {
	if path.IsAbs(target) {
		return false
	}
	at := path.Join(path.Dir(link), target)
	return at != ".." && !strings.HasPrefix(at, "../")
}

// Validate tells what is wrong with the job: nil, or a fault of kind Usage. Inputs have to be normal (see Normal), every
// string UTF-8, Env and Exports sorted and without repetition, no export below another, every limit more than 0.
func (j Job) Validate() error {
	if _, ok := isaNames[j.Arch]; !ok {
		return fault.New(fault.Usage, "job %s: unknown architecture %q", j.Name, j.Arch)
	}
	if j.Calls != CallsAny && j.Calls != CallsSeed {
		return fault.New(fault.Usage, "job %s: unknown set of system calls %q", j.Name, j.Calls)
	}
	if j.Limits.Time <= 0 || j.Limits.Memory <= 0 || j.Limits.Output <= 0 || j.Limits.Files <= 0 {
		return fault.New(fault.Usage, "job %s: a limit is not more than 0: %+v", j.Name, j.Limits)
	}
	for n := range j.Inputs.Nodes() {
		if err := checkNode(n); err != nil {
			return fault.New(fault.Usage, "job %s: %w", j.Name, err)
		}
	}
	if err := j.checkDevices(); err != nil {
		return err
	}
	if len(j.Steps) == 0 {
		return fault.New(fault.Usage, "job %s: no step", j.Name)
	}
	for i, s := range j.Steps {
		if err := s.validate(); err != nil {
			return fault.New(fault.Usage, "job %s: step %d: %w", j.Name, i, err)
		}
	}
	if err := checkEnv(j.Env); err != nil {
		return fault.New(fault.Usage, "job %s: %w", j.Name, err)
	}
	if err := checkExports(j.Exports); err != nil {
		return fault.New(fault.Usage, "job %s: %w", j.Name, err)
	}
	for _, dir := range Parents(j.Exports) {
		if n, ok := j.Inputs.Lookup(dir); ok && n.Kind != tree.Dir {
			return fault.New(fault.Usage, "job %s: an export lies below %q, which is a %v", j.Name, dir, n.Kind)
		}
	}
	return nil
}

// deviceDir is where a job with Devices finds them.
const deviceDir = "dev"

// checkDevices keeps what a machine puts below dev and what the job has there apart.
func (j Job) checkDevices() error {
	if !j.Devices {
		return nil
	}
	if _, ok := j.Inputs.Lookup(deviceDir); ok {
		return fault.New(fault.Usage, "job %s: an input %q where devices are to be", j.Name, deviceDir)
	}
	for _, e := range j.Exports {
		if e == deviceDir || strings.HasPrefix(e, deviceDir+"/") {
			return fault.New(fault.Usage, "job %s: the export %q among devices", j.Name, e)
		}
	}
	return nil
}

// Parents are the directories that hold the exports, without the root: parents before what they hold, none twice. A
// machine makes those that are no inputs before the first step, as the Remote Execution API has it.
func Parents(exports []string) []string {
	var dirs []string
	for _, e := range exports {
		for dir := path.Dir(e); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func (s Step) validate() error {
	if len(s.Argv) == 0 || !isPath(s.Argv[0]) {
		return fault.New(fault.Usage, "%q: want a program by its clean path from the root directory", s.Argv)
	}
	for _, arg := range s.Argv {
		if !utf8.ValidString(arg) || strings.ContainsRune(arg, 0) {
			return fault.New(fault.Usage, "argument %q is not UTF-8 without NUL", arg)
		}
	}
	if s.Limit <= 0 || s.Group < 0 {
		return fault.New(fault.Usage, "limit %v, group %d: want more than 0, and not less", s.Limit, s.Group)
	}
	return nil
}

func checkEnv(env []string) error {
	last := ""
	for _, v := range env {
		name, _, ok := strings.Cut(v, "=")
		if !ok || name == "" || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return fault.New(fault.Usage, "environment %q: want NAME=value, UTF-8 without NUL", v)
		}
		if name <= last {
			return fault.New(fault.Usage, "environment %q: out of order, or set twice", v)
		}
		last = name
	}
	return nil
}

func checkExports(exports []string) error {
	if !slices.IsSorted(exports) {
		return fault.New(fault.Usage, "exports %q are not sorted", exports)
	}
	named := make(map[string]bool, len(exports))
	for _, e := range exports {
		if !isPath(e) || !utf8.ValidString(e) || named[e] {
			return fault.New(fault.Usage, "export %q: want a clean path from the root directory, named once", e)
		}
		named[e] = true
	}
	for _, e := range exports {
		for dir := path.Dir(e); dir != "."; dir = path.Dir(dir) {
			if named[dir] {
				return fault.New(fault.Usage, "export %q is part of the export %q", e, dir)
			}
		}
	}
	return nil
}

// isPath tells whether the path is clean, relative, not empty, and stays in the tree.
func isPath(p string) bool {
	return p != "" && p != "." && path.Clean(p) == p && p[0] != '/' && p != ".." && !strings.HasPrefix(p, "../") &&
		!strings.ContainsRune(p, 0)
}
