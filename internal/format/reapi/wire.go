// SPDX-License-Identifier: MIT

package reapi

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rung-build/rung/internal/digest"
)

// maxMessage is the longest message a decoder looks at, in bytes. A directory of 100,000 files with long names fits.
const maxMessage = 64 << 20

// writer appends fields to a message in the order it is asked to. As in proto3, a scalar that is zero is not written.
// The first string that cannot be written is remembered and fails the whole message.
type writer struct {
	buf []byte
	err error
}

// text writes a string field that is not empty.
func (w *writer) text(num protowire.Number, s string) {
	if s != "" {
		w.element(num, s)
	}
}

// element writes one element of a repeated string field, which may be empty.
func (w *writer) element(num protowire.Number, s string) {
	if !utf8.ValidString(s) && w.err == nil {
		w.err = fmt.Errorf("reapi: %q is not UTF-8, as each string of a message has to be", s)
	}
	w.buf = protowire.AppendTag(w.buf, num, protowire.BytesType)
	w.buf = protowire.AppendString(w.buf, s)
}

// number writes a varint field that is not zero.
func (w *writer) number(num protowire.Number, v uint64) {
	if v == 0 {
		return
	}
	w.buf = protowire.AppendTag(w.buf, num, protowire.VarintType)
	w.buf = protowire.AppendVarint(w.buf, v)
}

// flag writes a bool field that is true.
func (w *writer) flag(num protowire.Number, v bool) { w.number(num, protowire.EncodeBool(v)) }

// message writes a sub-message, which is written even where it is empty.
func (w *writer) message(num protowire.Number, fill func(*writer)) {
	sub := &writer{}
	fill(sub)
	if w.err == nil {
		w.err = sub.err
	}
	w.buf = protowire.AppendTag(w.buf, num, protowire.BytesType)
	w.buf = protowire.AppendBytes(w.buf, sub.buf)
}

// digest writes a Digest message (hash = 1, size_bytes = 2); nothing for the zero digest.
func (w *writer) digest(num protowire.Number, d digest.Digest) {
	if d.IsZero() {
		return
	}
	w.message(num, func(w *writer) {
		w.text(1, d.Hex())
		w.number(2, uint64(d.Size()))
	})
}

// done is the message, or what went wrong with it.
func (w *writer) done() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.buf, nil
}

// field is one field of a message as it is read: a varint, or bytes that alias the message.
type field struct {
	num    protowire.Number
	typ    protowire.Type
	varint uint64
	bytes  []byte
}

// fields walks the fields of a message. It knows the two wire types the messages of this package use.
func fields(message []byte, visit func(field) error) error {
	if len(message) > maxMessage {
		return fmt.Errorf("%d bytes are more than a message may have", len(message))
	}
	for len(message) > 0 {
		f := field{}
		n := 0
		f.num, f.typ, n = protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		switch f.typ {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			return fmt.Errorf("field %d has wire type %d", f.num, f.typ)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(f); err != nil {
			return fmt.Errorf("field %d: %w", f.num, err)
		}
	}
	return nil
}

var (
	errType    = errors.New("wrong wire type")
	errUnknown = errors.New("unknown field")
)

// text reads a string.
func (f field) text() (string, error) {
	if f.typ != protowire.BytesType {
		return "", errType
	}
	if !utf8.Valid(f.bytes) {
		return "", fmt.Errorf("%q is not UTF-8", f.bytes)
	}
	return string(f.bytes), nil
}

// number reads a number that is not negative.
func (f field) number() (int64, error) {
	if f.typ != protowire.VarintType {
		return 0, errType
	}
	if int64(f.varint) < 0 {
		return 0, fmt.Errorf("%d is negative", int64(f.varint))
	}
	return int64(f.varint), nil
}

// flag reads a bool.
func (f field) flag() (bool, error) {
	n, err := f.number()
	if err == nil && n > 1 {
		err = fmt.Errorf("%d is not a bool", n)
	}
	return n == 1, err
}

// message walks the fields of a sub-message.
func (f field) message(visit func(field) error) error {
	if f.typ != protowire.BytesType {
		return errType
	}
	return fields(f.bytes, visit)
}

// digest reads a Digest message.
func (f field) digest() (digest.Digest, error) {
	var sum string
	var size int64
	err := f.message(func(f field) (err error) {
		switch f.num {
		case 1:
			sum, err = f.text()
		case 2:
			size, err = f.number()
		default:
			err = errUnknown
		}
		return err
	})
	if err != nil {
		return digest.Digest{}, err
	}
	return digest.FromHex(sum, size)
}
