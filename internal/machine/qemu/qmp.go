// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// maxMessage is the longest message of QEMU that is read, in bytes. Those about a guest have a few hundred.
const maxMessage = 1 << 20

// event is something that QEMU says without being asked.
type event struct {
	Name string         `json:"event"` // "SHUTDOWN", "GUEST_PANICKED"
	Data map[string]any `json:"data"`
}

// monitor is QEMU's control connection: QMP, a JSON value a line each way. Source: docs/interop/qmp-spec of QEMU. Make one
// with openMonitor. Its methods are safe for use by several goroutines at once.
type monitor struct {
	stream io.ReadWriteCloser
	events func(event) // told from one goroutine
	ended  chan struct{}

	mu      sync.Mutex
	last    int
	waiting map[string]chan message // by the id of a command
	err     error                   // why the stream ended; set before ended is closed
}

// message is anything QEMU says.
type message struct {
	event
	Greeting json.RawMessage `json:"QMP"`
	ID       string          `json:"id"`
	Return   json.RawMessage `json:"return"`
	Error    *struct {
		Class string `json:"class"`
		Text  string `json:"desc"`
	} `json:"error"`
}

// openMonitor hears QEMU's greeting and makes it take commands. Close has to be called, also where the stream has ended.
func openMonitor(ctx context.Context, stream io.ReadWriteCloser, events func(event)) (*monitor, error) {
	m := &monitor{stream: stream, events: events, ended: make(chan struct{}), waiting: map[string]chan message{}}
	greeted := make(chan struct{})
	go m.listen(greeted)
	var err error
	select {
	case <-greeted:
		err = m.execute(ctx, "qmp_capabilities", nil, nil)
	case <-m.ended:
		err = m.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("qmp: %w", err), m.close())
	}
	return m, nil
}

// close closes the stream and waits until no event is told any more.
func (m *monitor) close() error {
	err := m.stream.Close()
	<-m.ended
	return err
}

// listen hears QEMU out.
func (m *monitor) listen(greeted chan<- struct{}) {
	lines := bufio.NewScanner(m.stream)
	lines.Buffer(nil, maxMessage)
	var err error
	for greeting := true; err == nil && lines.Scan(); greeting = false {
		var msg message
		if msg, err = decode(lines.Bytes()); err != nil {
			break
		}
		switch {
		case greeting && msg.Greeting == nil:
			err = fmt.Errorf("%.80q instead of a greeting", lines.Bytes())
		case greeting:
			close(greeted)
		case msg.Name != "":
			m.events(msg.event)
		default:
			err = m.answer(msg)
		}
	}
	if err == nil {
		err = lines.Err()
	}
	if err == nil {
		err = io.EOF
	}
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
	close(m.ended)
}

// decode reads a message, which is one JSON object.
func decode(line []byte) (message, error) {
	var msg message
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(&msg); err != nil {
		return message{}, fmt.Errorf("%.80q: %w", line, err)
	}
	if rest := bytes.TrimSpace(line[d.InputOffset():]); len(rest) > 0 {
		return message{}, fmt.Errorf("%.80q after a message", rest)
	}
	return msg, nil
}

// answer gives an answer to who waits for it. One to a command that nobody waits for any more is dropped.
func (m *monitor) answer(msg message) error {
	n, err := strconv.Atoi(msg.ID)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || n < 1 || n > m.last || msg.Return == nil && msg.Error == nil {
		return fmt.Errorf("an answer to no command: id %.80q", msg.ID)
	}
	if to := m.waiting[msg.ID]; to != nil {
		delete(m.waiting, msg.ID)
		to <- msg
	}
	return nil
}

// execute runs a command with arguments, which may be nil, and reads its result into what into points to, unless that
// is nil. It ends with ctx, and with an error when the stream ends.
func (m *monitor) execute(ctx context.Context, command string, arguments, into any) error {
	answer := make(chan message, 1)
	if err := m.send(command, arguments, answer); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", command, context.Cause(ctx))
	case <-m.ended:
		return fmt.Errorf("%s: %w", command, m.err)
	case msg := <-answer:
		if msg.Error != nil {
			return fmt.Errorf("%s: %s: %s", command, msg.Error.Class, msg.Error.Text)
		}
		if into == nil {
			return nil
		}
		if err := json.Unmarshal(msg.Return, into); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		return nil
	}
}

func (m *monitor) send(command string, arguments any, answer chan message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	id := strconv.Itoa(m.last)
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        string `json:"id"`
	}{command, arguments, id})
	if err != nil {
		return err
	}
	m.waiting[id] = answer
	_, err = m.stream.Write(append(line, '\n'))
	return err
}
