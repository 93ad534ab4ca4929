// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	guestconsole "github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// The serial lines of a guest whose process 1 is a program of the chain.
const (
	lineFile  = 1 // has the name of the file that the program writes
	linePrint = 2 // standard streams
)

// Limits on a kernel's command line. Sources: COMMAND_LINE_SIZE of x86, and CONFIG_INIT_ENV_ARG_LIMIT, 32 unless set
// otherwise, of Linux.
const (
	maxCommandLine = 2047
	maxInitArgs    = 30
)

// bootStep is a step that is process 1 of a boot of its own.
type bootStep struct {
	argv   []string
	output string // the argument that names the file it writes
}

// bootSteps tells what each step of a job writes, or why the job cannot be run in this way.
func bootSteps(job machine.Job) ([]bootStep, error) {
	exists := map[string]bool{}
	for n := range job.Inputs.Nodes() {
		exists[n.Path] = true
	}
	for _, dir := range machine.Parents(job.Exports) {
		exists[dir] = true
	}
	var steps []bootStep
	for i, s := range job.Steps {
		output, err := outputOf(job, i, exists)
		if err == nil {
			err = checkArgs(s.Argv)
		}
		if err != nil {
			return nil, fault.New(fault.Unavailable, "step %d: %w", i, err)
		}
		exists[output] = true
		steps = append(steps, bootStep{s.Argv, output})
	}
	for _, e := range job.Exports {
		if !exists[e] {
			return nil, fault.New(fault.Unavailable, "no step names the export %q", e)
		}
	}
	return steps, nil
}

// outputOf is the one argument of a step that names what does not exist yet and is wanted later.
func outputOf(job machine.Job, i int, exists map[string]bool) (string, error) {
	var found []string
	for _, arg := range job.Steps[i].Argv[1:] {
		wanted := slices.Contains(job.Exports, arg) || slices.ContainsFunc(job.Steps[i+1:], func(s machine.Step) bool {
			return slices.Contains(s.Argv, arg)
		})
		if wanted && !exists[arg] && path.Clean(arg) == arg && !path.IsAbs(arg) && !slices.Contains(found, arg) {
			found = append(found, arg)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%q: as process 1 a program writes one file, which an argument names; found %q",
			job.Steps[i].Argv, found)
	}
	if dir := path.Dir(found[0]); dir != "." && !exists[dir] {
		return "", fmt.Errorf("%q: no directory %q", job.Steps[i].Argv, dir)
	}
	return found[0], nil
}

// checkArgs refuses what a kernel would not hand on as it is.
func checkArgs(argv []string) error {
	if len(argv) > maxInitArgs {
		return fmt.Errorf("a kernel hands %d words on to process 1, not %d", maxInitArgs, len(argv))
	}
	for _, arg := range argv {
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			return fmt.Errorf("a kernel does not hand on %q as it is", arg)
		}
	}
	if n := len(schemeLine(argv[0], argv[1:])); n > maxCommandLine {
		return fmt.Errorf("a kernel's command line has %d bytes at most, not %d", maxCommandLine, n)
	}
	return nil
}

// belowRun is a job whose steps are boots.
type belowRun struct {
	m      *SchemeMachine
	job    machine.Job
	blobs  store.Blobs
	course *walk.Course
	made   []tree.Node // by the steps so far
	size   int64       // of that
	log    bytes.Buffer

	mu     sync.Mutex
	guest  *schemeGuest // that runs
	killed bool
}

// runBelow runs a job one program a boot. The time that kernels take to start is not the job's.
func (m *SchemeMachine) runBelow(ctx context.Context, job machine.Job, blobs store.Blobs,
	watch machine.Watch) (machine.Result, error) {
	steps, err := bootSteps(job)
	if err != nil {
		return machine.Result{}, fault.New(fault.KindOf(err), "job %s: %w", job.Name, err)
	}
	b := &belowRun{m: m, job: job, blobs: blobs}
	timed := job
	o, slow := m.engine.options, m.engine.slow(ctx)
	timed.Limits.Time += time.Duration(len(steps)) * o.Boot / time.Duration(slow)
	b.course = walk.Begin(timed, walk.Options{Watch: watch, Now: o.Now, MaxLog: o.MaxLog, Slow: slow, Kill: b.kill})
	defer context.AfterFunc(ctx, b.kill)()
	for i, s := range steps {
		if err = b.step(ctx, i, s); err != nil || b.course.Failed() {
			break
		}
	}
	var outputs tree.Tree
	if err == nil && !b.course.Failed() {
		outputs, err = b.exports()
	}
	if ctx.Err() != nil || err != nil && !b.course.Failed() {
		return machine.Result{}, b.course.Abandon(ctx, err)
	}
	result, err := b.course.Finish(ctx, blobs, outputs)
	if err != nil {
		return machine.Result{}, err
	}
	if result.Console, err = blobs.Put(ctx, &b.log); err != nil {
		return machine.Result{}, fault.New(fault.KindOf(err), "job %s: keeping the console: %w", job.Name, err)
	}
	return result, nil
}

// kill ends what runs, and what would be started.
func (b *belowRun) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.killed = true
	if b.guest != nil {
		b.guest.process.kill()
	}
}

// step runs one step.
func (b *belowRun) step(ctx context.Context, i int, s bootStep) error {
	program := slices.ContainsFunc(append(b.made, slices.Collect(b.job.Inputs.Nodes())...), func(n tree.Node) bool {
		return n.Path == s.argv[0] && n.Executable()
	})
	if !program {
		b.course.Start(i)
		b.course.End(i, walk.Ended{Exit: -1}, walk.NotStarted(i, s.argv[0], syscall.ENOENT))
		return nil
	}
	guest, signs, err := b.boot(ctx, i, s)
	if err != nil {
		return err
	}
	defer guest.close()
	written := collect(guest.lines[lineFile], b.job.Limits.Output+1, func([]byte) {})
	printed := collect(guest.lines[linePrint], b.m.engine.options.MaxLog+1, func(p []byte) {
		signs.start()
		b.course.Output(i, p)
	})
	status, err := signs.wait(ctx, guest)
	if err == nil {
		err = drained(ctx, guest.control)
	}
	guest.end()
	b.keepConsole(guest)
	content, over := written.all()
	printed.all()
	b.forget()
	if err != nil {
		return b.explain(ctx, err)
	}
	e := walk.EndedOf(status, syscall.Rusage{})
	e.Bytes = b.size + int64(len(content))
	if over {
		e.Bytes = b.job.Limits.Output + 1
	}
	e.Files = int64(len(b.made) + 1)
	b.course.End(i, e, walk.Judge(i, e, b.job.Limits, machine.CallsAny))
	return b.keep(ctx, s.output, content)
}

// explain adds the console to the error of a guest that went wrong.
func (b *belowRun) explain(ctx context.Context, err error) error {
	var trouble *guestconsole.Trouble
	if !errors.As(err, &trouble) {
		return err
	}
	shown, putErr := b.blobs.Put(ctx, bytes.NewReader(b.log.Bytes()))
	if putErr != nil {
		return errors.Join(err, fmt.Errorf("keeping the console: %w", putErr))
	}
	return trouble.Fault(shown)
}

// boot starts the guest of a step.
func (b *belowRun) boot(ctx context.Context, i int, s bootStep) (*schemeGuest, *bootSigns, error) {
	var archive schemeFiles
	archive.job(b.job)
	archive.nodes = append(archive.nodes, b.made...)
	archive.line(s.output, lineFile)
	packed, err := archive.pack(ctx, b.blobs, linePrint)
	if err != nil {
		return nil, nil, err
	}
	signs := newBootSigns(s.argv[0], b.m.engine.options.Boot, func() { b.course.Start(i) })
	media, err := sizes([]*os.File{packed})
	if err != nil {
		return nil, nil, errors.Join(err, packed.Close())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.killed {
		signs.over()
		return nil, nil, errors.Join(fault.New(fault.Interrupted, "ended between two steps"), packed.Close())
	}
	b.guest, err = b.m.boot(ctx, schemeOrder{
		initramfs: packed, memory: memoryFor(b.job, media), line: schemeLine(s.argv[0], s.argv[1:]),
		console: func(p []byte) {
			signs.read(p)
			b.course.Console(p)
		},
	})
	if err != nil {
		signs.over()
		return nil, nil, err
	}
	return b.guest, signs, nil
}

// forget lets go of a guest that has ended.
func (b *belowRun) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guest = nil
}

func (b *belowRun) keepConsole(g *schemeGuest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.log.Write(g.shown.Bytes()[:min(g.shown.Len(), maxShown-b.log.Len())])
}

// keep makes what a step wrote a file of the tree. A serial line has no mode: a program is what looks like one.
func (b *belowRun) keep(ctx context.Context, name string, content []byte) error {
	n := tree.Node{Path: name, Kind: tree.File, Mode: machine.ModeFile}
	if bytes.HasPrefix(content, []byte("\x7fELF")) {
		n.Mode = machine.ModeExecutable
	}
	var err error
	if n.Content, err = b.blobs.Put(ctx, bytes.NewReader(content)); err != nil {
		return fmt.Errorf("output %q: %w", name, err)
	}
	b.made = append(b.made, n)
	b.size += n.Content.Size()
	return nil
}

// exports are the job's outputs.
func (b *belowRun) exports() (tree.Tree, error) {
	var nodes []tree.Node
	for _, n := range exportedFiles(b.job) {
		at := slices.IndexFunc(b.made, func(m tree.Node) bool { return m.Path == n.Path })
		if at >= 0 {
			nodes = append(nodes, b.made[at])
		} else if in, ok := b.job.Inputs.Lookup(n.Path); ok {
			nodes = append(nodes, in)
		}
	}
	return tree.New(append(nodes, exportedOthers(b.job)...)...)
}

// schemeNode is scheme1 in the conductor's own directory.
func schemeNode(program digest.Digest) tree.Node {
	return tree.Node{Path: ownDir + "/scheme1", Kind: tree.File, Mode: machine.ModeExecutable, Content: program}
}
