// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/need"
)

const greeting = `{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": ["oob"]}}` + "\r\n"

// wire is both ends of a connection in memory.
type wire struct {
	io.Reader
	io.Writer
	close func() error
}

func (w wire) Close() error { return w.close() }

// plays makes a QEMU that greets with a text, and answers each command with what reply says.
func plays(t *testing.T, greeting string, reply func(command, id string) string) wire {
	t.Helper()
	commands, ask := io.Pipe()
	told, tell := io.Pipe()
	var all sync.WaitGroup
	all.Go(func() {
		defer tell.Close()
		if _, err := io.WriteString(tell, greeting); err != nil {
			return
		}
		for lines := bufio.NewScanner(commands); lines.Scan(); {
			var c struct{ Execute, ID string }
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Errorf("a command that is no JSON: %q", lines.Text())
			}
			if _, err := io.WriteString(tell, reply(c.Execute, c.ID)); err != nil {
				return
			}
		}
	})
	t.Cleanup(all.Wait)
	return wire{told, ask, func() error { return errors.Join(told.Close(), ask.Close()) }}
}

// obeys answers every command well.
func obeys(_, id string) string { return `{"return": {}, "id": "` + id + `"}` + "\n" }

func TestMonitorTellsEventsAndAnswers(t *testing.T) {
	stream := plays(t, greeting, func(command, id string) string {
		switch command {
		case "query-status":
			return `{"timestamp": {"seconds": 1}, "event": "STOP"}` + "\n" + `{"return": {"running": true}, "id": "` + id + `"}` + "\n"
		case "nonsense":
			return `{"id": "` + id + `", "error": {"class": "CommandNotFound", "desc": "no such command"}}` + "\n"
		}
		return obeys(command, id)
	})
	var events []string
	m, err := openMonitor(t.Context(), stream, func(e event) { events = append(events, e.Name) })
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Running bool }
	if err := m.execute(t.Context(), "query-status", nil, &status); err != nil || !status.Running {
		t.Errorf("execute(query-status) = %v, %+v; want it to be running", err, status)
	}
	if err := m.execute(t.Context(), "nonsense", map[string]int{"a": 1}, nil); err == nil || !strings.Contains(err.Error(), "no such command") {
		t.Errorf("execute(nonsense) = %v; want what QEMU says of it", err)
	}
	if err := m.close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"STOP"}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if err := m.execute(t.Context(), "cont", nil, nil); err == nil {
		t.Error("execute after close = nil; want an error")
	}
}

func TestOpenMonitorRefuses(t *testing.T) {
	tests := map[string]struct{ greeting, answer, want string }{
		"no greeting":             {"{}\n", "", "instead of a greeting"},
		"text":                    {"hello\n", "", "hello"},
		"two values":              {strings.TrimSpace(greeting) + " {}\n", "", `"{}" after a message`},
		"nothing":                 {"", "", "EOF"},
		"a line without end":      {greeting, strings.Repeat("x", maxMessage+1), "token too long"},
		"an answer to nothing":    {greeting, `{"return": {}, "id": "7"}` + "\n", `an answer to no command: id "7"`},
		"an answer without an id": {greeting, `{"return": {}}` + "\n", `an answer to no command: id ""`},
		"no answer":               {greeting, `{"id": "1"}` + "\n", `an answer to no command: id "1"`},
		"an error":                {greeting, `{"id": "1", "error": {"class": "GenericError", "desc": "no"}}` + "\n", "GenericError: no"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stream := wire{strings.NewReader(""), io.Discard, func() error { return nil }}
			if tt.greeting != "" {
				stream = plays(t, tt.greeting, func(string, string) string { return tt.answer })
			}
			m, err := openMonitor(t.Context(), stream, func(event) {})
			if err == nil || m != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("openMonitor = %v, %v; want an error with %q", m, err, tt.want)
			}
		})
	}
}

func TestMonitorEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stream := plays(t, greeting, func(command, id string) string {
		if command == "qmp_capabilities" {
			return obeys(command, id)
		}
		cancel()
		return ""
	})
	m, err := openMonitor(ctx, stream, func(event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if err := m.execute(ctx, "cont", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("execute = %v; want that the context ended", err)
	}
}

// TestRealMonitor has QEMU itself greet, obey, and say why it ends.
func TestRealMonitor(t *testing.T) {
	need.Arch(t, "amd64")
	program := need.Tool(t, "qemu-system-x86_64")
	ours, theirs, err := pair("monitor")
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(program, []string{"-nodefaults", "-no-user-config", "-display", "none", "-machine", "none", "-S",
		"-chardev", connection("monitor", firstFile), "-mon", "chardev=monitor,mode=control"}, nil, theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var reasons []any
	m, err := openMonitor(ctx, ours, func(e event) { reasons = append(reasons, e.Name, e.Data["reason"]) })
	if err != nil {
		t.Fatal(err)
	}
	var kvm struct{ Enabled *bool }
	if err := m.execute(ctx, "query-kvm", nil, &kvm); err != nil || kvm.Enabled == nil || *kvm.Enabled {
		t.Errorf("execute(query-kvm) = %+v, %v; want that it is not enabled", kvm, err)
	}
	if err := m.execute(ctx, "quit", nil, nil); err != nil {
		t.Errorf("execute(quit) = %v", err)
	}
	how, err := p.wait()
	if err != nil || how != "exit status 0" {
		t.Errorf("QEMU ended with %q, %v; want exit status 0", how, err)
	}
	<-m.ended
	if err := m.close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]any{"SHUTDOWN", "host-qmp-quit"}, reasons); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
