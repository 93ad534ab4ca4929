// SPDX-License-Identifier: MIT

// Package uart carries one stream of bytes one way over a serial line, whatever the line does to it: a kernel prints
// between and inside frames, a terminal turns LF into CR LF and echoes what it is sent, bytes get lost, doubled or
// changed. The stream arrives whole and in order, or the receiver says what is missing; never is it short in silence.
//
// The sender needs nothing but reading and writing: time is the receiver's, who asks again for what did not come.
//
// Left out on purpose: streams in both directions, several on one line, resumption after either end has gone, and
// secrecy. A line is a pair of a reader and a writer; opening and setting it up is the caller's.
//
// Specification: docs/uart.md. It is ours; the escaping is that of RFC 1662, section 4.2, with another xor.
package uart

import (
	"errors"
	"hash/crc32"
	"time"
)

// MaxPayload is the largest number of payload bytes in a frame, before escaping.
const MaxPayload = 4096

// What stands for an option that is 0.
const (
	DefaultWindow         = 16
	DefaultIdle           = time.Second
	DefaultPatience       = 60
	DefaultSenderPatience = 2 * time.Minute
)

// ErrPatience is wrapped by the error of a receiver that got no good frame, and of a sender that got no good
// acknowledgement, for as long as its options allow.
var ErrPatience = errors.New("the other end of the line has not answered")

// The bytes of the wire. A frame is mark, "RG", its type, head and payload, and a line feed.
const (
	mark   = 0x1e // begins a frame, and stands nowhere else in one
	escape = 0x7d // the byte after it stands for itself xor flip
	flip   = 0x40

	typeData = 'D'
	typeEnd  = 'E'

	magic     = "RG"
	ackMagic  = magic + "A"
	seqAt     = len(magic) + 1 // offsets in a frame without its mark
	lenAt     = seqAt + 8
	crcAt     = lenAt + 4
	payloadAt = crcAt + 8 + 1
	ackLen    = lenAt + 8 // "RGA", a number, a checksum
)

// escaped says which bytes of a payload are sent as two: what a terminal or a line may act upon, and the two that
// frames are made of.
var escaped = [256]bool{
	0x00: true, 0x04: true, '\t': true, '\n': true, '\r': true,
	0x11: true, 0x13: true, mark: true, escape: true, 0x7f: true,
}

// checksum is the CRC-32 (IEEE) of a frame's type, number and length as they stand, and of its payload unescaped.
func checksum(head, payload []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, payload)
}

// appendHex appends the last digits hexadecimal digits of v.
func appendHex(dst []byte, v uint32, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&15])
	}
	return dst
}

// parseHex reads lower-case hexadecimal digits, at most eight, and nothing else.
func parseHex(s []byte) (uint32, bool) {
	var v uint32
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | uint32(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint32(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// appendFrame appends a frame; the payload has at most MaxPayload bytes.
func appendFrame(dst []byte, kind byte, seq uint32, payload []byte) []byte {
	start := len(dst) + 1
	dst = append(append(append(dst, mark), magic...), kind)
	dst = appendHex(dst, seq, 8)
	dst = appendHex(dst, uint32(len(payload)), 4)
	dst = appendHex(dst, checksum(dst[start+len(magic):], payload), 8)
	dst = appendEscaped(append(dst, ' '), payload)
	return append(dst, '\n')
}

// appendEscaped appends a payload as it stands in a frame.
func appendEscaped(dst, p []byte) []byte {
	for {
		n := 0
		for n < len(p) && !escaped[p[n]] {
			n++
		}
		dst = append(dst, p[:n]...)
		if n == len(p) {
			return dst
		}
		dst = append(dst, escape, p[n]^flip)
		p = p[n+1:]
	}
}

// appendAck appends an acknowledgement: the line that wants frame seq next.
func appendAck(dst []byte, seq uint32) []byte {
	start := len(dst)
	dst = appendHex(append(dst, ackMagic...), seq, 8)
	return append(appendHex(dst, crc32.ChecksumIEEE(dst[start+len(magic):]), 8), '\n')
}

// cutAck finds an acknowledgement at the end of a line that has no line feed and no CR any more.
func cutAck(line []byte) (before []byte, seq uint32, ok bool) {
	at := len(line) - ackLen
	if at < 0 || string(line[at:at+seqAt]) != ackMagic {
		return line, 0, false
	}
	ack := line[at:]
	seq, ok = parseHex(ack[seqAt:lenAt])
	sum, sumOK := parseHex(ack[lenAt:])
	if !ok || !sumOK || sum != crc32.ChecksumIEEE(ack[len(magic):lenAt]) {
		return line, 0, false
	}
	return line[:at], seq, true
}
