// SPDX-License-Identifier: MIT

package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/need"
)

// chromium is a browser without a window and one tab of it, spoken to through a pair of pipes in the DevTools protocol:
// JSON values, each with a zero byte at its end. https://chromedevtools.github.io/devtools-protocol/ is the reference.
type chromium struct {
	in      io.Writer
	out     *bufio.Reader
	session string
	calls   int
	events  []message
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// browserTime bounds all that a test does with a browser: at its end every process of it is killed.
const browserTime = 60 * time.Second

func startChromium(t *testing.T) *chromium {
	t.Helper()
	program := need.Tool(t, "chromium")
	ctx, stop := context.WithTimeout(t.Context(), browserTime)
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+home, "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	theirIn, in := pipe(t)
	out, theirOut := pipe(t)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4, as the flag wants them
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	t.Cleanup(func() {
		stop()
		cmd.Wait() // was killed
	})
	c := &chromium{in: in, out: bufio.NewReader(out)}
	var tab struct {
		TargetID, SessionID string
	}
	c.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &tab)
	c.call(t, "Target.attachToTarget", map[string]any{"targetId": tab.TargetID, "flatten": true}, &tab)
	c.session = tab.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		c.call(t, domain+".enable", nil, nil)
	}
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// call does something and waits for its result; what happens meanwhile is kept.
func (c *chromium) call(t *testing.T, method string, params, result any) {
	t.Helper()
	c.calls++
	request := map[string]any{"id": c.calls, "method": method}
	if params != nil {
		request["params"] = params
	}
	if c.session != "" {
		request["sessionId"] = c.session
	}
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.in.Write(append(text, 0)); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	for {
		m := c.next(t)
		if m.ID != c.calls {
			c.events = append(c.events, m)
			continue
		}
		if m.Error != nil {
			t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

func (c *chromium) next(t *testing.T) message {
	t.Helper()
	text, err := c.out.ReadBytes(0)
	if err != nil {
		t.Fatalf("the browser has ended: %v", err)
	}
	var m message
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// open shows a page at a width, in light or dark, and waits until it is there.
func (c *chromium) open(t *testing.T, url string, width int, scheme string) {
	t.Helper()
	c.events = nil
	c.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1,
		"mobile": width < 600}, nil)
	c.call(t, "Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	c.call(t, "Page.navigate", map[string]any{"url": url}, nil)
	for !c.happened("Page.loadEventFired") {
		c.events = append(c.events, c.next(t))
	}
}

func (c *chromium) happened(method string) bool {
	for _, e := range c.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

// eval runs a script in the page, whose own policy does not concern it.
func (c *chromium) eval(t *testing.T, script string, result any) {
	t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	c.call(t, "Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		t.Fatalf("script: %s", r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, result); err != nil {
		t.Fatalf("script: %v", err)
	}
}

// complaints are what the browser had to say of the page since it was opened, and what the page asked for.
func (c *chromium) complaints(url string) []string {
	var all []string
	for _, e := range c.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			all = append(all, fmt.Sprintf("%s %s", e.Method, e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if json.Unmarshal(e.Params, &p) != nil || p.Request.URL != url {
				all = append(all, "request of "+p.Request.URL)
			}
		}
	}
	return all
}
