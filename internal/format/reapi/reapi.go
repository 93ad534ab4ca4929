// SPDX-License-Identifier: MIT

// Package reapi encodes the messages of the Remote Execution API v2 that have a digest: Command, Action, and the
// Directory messages of an input root.
//
// The messages are written field by field with protowire instead of a generated serialiser, because their digests are
// keys that must stay the same for years, and the Go serialiser promises no stable bytes, not even between two versions
// of itself. The form written is the one the API calls canonical: fields in ascending order of their numbers, no
// default values, no unknown fields, lists sorted where the API says so. A test compares it with the generated
// messages. The decoders accept nothing but that form.
//
// Left out on purpose: node properties (times and modes other than the execute bit have no place in an input root), the
// deprecated fields that output_paths replaced, do_not_cache, salt, and the services, which are gRPC's concern.
//
// Specification: build/bazel/remote/execution/v2/remote_execution.proto of github.com/bazelbuild/remote-apis; the field
// numbers below are those of that file.
package reapi

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rung-build/rung/internal/digest"
)

// Pair is a name with a value: an environment variable or a platform property.
type Pair struct {
	Name, Value string
}

// Command is what to run. Encode sorts what the API wants sorted.
type Command struct {
	Arguments        []string // 1: argv; the program first
	Environment      []Pair   // 2: the whole environment, each name once
	Platform         []Pair   // 5: deprecated since v2.2 for Action.Platform, yet read by older servers
	WorkingDirectory string   // 6: relative to the input root; "" for the root itself
	OutputPaths      []string // 7: files and directories to keep, relative to the working directory
}

// Action is a command over an input root; its digest is the key of the action cache.
type Action struct {
	Command   digest.Digest // 1: of an encoded Command
	InputRoot digest.Digest // 2: of an encoded Directory
	Timeout   time.Duration // 6: 0 for the server's own
	Platform  []Pair        // 10: what the machine must be
}

var errNotCanonical = errors.New("not in canonical form")

// Encode writes the message. It fails where a name stands twice or a string is not UTF-8.
func (c Command) Encode() ([]byte, error) {
	environment := slices.SortedFunc(slices.Values(c.Environment), comparePairs)
	for i := 1; i < len(environment); i++ {
		if environment[i].Name == environment[i-1].Name {
			return nil, fmt.Errorf("reapi: environment variable %q is set twice", environment[i].Name)
		}
	}
	paths := slices.Sorted(slices.Values(c.OutputPaths))
	for i := 1; i < len(paths); i++ {
		if paths[i] == paths[i-1] {
			return nil, fmt.Errorf("reapi: output path %q is named twice", paths[i])
		}
	}
	w := &writer{}
	for _, arg := range c.Arguments {
		w.element(1, arg)
	}
	for _, variable := range environment {
		w.message(2, variable.encode)
	}
	w.platform(5, c.Platform)
	w.text(6, c.WorkingDirectory)
	for _, p := range paths {
		w.element(7, p)
	}
	return w.done()
}

// DecodeCommand reads a message in canonical form.
func DecodeCommand(message []byte) (Command, error) {
	var c Command
	return decode("command", message, &c, func(f field) (err error) {
		switch f.num {
		case 1:
			c.Arguments, err = appendText(c.Arguments, f)
		case 2:
			c.Environment, err = appendPair(c.Environment, f)
		case 5:
			c.Platform, err = f.platform()
		case 6:
			c.WorkingDirectory, err = f.text()
		case 7:
			c.OutputPaths, err = appendText(c.OutputPaths, f)
		default:
			err = errUnknown
		}
		return err
	})
}

// Encode writes the message. It fails for a timeout below 0 and for a platform property that stands twice.
func (a Action) Encode() ([]byte, error) {
	if a.Timeout < 0 {
		return nil, fmt.Errorf("reapi: action with the timeout %v", a.Timeout)
	}
	w := &writer{}
	w.digest(1, a.Command)
	w.digest(2, a.InputRoot)
	if a.Timeout > 0 {
		w.message(6, func(w *writer) { // google.protobuf.Duration
			w.number(1, uint64(a.Timeout/time.Second))
			w.number(2, uint64(a.Timeout%time.Second))
		})
	}
	w.platform(10, a.Platform)
	return w.done()
}

// DecodeAction reads a message in canonical form.
func DecodeAction(message []byte) (Action, error) {
	var a Action
	return decode("action", message, &a, func(f field) (err error) {
		switch f.num {
		case 1:
			a.Command, err = f.digest()
		case 2:
			a.InputRoot, err = f.digest()
		case 6:
			a.Timeout, err = f.duration()
		case 10:
			a.Platform, err = f.platform()
		default:
			err = errUnknown
		}
		return err
	})
}

// encoder is a message this package can write.
type encoder interface{ Encode() ([]byte, error) }

// decode fills *into field by field, then demands that it encodes to the very bytes it was read from: whatever is not
// canonical (an order, a default value written out, a field given twice, a longer varint) is refused by that.
func decode[T encoder](what string, message []byte, into *T, visit func(field) error) (T, error) {
	var none T
	if err := fields(message, visit); err != nil {
		return none, fmt.Errorf("reapi: %s: %w", what, err)
	}
	again, err := (*into).Encode()
	if err != nil {
		return none, fmt.Errorf("reapi: %s: %w", what, err)
	}
	if !bytes.Equal(again, message) {
		return none, fmt.Errorf("reapi: %s: %w", what, errNotCanonical)
	}
	return *into, nil
}

func comparePairs(a, b Pair) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// encode fills an EnvironmentVariable or a Platform.Property: name = 1, value = 2 in both.
func (p Pair) encode(w *writer) {
	w.text(1, p.Name)
	w.text(2, p.Value)
}

// platform writes a Platform message, properties sorted by name and then value; nothing where there are none.
func (w *writer) platform(num protowire.Number, properties []Pair) {
	if len(properties) == 0 {
		return
	}
	sorted := slices.SortedFunc(slices.Values(properties), comparePairs)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] && w.err == nil {
			w.err = fmt.Errorf("reapi: platform property %q stands twice with one value", sorted[i].Name)
		}
	}
	w.message(num, func(w *writer) {
		for _, p := range sorted {
			w.message(1, p.encode)
		}
	})
}

func (f field) platform() ([]Pair, error) {
	var properties []Pair
	err := f.message(func(f field) (err error) {
		if f.num != 1 {
			return errUnknown
		}
		properties, err = appendPair(properties, f)
		return err
	})
	return properties, err
}

func (f field) duration() (time.Duration, error) {
	var seconds, nanos int64
	err := f.message(func(f field) (err error) {
		switch f.num {
		case 1:
			seconds, err = f.number()
		case 2:
			nanos, err = f.number()
		default:
			err = errUnknown
		}
		return err
	})
	total := time.Duration(seconds)*time.Second + time.Duration(nanos)
	if err == nil && (nanos >= int64(time.Second) || seconds > int64(math.MaxInt64/time.Second) || total < 0) {
		err = fmt.Errorf("duration of %d s and %d ns", seconds, nanos)
	}
	return total, err
}

func appendText(list []string, f field) ([]string, error) {
	s, err := f.text()
	return append(list, s), err
}

func appendPair(list []Pair, f field) ([]Pair, error) {
	var p Pair
	err := f.message(func(f field) (err error) {
		switch f.num {
		case 1:
			p.Name, err = f.text()
		case 2:
			p.Value, err = f.text()
		default:
			err = errUnknown
		}
		return err
	})
	return append(list, p), err
}
