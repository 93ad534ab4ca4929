// SPDX-License-Identifier: MIT

// Package shell is what a person gets at a step that failed: a small shell over the tree of a job, inside rung's own
// process, for the tree has in most cases no shell in it, and often nothing but an assembler. docs/shell.md says what
// there is; a driver gives it a directory, two streams and a way to start programs.
//
// It leaves out on purpose what makes a shell a language: pipes, lists, globs, jobs, functions. A library for that
// language was measured (mvdan.cc/sh/v3 3.14.1): its tables take 0.15 to 0.25 ms to set up in every process that links
// it, and the agent is such a process, twice a job, in machines that have 5 ms for all of it. Left out as well are
// editing and history, which are the terminal's: input comes in whole lines.
//
// Names are resolved through os.Root, so nothing outside of the tree is read, written or run by way of "..", of a link
// or of a race.
package shell

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Options are what a shell is given.
type Options struct {
	Root  string     // the directory that is the root of the job's tree
	Name  string     // of the stage, for the prompt: "boot3"
	Why   string     // one line: "step 3 failed: exit status 1"
	Steps [][]string // the command lines of all steps
	Step  int        // index into Steps of the one that failed; len(Steps) where none of them did
	Env   []string   // NAME=value: the job's
	In    io.Reader  // what the person types, in lines; its end ends the shell
	Out   io.Writer  // what the person sees
	Start Start
}

// Start runs a program in the machine until it ends, or until ctx does. argv[0] and dir are clean paths from the root
// directory, "." for the root itself; env is the whole environment. A nil stdin is an empty one. What the program
// prints on either stream goes to out, from one goroutine at a time and not after the return. The status is what the
// program came to, for people: "exit status 0", "SIGSEGV". An error says that it could not be run.
type Start func(ctx context.Context, argv, env []string, dir string, stdin io.Reader, out io.Writer) (string, error)

// success is the status of a program that there is nothing to say about.
const success = "exit status 0"

// errExit ends the shell.
var errExit = errors.New("exit")

// session is a shell as it runs.
type session struct {
	o    Options
	root *os.Root
	dir  string // the current directory: a clean path from the root without links in it, "." for the root
	env  []string
	out  *output
}

// Run reads lines and does what they say, until the input ends or a line says exit: then it gives nil. That a command
// failed is told to the person and is no error; an error is that of Root, In or Out, or the end of ctx, where Run
// returns at once. A Read of In may go on after that, and takes what comes next.
func Run(ctx context.Context, o Options) error {
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return fmt.Errorf("shell: %w", err)
	}
	defer func() { _ = root.Close() }() // a directory that was only read
	s := &session{o: o, root: root, dir: ".", env: slices.Clone(o.Env), out: &output{w: o.Out}}
	stop := make(chan struct{})
	defer close(stop)
	typed := make(chan entry)
	go readLines(o.In, typed, stop)
	s.greet()
	for {
		fmt.Fprint(s.out, s.prompt())
		if s.out.err != nil {
			return fmt.Errorf("shell: output: %w", s.out.err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-typed:
			if over, err := s.take(ctx, e); over {
				return err
			}
		}
	}
}

// take does what was typed, and says whether that was the last.
func (s *session) take(ctx context.Context, e entry) (bool, error) {
	err := e.err
	if err == nil && ctx.Err() == nil {
		err = s.do(ctx, e.text)
	}
	switch {
	case ctx.Err() != nil:
		return true, ctx.Err()
	case err == io.EOF:
		fmt.Fprintln(s.out) // the prompt stands there, without an answer
		return true, nil
	case err == errExit:
		return true, nil
	case e.err != nil && e.err != errLong:
		return true, fmt.Errorf("shell: input: %w", err)
	case err != nil:
		fmt.Fprintln(s.out, err)
	}
	return false, nil
}

func (s *session) greet() {
	fmt.Fprintln(s.out, visible(s.o.Why))
	if s.o.Step < len(s.o.Steps) {
		fmt.Fprintf(s.out, "  %s\n", commandLine(s.o.Steps[s.o.Step]))
	}
	fmt.Fprintln(s.out, "This is the tree as it is now. help lists the commands; exit, or the end of input, leaves.")
}

func (s *session) prompt() string {
	if s.o.Step < len(s.o.Steps) {
		return fmt.Sprintf("rung %s #%d$ ", visible(s.o.Name), s.o.Step+1)
	}
	return fmt.Sprintf("rung %s$ ", visible(s.o.Name))
}

// call is a command as it was typed, with its streams.
type call struct {
	args   []string // without the command's own name
	in     io.Reader
	out    io.Writer // of a command: with a buffer
	direct io.Writer // out without it, for what a program prints as it runs
}

// do does one line. Its error names the command.
func (s *session) do(ctx context.Context, text string) error {
	l, err := parse(text, s.variable)
	if err != nil {
		return err
	}
	if len(l.words) == 0 {
		if l.in != "" || l.out != "" {
			return errors.New("a redirection without a command")
		}
		return nil
	}
	if name, value, ok := assignment(l.words[0]); ok {
		if len(l.words) > 1 || l.in != "" || l.out != "" {
			return fmt.Errorf("%s: a variable is set on a line of its own", name)
		}
		s.set(name, value)
		return nil
	}
	err = s.redirected(ctx, l)
	if err == errExit {
		return err
	}
	return of(l.words[0], err)
}

// redirected runs a command with the streams that its line names.
func (s *session) redirected(ctx context.Context, l line) (err error) {
	c := call{args: l.words[1:], direct: s.out}
	if l.in != "" {
		f, err := s.open(l.in, os.O_RDONLY)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // was only read
		c.in = watched{ctx, f}
	}
	if l.out != "" {
		how := os.O_TRUNC
		if l.add {
			how = os.O_APPEND
		}
		f, err := s.open(l.out, os.O_WRONLY|os.O_CREATE|how)
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, f.Close()) }()
		c.direct = f
	}
	run, ok := builtin(l.words[0])
	if !ok {
		return s.program(ctx, l.words[0], c)
	}
	w := bufio.NewWriter(c.direct)
	c.out = w
	err = run(s, ctx, c)
	return cmp.Or(err, w.Flush())
}

// variable is the value of a variable; "" where it is not set.
func (s *session) variable(name string) string {
	for _, v := range s.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *session) set(name, value string) {
	s.env = slices.DeleteFunc(s.env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	s.env = append(s.env, name+"="+value)
	slices.Sort(s.env)
}
