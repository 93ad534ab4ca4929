// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// result is what the two ends of a stream came to.
type result struct {
	got        []byte
	text       string
	read, sent error
}

// transfer sends data over a line, in a bubble where no goroutine may be left and idle time takes none. In the end it
// closes the ends of the line.
func transfer(t *testing.T, l *line, data []byte, so SenderOptions, o Options) (res result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l.open()
		var text bytes.Buffer
		o.Text = &text
		r := NewReceiver(l.receiver.r, l.receiver.w, o)
		done := make(chan error)
		go func() {
			s := NewSender(l.sender.w, l.sender.r, so)
			_, err := s.Write(data)
			if cerr := s.Close(); err == nil {
				err = cerr
			}
			done <- err
		}()
		res.got, res.read = io.ReadAll(r)
		if res.read != nil {
			r.Close()
		}
		res.sent = <-done
		r.Close()
		synctest.Wait()
		res.text = text.String()
	})
	return res
}

func TestStreamOverACleanLine(t *testing.T) {
	for _, size := range []int{0, 1, MaxPayload - 1, MaxPayload, MaxPayload + 1, 300_000} {
		seed := noise(size)
		want := seed.bytes(size)
		res := transfer(t, &line{}, want, SenderOptions{}, Options{})
		if res.read != nil || res.sent != nil || !bytes.Equal(res.got, want) || res.text != "" {
			t.Errorf("%d bytes: %d came, text %q, errors %v, %v", size, len(res.got), res.text, res.read, res.sent)
		}
	}
}

func TestStreamOverABadLine(t *testing.T) {
	for name, l := range map[string]line{
		"newlines":         {crlf: true},
		"echo":             {crlf: true, echo: true},
		"a kernel":         {prints: 3000},
		"a talking kernel": {crlf: true, echo: true, prints: 300},
		"lost bytes":       {drops: 1500},
		"doubled bytes":    {doubles: 1500},
		"flipped bits":     {flips: 1500},
		"lost questions":   {drops: 3000, ackFaults: 200},
		"all of it":        {crlf: true, echo: true, prints: 2000, drops: 4000, doubles: 4000, flips: 4000, ackFaults: 200},
	} {
		for _, window := range []int{1, 5, DefaultWindow} {
			t.Run(name, func(t *testing.T) {
				l.seed = noise(window)
				seed := noise(42)
				want := seed.bytes(50_000)
				res := transfer(t, &l, want, SenderOptions{Window: window, Payload: 512}, Options{})
				if res.read != nil || res.sent != nil || !bytes.Equal(res.got, want) {
					t.Errorf("window %d: %d of %d bytes came, errors %v, %v", window, len(res.got), len(want), res.read, res.sent)
				}
				if l.prints > 0 && !strings.Contains(res.text, strings.TrimSpace(printed)) {
					t.Errorf("the text has nothing of the kernel: %q", res.text)
				}
				if l == (line{crlf: l.crlf, echo: l.echo, seed: l.seed}) && res.text != "" {
					t.Errorf("text = %q; want none", res.text)
				}
			})
		}
	}
}

func TestStreamThatIsCutFails(t *testing.T) {
	data := make([]byte, 100_000)
	for _, cut := range []int{1, 10, 4000, 50_000} {
		res := transfer(t, &line{cut: cut}, data, SenderOptions{}, Options{})
		if !errors.Is(res.read, io.ErrUnexpectedEOF) || len(res.got) > cut {
			t.Errorf("cut at %d: reading = %d bytes, %v; want io.ErrUnexpectedEOF", cut, len(res.got), res.read)
		}
		if res.sent == nil {
			t.Errorf("cut at %d: sending went well", cut)
		}
	}
}

// garbage is a line that never ends and holds no frame.
type garbage struct{ noise }

func (g *garbage) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond) // of the bubble
	n := min(len(p), 1000)
	copy(p, g.bytes(n))
	return n, nil
}

func TestReceiverLosesPatience(t *testing.T) {
	for name, open := range map[string]func() io.Reader{
		"garbage": func() io.Reader { return &garbage{} },
		"silence": func() io.Reader { r, _ := io.Pipe(); return r },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := open()
				var acks bytes.Buffer
				r := NewReceiver(in, &acks, Options{Patience: 40})
				began := time.Now()
				got, err := io.ReadAll(r)
				if !errors.Is(err, ErrPatience) || !strings.Contains(err.Error(), "after 0 frames with 0 bytes") || len(got) > 0 {
					t.Errorf("ReadAll = %d bytes, %v; want ErrPatience, and how far it came", len(got), err)
				}
				if took := time.Since(began); took != 40*DefaultIdle {
					t.Errorf("it took %v; want %v", took, 40*DefaultIdle)
				}
				if len(r.d.buf) > maxBody+1 {
					t.Errorf("the receiver holds %d bytes; want at most %d", len(r.d.buf), maxBody)
				}
				r.Close()
				synctest.Wait()
				if _, seq, ok := cutAck(bytes.TrimSuffix(acks.Bytes(), []byte("\n"))); !ok || seq != 0 {
					t.Errorf("acknowledgements = %q; want the last to ask for frame 0", acks.String())
				}
				if asked := strings.Count(acks.String(), "\n"); asked < 16 || asked > 18 {
					t.Errorf("frame 0 was asked for %d times; want 16 and two for damage at most", asked)
				}
			})
		})
	}
}

func TestReceiverRefusesAWrongTotal(t *testing.T) {
	for total, want := range map[string]string{
		"4": "says 4 bytes, and 5 came", "6": "says 6 bytes, and 5 came", "": "invalid syntax", "-5": "invalid syntax",
		"99999999999999999999": "out of range",
	} {
		synctest.Test(t, func(t *testing.T) {
			wire := appendFrame(nil, typeData, 0, []byte("hello"))
			wire = appendFrame(wire, typeEnd, 1, []byte(total))
			r := NewReceiver(bytes.NewReader(wire), io.Discard, Options{})
			defer r.Close()
			got, err := io.ReadAll(r)
			if string(got) != "hello" || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("total %q: ReadAll = %q, %v; want hello and an error with %q", total, got, err, want)
			}
		})
	}
}

func TestSenderThatNobodyAnswersGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acks, _ := io.Pipe()
		var wire bytes.Buffer
		s := NewSender(&wire, acks, SenderOptions{Window: 2, Payload: 10, Patience: time.Minute})
		began := time.Now()
		n, err := s.Write(make([]byte, 100))
		if !errors.Is(err, ErrPatience) || n != 20 || time.Since(began) != time.Minute {
			t.Errorf("Write = %d, %v after %v; want 20 bytes, ErrPatience after 1m", n, err, time.Since(began))
		}
		if err := s.Close(); !errors.Is(err, ErrPatience) {
			t.Errorf("Close() = %v; want ErrPatience", err)
		}
		synctest.Wait()
		if got := len(decodeAll(t, wire.Bytes(), 100).Frames); got != 2 {
			t.Errorf("%d frames were sent; want the window of 2", got)
		}
	})
}

// TestSenderGoesBack plays the receiver.
func TestSenderGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acks, answer := io.Pipe()
		var wire bytes.Buffer
		s := NewSender(&wire, acks, SenderOptions{Window: 3, Payload: 1})
		say := func(p []byte, want string) {
			t.Helper()
			answer.Write(p)
			synctest.Wait()
			var seqs []string
			for _, f := range decodeAll(t, wire.Bytes(), 100).Frames {
				seqs = append(seqs, f[:3])
			}
			if got := strings.Join(seqs, " "); got != want {
				t.Errorf("after %q: sent %q; want %q", p, got, want)
			}
			wire.Reset()
		}
		if _, err := s.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		say(nil, "D 0 D 1 D 2")
		say(appendAck(nil, 1), "")
		say(appendAck(nil, 1), "D 1 D 2")
		say(appendAck(nil, 0), "")
		say(appendAck(nil, 9), "")
		say([]byte("RGA00000001\n"), "")
		say(append([]byte("garbage"), lines(string(appendAck(nil, 2)))...), "")
		say(append(bytes.TrimSpace(appendAck(nil, 1)), appendAck(nil, 2)...), "D 2")
		say(appendAck(nil, 3), "")
		say(appendAck(nil, 3), "")
		done := make(chan error)
		go func() { done <- s.Close() }()
		say(nil, "E 3")
		say(appendAck(nil, 3), "E 3")
		answer.Write(appendAck(nil, 4))
		if err := <-done; err != nil {
			t.Errorf("Close() = %v", err)
		}
		if _, err := s.Write(make([]byte, 9)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Write behind Close = %v; want fs.ErrClosed", err)
		}
	})
}

func TestReceiverRepeatsTheLastAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		var acks, text bytes.Buffer
		r := NewReceiver(in, &acks, Options{Text: &text, Patience: 3})
		go w.Write(append(appendFrame(nil, typeEnd, 0, []byte("0")), "bye\n"...))
		if got, err := io.ReadAll(r); len(got) > 0 || err != nil {
			t.Errorf("ReadAll = %q, %v; want nothing", got, err)
		}
		time.Sleep(time.Hour) // of the bubble
		synctest.Wait()
		if want := strings.Repeat(string(appendAck(nil, 1)), 4); acks.String() != want {
			t.Errorf("acknowledgements = %q; want %q", acks.String(), want)
		}
		go w.Write([]byte("down\n"))
		synctest.Wait()
		r.Close()
		if text.String() != "bye\ndown\n" {
			t.Errorf("text = %q; want what was printed behind the end", text.String())
		}
	})
}

// broken fails every write.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestEndsThatCannotWriteFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := io.Pipe()
		r := NewReceiver(in, broken{}, Options{})
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, errBroken) {
			t.Errorf("Read without acknowledgements = %v; want %v", err, errBroken)
		}
		r.Close()
		r = NewReceiver(strings.NewReader("text\n"), io.Discard, Options{Text: broken{}})
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, errBroken) {
			t.Errorf("Read without a place for text = %v; want %v", err, errBroken)
		}
		r.Close()
		acks, _ := io.Pipe()
		s := NewSender(broken{}, acks, SenderOptions{})
		if err := s.Close(); !errors.Is(err, errBroken) {
			t.Errorf("Close() = %v; want %v", err, errBroken)
		}
	})
}

func TestReceiverCloseEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := io.Pipe()
		r := NewReceiver(in, io.Discard, Options{})
		done := make(chan error)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		r.Close()
		if err := <-done; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("Read = %v; want an error", err)
		}
	})
}
