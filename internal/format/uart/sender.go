// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"sync"
	"time"
)

// SenderOptions say how a stream is sent. 0 stands for the default of each.
type SenderOptions struct {
	Window   int           // frames sent before the first of them is acknowledged; what they hold stays in memory
	Payload  int           // bytes in a frame, at most MaxPayload, the default; fewer suit a bad line
	Patience time.Duration // how long Write, Flush and Close wait for an acknowledgement that gets them on
}

// nothing is the number of no frame, and not so with a window added or taken away.
const nothing = math.MinInt64

// Sender sends one stream. Its methods are for one goroutine.
type Sender struct {
	w        io.Writer
	acks     io.Reader
	patience time.Duration
	part     []byte // payload that fills no frame yet
	total    uint64 // bytes of all frames sent and of part

	mu   sync.Mutex
	cond sync.Cond
	// slots hold the frames base to next, each at its number modulo the window. Those below sent are on their way.
	slots            [][]byte
	base, sent, next uint32
	busy             int64 // the frame that is being written, or nothing
	ended            bool  // the end of the stream is in a slot, or Close was called
	err              error // what every further call says
}

// NewSender makes a sender whose frames go to w, each in one Write, and whose acknowledgements come from acks. Close
// must be called in the end.
func NewSender(w io.Writer, acks io.Reader, o SenderOptions) *Sender {
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.Payload <= 0 || o.Payload > MaxPayload {
		o.Payload = MaxPayload
	}
	if o.Patience <= 0 {
		o.Patience = DefaultSenderPatience
	}
	s := &Sender{w: w, acks: acks, patience: o.Patience, busy: nothing}
	s.part, s.slots = make([]byte, 0, o.Payload), make([][]byte, o.Window)
	s.cond.L = &s.mu
	go s.write()
	go s.listen()
	return s
}

// Write sends what fills whole frames, and keeps the rest for the next call. It waits where the window is full.
func (s *Sender) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n := min(cap(s.part)-len(s.part), len(p)-done)
		if s.part = append(s.part, p[done:done+n]...); len(s.part) == cap(s.part) {
			if err := s.Flush(); err != nil {
				return done, err
			}
		}
		done += n
	}
	return done, nil
}

// Flush sends what Write kept. It does not wait until that has arrived; where it got lost, it is sent again without a
// further call.
func (s *Sender) Flush() error {
	if len(s.part) == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.err
	}
	if err := s.push(typeData, s.part); err != nil {
		return err
	}
	s.total += uint64(len(s.part))
	s.part = s.part[:0]
	return nil
}

// Close sends the end of the stream and waits until all of it is acknowledged: nil says that the receiver has every
// byte. In any case it ends the sender, and closes w and acks where they are an io.Closer, since nothing else ends a
// call that waits in them.
func (s *Sender) Close() error {
	err := s.Flush()
	if err == nil {
		err = s.push(typeEnd, strconv.AppendUint(nil, s.total, 10))
	}
	s.mu.Lock()
	if err == nil {
		err = s.await(func() bool { return s.base == s.next })
	}
	s.fail(fmt.Errorf("uart: sender: %w", fs.ErrClosed))
	s.mu.Unlock()
	closeLine(s.w, s.acks)
	return err
}

// push puts a frame into its slot, as soon as that is free.
func (s *Sender) push(kind byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	window := uint32(len(s.slots))
	if s.next == math.MaxUint32 && s.err == nil {
		s.fail(fmt.Errorf("uart: the stream has more than %d frames", s.next))
	}
	// A frame that is sent again can be acknowledged while it is written: its slot is not free before that is over.
	err := s.await(func() bool { return s.next-s.base < window && s.busy != int64(s.next)-int64(window) })
	if err != nil {
		return err
	}
	slot := &s.slots[s.next%window]
	*slot = appendFrame((*slot)[:0], kind, s.next, payload)
	s.next++
	s.ended = kind == typeEnd
	s.cond.Broadcast()
	return nil
}

// await waits, with mu held, until ready, but no longer than patience without progress.
func (s *Sender) await(ready func() bool) error {
	if s.err != nil || ready() {
		return s.err
	}
	late := false
	timer := time.AfterFunc(s.patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.cond.Broadcast()
	})
	defer timer.Stop()
	for s.err == nil && !ready() {
		base := s.base
		s.cond.Wait()
		switch {
		case s.base != base:
			timer.Reset(s.patience)
			late = false
		case late:
			s.fail(fmt.Errorf("uart: no acknowledgement in %v: %d frames sent, %d acknowledged: %w",
				s.patience, s.next, s.base, ErrPatience))
		}
	}
	return s.err
}

// fail ends the sender, with mu held. The first reason counts.
func (s *Sender) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.cond.Broadcast()
}

// write writes frames until the sender ends.
func (s *Sender) write() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.err == nil && s.sent == s.next {
			s.cond.Wait()
		}
		if s.err != nil {
			return
		}
		s.busy = int64(s.sent)
		frame := s.slots[s.sent%uint32(len(s.slots))]
		s.sent++
		s.mu.Unlock()
		_, err := s.w.Write(frame)
		s.mu.Lock()
		s.busy = nothing
		if err != nil {
			s.fail(fmt.Errorf("uart: writing a frame: %w", err))
		}
		s.cond.Broadcast()
	}
}

// listen reads acknowledgements until the last, or the end of the line.
func (s *Sender) listen() {
	var line []byte
	buf := make([]byte, 512)
	for {
		n, err := s.acks.Read(buf)
		for _, c := range buf[:n] {
			if c != '\n' {
				if len(line) == 2*ackLen { // an acknowledgement is looked for at the end of a line only
					line = append(line[:0], line[ackLen:]...)
				}
				line = append(line, c)
				continue
			}
			if _, seq, ok := cutAck(bytes.TrimRight(line, "\r")); ok && s.acknowledged(seq) {
				return
			}
			line = line[:0]
		}
		if err != nil {
			s.mu.Lock()
			s.fail(fmt.Errorf("uart: reading acknowledgements, %d frames sent, %d acknowledged: %w", s.next, s.base, noEOF(err)))
			s.mu.Unlock()
			return
		}
	}
}

// acknowledged takes in that frame seq is wanted next, and says whether that is behind the last one.
func (s *Sender) acknowledged(seq uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case seq < s.base || seq > s.next: // old, or of another stream
	case seq > s.base:
		s.base, s.sent = seq, max(s.sent, seq)
		s.cond.Broadcast()
	case s.busy != int64(seq): // wanted again; where it is just being sent, it was asked for too early
		s.sent = seq
		s.cond.Broadcast()
	}
	return s.err != nil || s.ended && s.base == s.next
}

// noEOF turns the end of a line into an error that nobody takes for a good end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// closeLine closes what can be closed of a line. It is of no more use, so that an error says nothing.
func closeLine(ends ...any) {
	for _, end := range ends {
		if c, ok := end.(io.Closer); ok {
			c.Close()
		}
	}
}
