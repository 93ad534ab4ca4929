// SPDX-License-Identifier: MIT

package uart

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"time"
)

// Options say how a stream is received. 0 stands for the default of each.
type Options struct {
	// Text gets all that belongs to no frame, as it came: what a kernel prints. Neither damaged frames nor
	// acknowledgements that were echoed go there. It is written to by one goroutine at a time, until io.EOF by that which
	// calls Read; a Write may still be under way when Close returns. nil: nobody wants it.
	Text io.Writer
	Idle time.Duration // after so long without a good frame the wanted one is asked for again
	// Patience is after how many idle periods in a row the receiver gives up; below 0: never. A sender that has nothing
	// to say sends nothing, so that the time it may think counts as well.
	Patience int
}

// chunkSize is how much is read of a line at once.
const chunkSize = 64 << 10

// A wanted frame is asked for in each of the first idle periods, and then rarely: the sender may just have nothing to
// say, and finds all the questions when it has.
const (
	oftenPeriods = 16
	rarePeriods  = 64
)

// Receiver receives one stream. Read is for one goroutine; Close may be called from any.
type Receiver struct {
	o        Options
	line     io.Reader
	acks     io.Writer
	chunks   chan chunk
	free     chan []byte
	wanted   chan uint32 // the acknowledgement to send, of which only the newest counts
	ackErr   chan error
	ticker   *time.Ticker
	shut     chan struct{}
	shutOnce sync.Once

	d      decoder
	out    []byte // payload that Read has to give
	next   uint32 // the frame wanted
	total  uint64 // payload bytes received
	good   bool   // a frame was accepted since the last tick
	idle   int    // idle periods since the last accepted frame
	asked  bool   // the frame wanted was asked for, since it was missed
	beyond uint32 // the last frame that came too early in this gap
	ask    bool   // it is to be asked for now
	bad    int    // damaged frames
	ended  bool   // the end of the stream came
	err    error  // what Read says when all of out is given
}

// chunk is what one Read of the line gave.
type chunk struct {
	data []byte
	err  error
}

// NewReceiver makes a receiver that reads the line and writes acknowledgements to acks, each in one Write. Close must
// be called in the end.
func NewReceiver(line io.Reader, acks io.Writer, o Options) *Receiver {
	if o.Text == nil {
		o.Text = io.Discard
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	r := &Receiver{
		o: o, line: line, acks: acks, ticker: time.NewTicker(o.Idle), shut: make(chan struct{}),
		chunks: make(chan chunk), free: make(chan []byte, 2), wanted: make(chan uint32, 1), ackErr: make(chan error, 1),
	}
	r.d.text, r.d.frame, r.d.damaged = r.print, r.accept, r.missed
	r.free <- make([]byte, chunkSize)
	r.free <- make([]byte, chunkSize)
	go r.pump()
	go r.answer()
	return r
}

// Read gives payload. io.EOF says that all of the stream was given, and the number of its bytes agreed with the
// sender's. A line that ends before is an error that wraps io.ErrUnexpectedEOF or what the line said; patience that
// ends, one that wraps ErrPatience. Both say how far the stream came.
//
// Behind io.EOF the receiver goes on in the background until Close: it repeats the last acknowledgement, which the
// sender may have missed, and hands on text, from another goroutine. So Close is best called when the sender has gone.
func (r *Receiver) Read(p []byte) (int, error) {
	if r.err == nil {
		select {
		case <-r.ticker.C: // the time that the caller took is not the sender's
			r.good = true
		default:
		}
	}
	for len(p) > 0 && len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.d.out = r.d.out[:0]
		r.wait()
		r.out = r.d.out
		if r.ended {
			r.d.out = nil
			go r.linger()
		}
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// Close ends the receiver, and closes the line and the writer of acknowledgements where they are an io.Closer, since
// nothing else ends a call that waits in them. It is never an error.
func (r *Receiver) Close() error {
	r.shutOnce.Do(func() {
		close(r.shut)
		r.ticker.Stop()
		closeLine(r.line, r.acks)
	})
	return nil
}

// wait takes in the next thing that happens.
func (r *Receiver) wait() {
	select { // a line that never falls silent must not hide the time
	case <-r.ticker.C:
		r.tick()
		return
	default:
	}
	select {
	case <-r.ticker.C:
		r.tick()
	case c := <-r.chunks:
		r.take(c)
	case <-r.shut:
		r.fail(fmt.Errorf("uart: receiver: %w", fs.ErrClosed))
	}
}

// take decodes a chunk and answers it with one acknowledgement at most.
func (r *Receiver) take(c chunk) {
	before := r.next
	r.d.feed(c.data)
	if c.err != nil {
		r.d.flush()
		r.fail(fmt.Errorf("uart: the line ended after %s: %w", r.progress(), noEOF(c.err)))
	} else {
		r.free <- c.data[:chunkSize]
	}
	if r.next != before || r.ask {
		r.acknowledge()
	}
}

// tick takes in that an idle period has passed.
func (r *Receiver) tick() {
	if r.d.fresh {
		r.d.fresh = false
	} else {
		r.d.flush()
	}
	if r.good {
		r.good = false
		return
	}
	r.idle++
	if r.o.Patience > 0 && r.idle >= r.o.Patience {
		silent := time.Duration(r.idle) * r.o.Idle
		r.fail(fmt.Errorf("uart: no good frame in %v, after %s: %w", silent, r.progress(), ErrPatience))
		return
	}
	select {
	case err := <-r.ackErr:
		r.fail(fmt.Errorf("uart: writing an acknowledgement, after %s: %w", r.progress(), err))
		return
	default:
	}
	if r.idle <= oftenPeriods || r.idle%rarePeriods == 0 {
		r.acknowledge()
	}
}

// progress says how far the stream came.
func (r *Receiver) progress() string {
	return fmt.Sprintf("%d frames with %d bytes, and %d damaged", r.next, r.total, r.bad)
}

// fail ends the stream. The first reason counts.
func (r *Receiver) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// print hands on text.
func (r *Receiver) print(text []byte) {
	if _, err := r.o.Text.Write(text); err != nil {
		r.fail(fmt.Errorf("uart: handing on text, after %s: %w", r.progress(), err))
	}
}

// accept takes in a frame whose checksum is right, and says whether its payload goes on.
func (r *Receiver) accept(kind byte, seq uint32, payload []byte) bool {
	switch {
	case r.err != nil || seq < r.next: // too late, or known: the sender will hear of it without asking
		return false
	case seq > r.next:
		r.early(seq)
		return false
	}
	if kind == typeEnd {
		if err := r.checkTotal(payload); err != nil {
			r.fail(err)
			return false
		}
		r.ended = true
		r.fail(io.EOF)
	} else {
		r.total += uint64(len(payload))
	}
	r.next++
	r.good, r.idle, r.asked, r.ask, r.beyond = true, 0, false, false, 0
	return kind == typeData
}

func (r *Receiver) checkTotal(payload []byte) error {
	want, err := strconv.ParseUint(string(payload), 10, 64)
	if err != nil {
		return fmt.Errorf("uart: the end of the stream, after %s: %w", r.progress(), err)
	}
	if want != r.total {
		return fmt.Errorf("uart: the end of the stream says %d bytes, and %d came", want, r.total)
	}
	return nil
}

// missed takes in a damaged frame.
func (r *Receiver) missed() {
	r.bad++
	r.ask = r.ask || !r.asked
	r.asked = true
}

// early takes in a frame behind the one wanted. The latter is asked for once, and again each time that the sender has
// gone back without getting it through, which frames show that do not count up.
func (r *Receiver) early(seq uint32) {
	if !r.asked || r.beyond != 0 && seq <= r.beyond {
		r.ask, r.asked = true, true
	}
	r.beyond = seq
}

// acknowledge has the wanted frame's number sent. What waits to be sent is out of date.
func (r *Receiver) acknowledge() {
	r.ask = false
	select {
	case <-r.wanted:
	default:
	}
	r.wanted <- r.next
}
