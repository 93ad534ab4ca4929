// SPDX-License-Identifier: MIT

package shell

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func (s *session) steps(_ context.Context, c call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	for i, argv := range s.o.Steps {
		mark := ' '
		if i == s.o.Step {
			mark = '>'
		}
		fmt.Fprintf(c.out, "%c %3d  %s\n", mark, i+1, commandLine(argv))
	}
	return nil
}

// step runs a step as the job does: in the root, with the job's variables and an empty standard input.
func (s *session) step(ctx context.Context, c call) error {
	i := s.o.Step
	switch len(c.args) {
	case 0:
		if i >= len(s.o.Steps) {
			return errors.New("no step failed: say which one to run")
		}
	case 1:
		n, err := strconv.Atoi(c.args[0])
		if err != nil || n < 1 || n > len(s.o.Steps) {
			return fmt.Errorf("%s: steps have the numbers 1 to %d", quote(c.args[0]), len(s.o.Steps))
		}
		i = n - 1
	default:
		return errUsage
	}
	argv := s.o.Steps[i]
	fmt.Fprintf(s.out, "step %d: %s\n", i+1, commandLine(argv))
	status, err := s.o.Start(ctx, argv, s.o.Env, ".", nil, c.direct)
	if err != nil {
		return of(argv[0], err)
	}
	fmt.Fprintln(s.out, status)
	return nil
}

// program runs a program of the tree.
func (s *session) program(ctx context.Context, name string, c call) error {
	file, err := s.find(name)
	if err != nil {
		return err
	}
	status, err := s.o.Start(ctx, append([]string{file}, c.args...), s.env, s.dir, c.in, c.direct)
	if err != nil {
		return err
	}
	if status != success {
		fmt.Fprintln(s.out, status)
	}
	return nil
}

// find is the path of a program from the root. A name without a slash is looked up in the current directory, then in
// the root, which is where the programs of a chain lie.
func (s *session) find(name string) (string, error) {
	tries := []string{name}
	if !strings.Contains(name, "/") {
		tries = append(tries, "/"+name)
	}
	for _, try := range tries {
		info, err := s.root.Stat(s.at(try))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", bare(err)
		case !info.Mode().IsRegular():
			return "", errNotFile
		case info.Mode()&0o111 == 0:
			return "", unix.EACCES
		}
		dir, err := s.resolve(path.Dir(try))
		return path.Join(dir, path.Base(try)), err
	}
	return "", errors.New("no command, and no program of the tree; see help")
}
