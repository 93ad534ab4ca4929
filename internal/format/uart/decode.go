// SPDX-License-Identifier: MIT

package uart

import "bytes"

// Bounds of what is held of a line.
const (
	maxText    = 4096 // of a line of text before it is handed on
	maxForeign = 4096 // of what is printed inside a frame
	maxLines   = 16   // line feeds inside a frame
	maxBody    = payloadAt + 2*MaxPayload + maxForeign
)

// nearMiss is by how many bytes a frame can be too long or too short and be nothing but damaged: bytes were lost or
// doubled. What a kernel prints into a frame is longer.
const nearMiss = 2

// mode is what the bytes of the line belong to.
type mode uint8

const (
	inText  mode = iota
	inFrame      // from a mark on
	inWaste      // what follows a frame that was too long, up to the end of the line
)

// decoder finds the frames in what comes over a line, and mends those into which whole lines were printed. It holds
// at most maxBody bytes of input; out is emptied by its owner.
type decoder struct {
	text    func([]byte)                                            // gets what belongs to no frame
	frame   func(kind byte, seq uint32, payload []byte) (keep bool) // gets what is whole
	damaged func()                                                  // is told of what is not
	out     []byte                                                  // payload that was kept

	mode  mode
	buf   []byte // the line of text or, from behind its mark, the frame under way
	first int    // in a frame: the length of its first line, 0 where that has not ended
	last  int    // in a frame: where the line under way begins
	lines int    // in a frame: line feeds in buf
	after bool   // the line of text under way follows a frame directly
	fresh bool   // something came since the owner cleared it
}

// feed takes in what came.
func (d *decoder) feed(p []byte) {
	d.fresh = d.fresh || len(p) > 0
	lf := -1 // where the next line feed is known to be
	for at := 0; at < len(p); {
		if lf < at {
			if lf = bytes.IndexByte(p[at:], '\n'); lf < 0 {
				lf = len(p)
			} else {
				lf += at
			}
		}
		end := lf
		if i := bytes.IndexByte(p[at:lf], mark); i >= 0 {
			end = at + i
		}
		piece := p[at:end]
		at = end + 1
		switch {
		case end == len(p):
			d.keep(piece)
		case end == lf:
			d.endLine(piece)
		default:
			d.keep(piece)
			d.flush()
			d.begin()
		}
	}
}

// keep holds a piece of a line for later, as far as the bounds allow.
func (d *decoder) keep(piece []byte) {
	switch d.mode {
	case inText:
		for len(d.buf)+len(piece) > maxText {
			n := maxText - len(d.buf)
			d.text(append(d.buf, piece[:n]...))
			d.buf, d.after, piece = d.buf[:0], false, piece[n:]
		}
		d.buf = append(d.buf, piece...)
	case inFrame:
		if len(d.buf)+len(piece) > maxBody {
			d.giveUp()
			d.mode = inWaste
			return
		}
		d.buf = append(d.buf, piece...)
	}
}

// begin begins a frame, behind its mark.
func (d *decoder) begin() {
	d.mode, d.buf, d.first, d.last, d.lines = inFrame, d.buf[:0], 0, 0, 0
}

// toText goes on with text.
func (d *decoder) toText(after bool) {
	d.mode, d.buf, d.after = inText, d.buf[:0], after
}

// endLine takes in the rest of a line, which a line feed ends.
func (d *decoder) endLine(piece []byte) {
	if d.mode == inFrame && len(d.buf) == 0 && d.whole(piece, true) { // the usual case, without a copy
		d.toText(true)
		return
	}
	d.keep(piece)
	switch d.mode {
	case inText:
		d.endText()
	case inFrame:
		d.endFrame()
	case inWaste:
		d.toText(false)
	}
}

// endText hands on a line of text without the acknowledgement at its end. The line feed of a frame can be left of it,
// if something was printed before that.
func (d *decoder) endText() {
	rest, _, echo := cutAck(bytes.TrimRight(d.buf, "\r"))
	switch {
	case echo && len(rest) > 0:
		d.text(rest)
	case echo:
		d.toText(d.after)
		return
	case d.after && len(rest) == 0:
	default:
		d.text(append(d.buf, '\n'))
	}
	d.toText(false)
}

// endFrame looks at a frame at a line feed, which may be its own or that of a line printed into it.
func (d *decoder) endFrame() {
	if d.lines == 0 && d.whole(d.buf, true) {
		d.toText(true)
		return
	}
	if rest, _, echo := cutAck(bytes.TrimRight(d.buf, "\r")); echo && len(rest) >= d.last {
		d.buf = rest
		if d.lines == 0 && d.whole(d.buf, true) {
			d.toText(true)
		}
		return
	}
	switch {
	case d.lines > 0 && d.mend():
		d.toText(true)
	case d.lines == maxLines || d.lines == 0 && d.hopeless():
		d.buf = append(d.buf, '\n')
		d.giveUp()
	default:
		if d.buf = append(d.buf, '\n'); d.lines == 0 {
			d.first = len(d.buf)
		}
		d.lines++
		d.last = len(d.buf)
	}
}

// flush ends what is under way where no line feed ends it: another frame begins, or nothing more came for long.
func (d *decoder) flush() {
	switch {
	case d.mode == inText && len(d.buf) > 0:
		d.text(d.buf)
	case d.mode == inFrame && d.lines == 0 && d.whole(d.buf, false):
	case d.mode == inFrame && d.lines > 0 && d.mend():
	case d.mode == inFrame:
		d.giveUp()
	}
	d.toText(false)
}

// giveUp counts a frame as damaged. Its first line is lost, the others were most likely printed by somebody else.
func (d *decoder) giveUp() {
	d.damaged()
	if d.lines > 0 {
		d.text(d.buf[d.first:])
	}
	d.toText(false)
}

// head is the part of a frame between its mark and its payload.
type head struct {
	kind   byte
	seq    uint32
	length int
	sum    uint32
}

func parseHead(body []byte) (head, bool) {
	if len(body) < payloadAt || string(body[:len(magic)]) != magic || body[payloadAt-1] != ' ' {
		return head{}, false
	}
	kind := body[len(magic)]
	seq, ok1 := parseHex(body[seqAt:lenAt])
	length, ok2 := parseHex(body[lenAt:crcAt])
	sum, ok3 := parseHex(body[crcAt : payloadAt-1])
	ok := ok1 && ok2 && ok3 && length <= MaxPayload && (kind == typeData || kind == typeEnd)
	return head{kind, seq, int(length), sum}, ok
}

// whole hands on the frame that a body begins with, if its checksum is right. What follows it was printed before the
// line feed came; that is put behind it where there is one.
func (d *decoder) whole(body []byte, lf bool) bool {
	h, ok := parseHead(body)
	if !ok {
		return false
	}
	rest, ok := d.join(h, body, body[payloadAt:], nil)
	if trimmed := bytes.TrimRight(rest, "\r"); ok && len(trimmed) > 0 {
		switch before, _, echo := cutAck(trimmed); {
		case echo:
			rest = before
		case lf:
			rest = append(bytes.Clone(rest), '\n')
		}
		if len(rest) > 0 {
			d.text(rest)
		}
	}
	return ok
}

// mend hands on a frame into which whole lines were printed at one place. The length of what follows them, up to the
// end of the frame, tells where that was.
func (d *decoder) mend() bool {
	h, ok := parseHead(d.buf)
	if !ok {
		return false
	}
	tail := bytes.TrimRight(d.buf[d.last:], "\r")
	for _, split := range []int{0, 1} { // between two bytes of the payload, or within one that is escaped
		if len(tail) < split {
			break
		}
		part, ok := prefix(d.buf[payloadAt:d.last], h.length-split-unescapedLen(tail[split:]))
		part += split
		if !ok || payloadAt+part > d.last {
			continue
		}
		if _, ok := d.join(h, d.buf, d.buf[payloadAt:payloadAt+part], tail); ok {
			d.text(d.buf[payloadAt+part : d.last])
			return true
		}
	}
	return false
}

// hopeless says that a frame, at its first line feed, is damaged and nothing else.
func (d *decoder) hopeless() bool {
	h, ok := parseHead(d.buf)
	if !ok {
		return true
	}
	off := h.length - unescapedLen(bytes.TrimRight(d.buf[payloadAt:], "\r"))
	return -nearMiss <= off && off <= nearMiss
}

// join hands on the payload that stands in two parts, if its checksum is right, and gives what follows it.
func (d *decoder) join(h head, body, a, b []byte) (rest []byte, ok bool) {
	start := len(d.out)
	out, rest, open := unescape(d.out, a, h.length, false)
	if len(b) > 0 {
		out, rest, open = unescape(out, b, h.length-(len(out)-start), open)
	}
	d.out = out[:start]
	payload := out[start:]
	if open || len(payload) != h.length || checksum(body[len(magic):crcAt], payload) != h.sum {
		return nil, false
	}
	if d.frame(h.kind, h.seq, payload) {
		d.out = out
	}
	return rest, true
}

// unescape appends at most n bytes that stand escaped in p, and gives what of p they leave. open says, before, that
// p begins in the middle of an escape, and after, that it ends so.
func unescape(dst, p []byte, n int, open bool) (out, rest []byte, stillOpen bool) {
	for n > 0 && len(p) > 0 {
		if open {
			dst, p, open = append(dst, p[0]^flip), p[1:], false
			n--
			continue
		}
		plain := p[:min(n, len(p))]
		if i := bytes.IndexByte(plain, escape); i >= 0 {
			plain, open = plain[:i], true
		}
		dst, p = append(dst, plain...), p[len(plain):]
		n -= len(plain)
		if open {
			p = p[1:]
		}
	}
	return dst, p, open
}

// unescapedLen is how many bytes stand escaped in p.
func unescapedLen(p []byte) int {
	n := 0
	for len(p) > 0 {
		i := bytes.IndexByte(p, escape)
		if i < 0 {
			return n + len(p)
		}
		n += i + 1
		p = p[min(i+2, len(p)):]
	}
	return n
}

// prefix gives the length of what n bytes take at the beginning of p, escaped.
func prefix(p []byte, n int) (int, bool) {
	if n < 0 {
		return 0, false
	}
	at := 0
	for ; n > 0 && at < len(p); n-- {
		if p[at] == escape {
			at++
		}
		at++
	}
	return min(at, len(p)), n == 0
}
