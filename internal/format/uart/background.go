// SPDX-License-Identifier: MIT

package uart

import "io"

// emptyReads is how many reads in a row may give nothing.
const emptyReads = 100

// pump reads the line until it ends or the receiver does.
func (r *Receiver) pump() {
	empty := 0
	for {
		var c chunk
		select {
		case c.data = <-r.free:
		case <-r.shut:
			return
		}
		n := 0
		for n == 0 && c.err == nil {
			if n, c.err = r.line.Read(c.data); n > 0 {
				empty = 0
			} else if empty++; empty >= emptyReads && c.err == nil {
				c.err = io.ErrNoProgress
			}
		}
		c.data = c.data[:n]
		select {
		case r.chunks <- c:
		case <-r.shut:
			return
		}
		if c.err != nil {
			return
		}
	}
}

// answer writes acknowledgements, apart from the reading: a sender that waits to write must not wait for one that
// waits to be read.
func (r *Receiver) answer() {
	var line []byte
	for {
		select {
		case seq := <-r.wanted:
			line = appendAck(line[:0], seq)
			if _, err := r.acks.Write(line); err != nil {
				r.ackErr <- err
				return
			}
		case <-r.shut:
			return
		}
	}
}

// linger goes on behind the end of the stream: the last acknowledgement is repeated while patience lasts, and text is
// handed on until the line ends or the receiver does.
func (r *Receiver) linger() {
	for repeats := 0; ; {
		select {
		case c := <-r.chunks:
			r.d.feed(c.data)
			if c.err != nil {
				r.d.flush()
				return
			}
			r.free <- c.data[:chunkSize]
		case <-r.ticker.C:
			if repeats++; r.o.Patience < 0 || repeats <= r.o.Patience {
				r.acknowledge()
			}
		case <-r.shut:
			return
		}
	}
}
