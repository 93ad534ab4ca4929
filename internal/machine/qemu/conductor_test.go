// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/uart"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	guestconsole "github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// words is a job with a step a line, on empty inputs.
func words(t *testing.T, exports, inputs string, lines ...string) machine.Job {
	t.Helper()
	blobs := &store.Mem{}
	var nodes []tree.Node
	for _, name := range strings.Fields(inputs) {
		nodes = append(nodes, machinetest.File(t, blobs, name, "", machine.ModeExecutable))
	}
	job := machine.Job{
		Name: "j", Arch: arch, Inputs: machinetest.Tree(t, nodes...), Exports: strings.Fields(exports),
		Limits: machine.Limits{Time: time.Minute, Memory: 1 << 20, Output: 1000, Files: 2},
	}
	for _, line := range lines {
		job.Steps = append(job.Steps, machine.Step{Argv: strings.Fields(line), Limit: time.Minute})
	}
	return job
}

func TestBootStepsFindWhatEachWrites(t *testing.T) {
	tests := []struct {
		job  machine.Job
		want string // the outputs, or part of the refusal
	}{
		{words(t, "b", "p in", "p in a", "p a b", "p in a b"), `step 2: ["p" "in" "a" "b"]: as process 1 a `},
		{words(t, "b", "p in", "p in a", "p a b"), "a b"},
		{words(t, "q r", "p in", "p in q", "q in r"), "q r"},
		{words(t, "d/q", "p d/in", "p d/in d/q"), "d/q"},
		{words(t, "e/q", "p in", "p in e/q"), "e/q"}, // rung makes e
		{words(t, "q", "p in", "p in", "p in q"), `which an argument names; found []`},
		{words(t, "a b", "p in", "p in a b"), `found ["a" "b"]`},
		{words(t, "b", "p in", "p in f/a", "p f/a b"), `no directory "f"`},
		{words(t, "b c", "p in", "p in b"), `no step names the export "c"`},
		{words(t, "b", "p in", `p "in" b`), `does not hand on "\"in\"" as it is`},
		{words(t, "b", "p in", "p ä b"), `does not hand on "ä" as it is`},
		{words(t, "b", "p in", "p"+strings.Repeat(" in", 30)+" b"), "30 words"},
		{words(t, "b", "p in", "p "+strings.Repeat("x", 2048)+" b"), "2047 bytes"},
	}
	for _, tt := range tests {
		steps, err := bootSteps(tt.job)
		if err != nil {
			if !strings.Contains(err.Error(), tt.want) || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("bootSteps(%v) = %v (%v); want %s", tt.job.Steps, err, fault.KindOf(err), tt.want)
			}
			continue
		}
		var got []string
		for _, s := range steps {
			got = append(got, s.output)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("bootSteps(%v) = %q; want %s", tt.job.Steps, got, tt.want)
		}
	}
}

// TestRunRefusesWhatTenCallsCannotDo needs no QEMU: it is said before anything is looked for.
func TestRunRefusesWhatTenCallsCannotDo(t *testing.T) {
	m := NewScheme(Options{Options: agent.Options{Now: time.Now}}, nil)
	change := map[string]func(*machine.Job){
		"without an environment": func(j *machine.Job) { j.Env = []string{"A=1"} },
		"no devices":             func(j *machine.Job) { j.Devices = true },
		"of amd64 only":          func(j *machine.Job) { j.Arch = "riscv64" },
		`needs ".rung"`:          func(j *machine.Job) { j.Inputs = words(t, "", "p .rung/run.scm", "p").Inputs },
		`needs "dev"`:            func(j *machine.Job) { j.Inputs = words(t, "", "p dev/console", "p").Inputs },
	}
	for want, f := range change {
		job := words(t, "", "p", "p")
		f(&job)
		_, err := m.Run(t.Context(), job, &store.Mem{}, nil)
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("Run = %v; want a fault of kind unavailable with %q", err, want)
		}
	}
}

func TestPlainTextUndoesATerminal(t *testing.T) {
	for _, written := range []string{"", "\n", "\r", "\r\n", "\n\r\n\n", "a\r\r\nb\r", "\r\r", "text\n\n"} {
		sent := strings.ReplaceAll(written, "\n", "\r\n") // ONLCR of termios(3)
		for cut := range len(sent) + 1 {
			var got bytes.Buffer
			p := &plainText{w: &got}
			_, first := p.Write([]byte(sent[:cut]))
			_, second := p.Write([]byte(sent[cut:]))
			if last := p.flush(); got.String() != written || first != nil || second != nil || last != nil {
				t.Errorf("plainText(%q, cut at %d) = %q, %v, %v, %v; want %q", sent, cut, &got, first, second, last, written)
			}
		}
	}
}

func TestScriptHoldsTheJob(t *testing.T) {
	job := words(t, "d new", "p d/in", `p a"b\`, "p ä")
	job.Steps[1].Argv = append(job.Steps[1].Argv, "two words\n")
	text, err := schemeScript(job)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := strings.CutPrefix(text, conductorText)
	want := `(conduct '(
  ("p" "a\"b\\")
  ("p" "\xc3;\xa4;" "two words\x0a;")) '(
  ("d/in" "\"fail\",\"Failure\":{\"Cause\":\"missing\",\"Step\":2,\"Detail\":\"no file \\\"d/in\\\"\"}" ` + nodeText("d/in", 0o555) + `)
  ("new" "\"fail\",\"Failure\":{\"Cause\":\"missing\",\"Step\":2,\"Detail\":\"no file \\\"new\\\"\"}" ` +
		nodeText("new", 0o444) + " " + nodeText("new", 0o555) + `)))
`
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("schemeScript (-want +got), behind conductor.scm: %v\n%s", ok, diff)
	}
}

// nodeText is a tree.Node as JSON as a literal of Scheme.
func nodeText(path string, mode uint32) string {
	var b strings.Builder
	b.WriteString(`"{\"Path\":\"` + path + `\",\"Kind\":1,\"Mode\":`)
	b.WriteString(map[uint32]string{0o444: "292", 0o555: "365"}[mode])
	b.WriteString(`,\"UID\":0,\"GID\":0,\"ModTime\":0,\"Content\":\"\",\"Target\":\"\",\"Major\":0,\"Minor\":0}"`)
	return b.String()
}

// said is what hear makes of what a conductor says: frames, and text between them where a line begins with "=".
func said(t *testing.T, job machine.Job, lines ...string) (string, error) {
	t.Helper()
	line, theirs := io.Pipe()
	acks, ackWriter := io.Pipe()
	r, w := io.Pipe()
	c := &conducted{job: job, out: w, passed: r, step: -1, console: guestconsole.New(guestconsole.Options{})}
	defer c.console.Done()
	c.printed = &plainText{w: printer{c}}
	c.listen(line, ackWriter)
	defer c.stream.Close()
	go func() {
		sent := written{theirs, make(chan bool)}
		s := uart.NewSender(sent, acks, uart.SenderOptions{Window: 1})
		for _, l := range lines {
			if text, ok := strings.CutPrefix(l, "="); ok {
				_, _ = io.WriteString(theirs, text)
				continue
			}
			_, _ = io.WriteString(s, l)
			_ = s.Flush()
			<-sent.frames
		}
		go func() { <-sent.frames }() // the end
		_ = s.Close()
		theirs.Close()
	}()
	ended := make(chan error, 1)
	go func() {
		err := c.hear()
		w.Close()
		ended <- err
	}()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all), <-ended
}

// written tells when a frame is out: what follows it on the line can only then be written.
type written struct {
	w      io.Writer
	frames chan bool
}

func (w written) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.frames <- true
	return n, err
}

func TestHearSpeaksAsAnAgent(t *testing.T) {
	job := words(t, "d new", "p d/in", "p", "gone", "p", "p")
	got, err := said(t, job,
		`{"Kind":"ready"}`+"\n",
		`{"Kind":"start","Step":0}`+"\n", "=.\r\nfirst\r\n", `{"Kind":"end","Step":0,"Ended":{"Exit":0}}`+"\n",
		`{"Kind":"start","Step":1}`+"\n", "=.", `{"Kind":"end","Step":1,"Ended":{"Exit":127},"Text":"absent"}`+"\n",
		`{"Kind":"start","Step":2}`+"\n", "=.", `{"Kind":"end","Step":2,"Ended":{"Exit":139}}`+"\n",
		`{"Kind":"start","Step":3}`+"\n", "=.", `{"Kind":"end","Step":3,"Ended":{"Exit":127}}`+"\n",
		`{"Kind":"export","Size":3,"Node":{"Path":"new","Kind":1}}`+"\nabc",
		`{"Kind":"done"}`+"\n")
	want := `{"Kind":"ready"}
{"Kind":"start"}
{"Kind":"output","Size":1}

{"Kind":"output","Size":6}
first
{"Kind":"end","Ended":{"Exit":0,"Signal":""}}
{"Kind":"start","Step":1}
{"Kind":"end","Step":1,"Ended":{"Exit":-1,"Signal":""},"Failure":{"Cause":"start","Step":1,"Detail":"cannot start \"gone\": no such file or directory"}}
{"Kind":"start","Step":2}
{"Kind":"end","Step":2,"Ended":{"Exit":-1,"Signal":"SIGSEGV"},"Failure":{"Cause":"signal","Step":2,"Detail":"SIGSEGV"}}
{"Kind":"start","Step":3}
{"Kind":"end","Step":3,"Ended":{"Exit":127,"Signal":""},"Failure":{"Cause":"exit","Step":3,"Detail":"exit status 127"}}
`
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" || err != io.EOF {
		t.Errorf("hear = %v (-want +got):\n%s", err, diff)
	}
	const others = `"UID":0,"GID":0,"ModTime":0,"Content":"","Target":"","Major":0,"Minor":0}}` + "\n"
	want = `{"Kind":"export","Size":3,"Node":{"Path":"new","Kind":1,"Mode":0,` + others +
		`abc{"Kind":"export","Node":{"Path":"d","Kind":2,"Mode":365,` + others + `{"Kind":"done"}` + "\n"
	if diff := cmp.Diff(want, got[len(got)-min(len(want), len(got)):]); diff != "" {
		t.Errorf("hear: the exports (-want +got):\n%s", diff)
	}
}

func TestHearRefuses(t *testing.T) {
	job := words(t, "new", "", "p")
	large := `{"Kind":"export","Size":1001,"Node":{"Path":"new"}}` + "\n"
	tests := map[string][]string{
		"there is no step 1":   {`{"Kind":"start","Step":1}` + "\n"},
		"which does not run":   {`{"Kind":"end","Step":0,"Ended":{}}` + "\n"},
		"without a node":       {`{"Kind":"export","Size":1}` + "\n"},
		"invalid character":    {"garbage\n"},
		"unexpected EOF":       {`{"Kind":"ready"}` + "\n"},
		"0 bytes of 5":         {`{"Kind":"export","Size":5,"Node":{"Path":"new"}}` + "\n"},
		"follows the last one": {`{"Kind":"done"}` + "\nmore"},
	}
	for want, lines := range tests {
		if _, err := said(t, job, lines...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("hear(%q) = %v; want %q", lines, err, want)
		}
	}
	got, _ := said(t, job, large+strings.Repeat("x", 1001)+`{"Kind":"done"}`+"\n")
	if !strings.Contains(got, `"Failure":{"Cause":"output","Step":0,"Detail":"more than 1000 bytes of output"}`) {
		t.Errorf("hear(1001 bytes of 1000) = %s; want a failure for too much output", got)
	}
}

func TestKeepTellsProgramsByTheirMagic(t *testing.T) {
	b := &belowRun{blobs: &store.Mem{}}
	if err := b.keep(t.Context(), "program", exitZero()); err != nil {
		t.Fatal(err)
	}
	if err := b.keep(t.Context(), "text", []byte("7f 45")); err != nil {
		t.Fatal(err)
	}
	want := []tree.Node{
		{Path: "program", Kind: tree.File, Mode: machine.ModeExecutable, Content: digest.Of(exitZero())},
		{Path: "text", Kind: tree.File, Mode: machine.ModeFile, Content: digest.Of([]byte("7f 45"))},
	}
	if !slices.Equal(b.made, want) {
		t.Errorf("keep made %v; want %v", b.made, want)
	}
}
