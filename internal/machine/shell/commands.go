// SPDX-License-Identifier: MIT

package shell

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errUsage stands for a command line that its command cannot take; builtin says which ones it can.
var errUsage = errors.New("usage")

// command is one of the shell's own.
type command struct {
	name  string
	usage string // what comes after the name
	does  string
	run   func(*session, context.Context, call) error
}

func commands() []command {
	return []command{
		{"cat", "[FILE...]", "print files as they are", (*session).cat},
		{"cd", "[DIR]", "go to a directory; without one, to the root", (*session).cd},
		{"chmod", "MODE FILE...", "set permissions: 755, +x, -x, +w, -w", (*session).chmod},
		{"cmp", "FILE FILE", "find the first offset at which two files differ", (*session).cmp},
		{"cp", "FILE... FILE|DIR", "copy files", (*session).cp},
		{"echo", "[-n] [WORD...]", "print words", (*session).echo},
		{"env", "", "list the variables that programs get; NAME=value sets one", (*session).printEnv},
		{"exit", "", "leave; the end of input does too", (*session).exit},
		{"grep", "TEXT [FILE...]", "print lines that hold a text", (*session).grep},
		{"head", "[-n LINES] [-c BYTES] [FILE...]", "print the beginning of files", (*session).head},
		{"help", "", "print this", (*session).help},
		{"ls", "[-a] [-l] [NAME...]", "list directories", (*session).ls},
		{"mkdir", "[-p] DIR...", "make directories; -p: and what they lie in", (*session).mkdir},
		{"mv", "NAME... NAME|DIR", "rename, or move to a directory", (*session).mv},
		{"pwd", "", "print the directory that names are looked up in", (*session).pwd},
		{"rm", "[-r] NAME...", "remove files; -r: directories with all they hold", (*session).rm},
		{"sha256sum", "[FILE...]", "print digests", (*session).sha256sum},
		{"step", "[N]", "run a step again; without a number, the one that failed", (*session).step},
		{"steps", "", "list the steps; > marks the one that failed", (*session).steps},
		{"xxd", "[-s OFFSET] [-l LENGTH] [FILE]", "print bytes in hexadecimal; 0x10 is 16", (*session).xxd},
	}
}

// builtin finds a command of the shell.
func builtin(name string) (func(*session, context.Context, call) error, bool) {
	for _, k := range commands() {
		if k.name == name {
			return func(s *session, ctx context.Context, c call) error {
				err := k.run(s, ctx, c)
				if errors.Is(err, errUsage) {
					return fmt.Errorf("%w: %s", err, strings.TrimSpace(k.name+" "+k.usage))
				}
				return err
			}, true
		}
	}
	return nil, false
}

func (s *session) help(_ context.Context, c call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	for _, k := range commands() {
		fmt.Fprintf(c.out, "%-42s %s\n", strings.TrimSpace(k.name+" "+k.usage), k.does)
	}
	_, err := fmt.Fprint(c.out, `
Any other word is a program of the tree: in this directory, then in the root; with a / it is a path, so ./cat is the
tree's own. Its standard input is empty. < FILE, > FILE and >> FILE redirect. 'text' is plain, "text" has $NAME and
the escapes of Go. A name never leads out of the tree.
`)
	return err
}

func (s *session) exit(_ context.Context, c call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	return errExit
}

func (s *session) echo(_ context.Context, c call) error {
	end := "\n"
	if len(c.args) > 0 && c.args[0] == "-n" {
		c.args, end = c.args[1:], ""
	}
	_, err := fmt.Fprint(c.out, strings.Join(c.args, " "), end)
	return err
}

func (s *session) printEnv(_ context.Context, c call) error {
	if len(c.args) > 0 {
		return errUsage
	}
	for _, v := range s.env {
		fmt.Fprintln(c.out, visible(v))
	}
	return nil
}

// flags are the options of a command line, by letter, with their values; "" for one that has none.
type flags map[byte]string

// options takes the options off the front of args, up to the first word that is none, or through "--". Those in plain
// stand alone, those in valued have a value, in the same word or in the next.
func options(args []string, plain, valued string) (flags, []string, error) {
	set := flags{}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		letters := args[0][1:]
		args = args[1:]
		if letters == "-" {
			break
		}
		for letters != "" {
			c := letters[0]
			letters = letters[1:]
			switch {
			case strings.IndexByte(plain, c) >= 0:
				set[c] = ""
				continue
			case strings.IndexByte(valued, c) < 0:
				return nil, nil, errUsage
			case letters != "":
				set[c] = letters
			case len(args) == 0:
				return nil, nil, errUsage
			default:
				set[c], args = args[0], args[1:]
			}
			letters = ""
		}
	}
	return set, args, nil
}

func (f flags) has(c byte) bool {
	_, ok := f[c]
	return ok
}

// number is the value of an option: at least 0, in decimal, or in hexadecimal after 0x.
func (f flags) number(c byte, otherwise int64) (int64, error) {
	text, ok := f[c]
	if !ok {
		return otherwise, nil
	}
	base, digits := 10, text
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		base, digits = 16, hex
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("-%c %s: no number of at least 0", c, quote(text))
	}
	return n, nil
}
