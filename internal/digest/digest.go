// SPDX-License-Identifier: MIT

// Package digest names bytes by their SHA-256 and their length, as the Remote Execution API does, and is the only place
// of the project that imports a hash function.
//
// The text form is the one REAPI uses in resource names: 64 lower-case hex digits, a slash, the size in decimal.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// Digest identifies a sequence of bytes. It is comparable. The zero value identifies nothing; IsZero tells it apart
// from the digest of the empty sequence.
type Digest struct {
	sum  [sha256.Size]byte
	size int64
}

// Of is the digest of bytes in memory.
func Of(b []byte) Digest { return Digest{sum: sha256.Sum256(b), size: int64(len(b))} }

// Parse reads the text form, strictly: what it accepts, String gives back byte for byte.
func Parse(s string) (Digest, error) {
	sum, size, ok := strings.Cut(s, "/")
	if !ok {
		return Digest{}, fmt.Errorf("digest %q: want 64 hex digits, a slash and a size", s)
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != size {
		return Digest{}, fmt.Errorf("digest %q: size is not a decimal number", s)
	}
	return FromHex(sum, n)
}

// FromHex makes a digest of 64 lower-case hex digits and a size in bytes.
func FromHex(sum string, size int64) (Digest, error) {
	d := Digest{size: size}
	if size < 0 {
		return Digest{}, fmt.Errorf("digest %q: negative size %d", sum, size)
	}
	if len(sum) != hex.EncodedLen(len(d.sum)) || strings.ToLower(sum) != sum {
		return Digest{}, fmt.Errorf("digest %q: want %d lower-case hex digits", sum, hex.EncodedLen(len(d.sum)))
	}
	if _, err := hex.Decode(d.sum[:], []byte(sum)); err != nil {
		return Digest{}, fmt.Errorf("digest %q: %w", sum, err)
	}
	if d.IsZero() {
		return Digest{}, fmt.Errorf("digest %q: all zeros identify nothing", sum)
	}
	return d, nil
}

// IsZero tells whether the digest is the zero value.
func (d Digest) IsZero() bool { return d == Digest{} }

// Hex is the SHA-256 as 64 lower-case hex digits.
func (d Digest) Hex() string { return hex.EncodeToString(d.sum[:]) }

// Short is the first 12 hex digits, for people.
func (d Digest) Short() string { return d.Hex()[:12] }

// Size is the number of bytes the digest was taken of.
func (d Digest) Size() int64 { return d.size }

// String is the text form; "" for the zero value.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Hex() + "/" + strconv.FormatInt(d.size, 10)
}

// MarshalText gives the text form.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form; empty text is the zero value.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Hasher takes the digest of what is written to it.
type Hasher struct {
	h hash.Hash
	n int64
}

// NewHasher makes a Hasher that has seen nothing.
func NewHasher() *Hasher { return &Hasher{h: sha256.New()} }

// Write adds bytes; it never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	h.n += int64(len(p))
	return h.h.Write(p)
}

// Digest is the digest of all bytes written so far.
func (h *Hasher) Digest() Digest {
	d := Digest{size: h.n}
	h.h.Sum(d.sum[:0])
	return d
}
