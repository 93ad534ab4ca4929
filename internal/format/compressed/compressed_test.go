// SPDX-License-Identifier: MIT

package compressed_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/format/compressed"
)

// rungs is what most of the files below unpack to.
const rungs = "rung rung rung rung rung rung\n"

// file is a stream that the program of its kind wrote, in base64, and what it holds.
type file struct {
	name, how string
	kind      compressed.Kind
	packed    string
	want      string
}

// files were written by gzip 1.12, bzip2 1.0.8 and xz 5.4.1 with the options of their names.
func files() []file {
	zeros := strings.Repeat("\x00", 100000)
	return []file{
		{"gzip", "gzip -9n", compressed.Gzip, "H4sIAAAAAAACAysqzUtXKMJBcAEAcGvBoR4AAAA=", rungs},
		{"bzip2", "bzip2 -9", compressed.Bzip2,
			"QlpoOTFBWSZTWblxZOMAAAvRgAAQQAAAgRIAIAAwwARQyaPDRiSj4u5IpwoSFy4snGA=", rungs},
		{"bzip2 of zeros", "bzip2 -9", compressed.Bzip2,
			"QlpoOTFBWSZTWb6piCsAAMRQAMAABAAACCAAMMwFKaYQtiIXi7kinChIX1TEFYA=", zeros},
		{"xz", "xz -9", compressed.XZ,
			"/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAcQGQWrMIxhgAASkeoxfPnh+2830BAAAAAARZ" +
				"Wg==", rungs},
		{"xz with SHA-256", "xz -0 -C sha256", compressed.XZ,
			"/Td6WFoAAArh+wyhAgAhAQwAAACPmEGc4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAAQgOHGc7f4T+EDsmAHQb30KgbE1uxqJGlaVd" +
				"2C+2gAEAAUEeDPbrMxibS5oBAAAAAApZWg==", rungs},
		{"xz without checks", "xz -C none", compressed.XZ,
			"/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAAAEhHqudFlYGcp56AQAAAAAAWVo=", rungs},
		{"xz of three blocks", "xz --block-size=40000 -0", compressed.XZ,
			"/Td6WFoAAATm1rRGAgAhAQwAAACPmEGc4Jw/AEVdAABv/f//o7" +
				"f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lHpjHU4AAAAAAABoQLhi/B22yQ" +
				"IAIQEMAAAAj5hBnOCcPwBFXQAAb/3//6O3/0c+SBVyOWFRuJIo5qOGB/nu5B6C0y/FOjwBS7F+yYqKTS+jDdl/puOMIxFT4FkYxX" +
				"WK4nf4tpR6Yx1OAAAAAAAAaEC4YvwdtskCACEBDAAAAI+YQZzgTh8AOl0AAG/9//+jt/9HPkgVcjlhUbiSKOajhgf57uQegtMvxT" +
				"o8AUuxfsmKik0vow3Zf6bjjCMRU9x9ALIAAAAAAMt7AV4XiCYXAANhwLgCYcC4AlagnAEAAH6dt5OsJz4tBAAAAAAEWVo=", zeros},
		{"two xz and padding", "xz -0, twice", compressed.XZ,
			"/Td6WFoAAATm1rRGAgAhAQwAAACPmEGc4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAcQGQWrMIxhgAASkeoxfPnh+2830BAAAAAARZ" +
				"Wv03elhaAAAE5ta0RgIAIQEMAAAAj5hBnOAAHQANXQA5HUn/9JcWrasbIAAAAAAAAHEBkFqzCMYYAAEpHqMXz54ftvN9AQAAAAAE" +
				"WVoAAAAA", rungs + rungs},
		{"nothing packed", "cat", compressed.None, base64.StdEncoding.EncodeToString([]byte(rungs)), rungs},
	}
}

// The files that are refused for what they ask for.
const (
	xzWithX86 = "" +
		"/Td6WFoAAATm1rRGAgEEACEBDADWfBiv4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAcQGQWrMIxhgAASkeoxfPnh+2830BAAAAAARZ" +
		"Wg=="
	xzWith128MiB = "" +
		"/Td6WFoAAATm1rRGAgAhAR4AAACbB1Fm4AAdAA1dADkdSf/0lxatqxsgAAAAAAAAcQGQWrMIxhgAASkeoxfPnh+2830BAAAAAARZ" +
		"Wg=="
)

func decode(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpack(packed []byte, max int64) ([]byte, compressed.Kind, error) {
	r, kind, err := compressed.NewReader(bytes.NewReader(packed), max)
	if err != nil {
		return nil, kind, err
	}
	b, err := io.ReadAll(r)
	return b, kind, err
}

func TestNewReaderUnpacks(t *testing.T) {
	for _, f := range files() {
		t.Run(f.name, func(t *testing.T) {
			got, kind, err := unpack(decode(t, f.packed), int64(len(f.want)))
			if err != nil || kind != f.kind || string(got) != f.want {
				t.Errorf("NewReader(%s) = %d bytes, %v, %v; want %d bytes, %v", f.how, len(got), kind, err, len(f.want), f.kind)
			}
		})
	}
}

func TestNewReaderRefusesOneByteTooMany(t *testing.T) {
	for _, f := range files() {
		_, _, err := unpack(decode(t, f.packed), int64(len(f.want))-1)
		var limit *compressed.LimitError
		if !errors.As(err, &limit) || limit.Kind != f.kind || limit.What != "bytes unpacked" {
			t.Errorf("NewReader(%s) within %d bytes = %v; want a LimitError of %v", f.name, len(f.want)-1, err, f.kind)
		}
	}
}

// TestNewReaderRefusesTruncated cuts every file at every length: no cut may pass for a whole stream.
func TestNewReaderRefusesTruncated(t *testing.T) {
	for _, f := range files() {
		packed := decode(t, f.packed)
		for n := range packed {
			cut := packed[:n]
			whole := compressed.Detect(cut) == compressed.None || f.name == "two xz and padding" && (n == 76 || n == 152)
			if got, _, err := unpack(cut, 1<<20); err == nil && !whole {
				t.Errorf("NewReader(%s cut to %d of %d bytes) = %d bytes; want an error", f.name, n, len(packed), len(got))
			}
		}
	}
}

func TestNewReaderRefusesTrailingBytes(t *testing.T) {
	for _, f := range files() {
		if f.kind == compressed.None {
			continue
		}
		for _, tail := range []string{"x", "\x00", "garbage", "\x00\x00\x00\x00garbage"} {
			if _, _, err := unpack(append(decode(t, f.packed), tail...), 1<<20); err == nil {
				t.Errorf("NewReader(%s and %q behind it) = no error", f.name, tail)
			}
		}
	}
}

func TestNewReaderRefusesDamage(t *testing.T) {
	for _, f := range files() {
		if f.kind == compressed.None || f.name == "xz without checks" {
			continue
		}
		packed := decode(t, f.packed)
		for i := range packed {
			packed[i] ^= 0x10
			got, kind, err := unpack(packed, 1<<20)
			if err == nil && kind == f.kind && string(got) != f.want {
				t.Errorf("NewReader(%s with a wrong byte at %d) = other bytes and no error", f.name, i)
			}
			if err == nil && kind == compressed.XZ { // where every byte has a sum, or has to be zero
				t.Errorf("NewReader(%s with a wrong byte at %d) = no error", f.name, i)
			}
			packed[i] ^= 0x10
		}
	}
}

// xzOfTwoMinds has a chunk that says it is longer than what it unpacks from, so that whoever goes by its size finds an index
// and a footer elsewhere than who does not; neither is in order.
const xzOfTwoMinds = "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\f\x00\x00\x00\x8f\x98A\x9c" +
	"\xe0\x00\x1d\x00Y]\x009\x1dI\xff\xf4\x97\x16\xad\xab\x1b \x00\x00\x00\x00\x00\x00" + "q\x01\x90Z\xb3\b\xc6\x18" +
	"0000000000000000000000000000000000000000000000000000000000000000\x0000000000000\x00\x010000000000000000YZ"

func TestNewReaderRefusesTwoMinds(t *testing.T) {
	if got, _, err := unpack([]byte(xzOfTwoMinds), 1<<20); err == nil || !strings.Contains(err.Error(), "index") {
		t.Errorf("NewReader = %q, %v; want an error about the index", got, err)
	}
}

func TestNewReaderRefusesFilters(t *testing.T) {
	if _, _, err := unpack(decode(t, xzWithX86), 1<<20); err == nil || !strings.Contains(err.Error(), "filters") {
		t.Errorf("NewReader(xz --x86) = %v; want an error about filters", err)
	}
}

func TestNewReaderRefusesLargeDictionary(t *testing.T) {
	_, _, err := unpack(decode(t, xzWith128MiB), 1<<20)
	var limit *compressed.LimitError
	if !errors.As(err, &limit) || limit.What != "bytes of dictionary" {
		t.Errorf("NewReader(xz with a dictionary of 128 MiB) = %v; want a LimitError", err)
	}
}

func FuzzNewReader(f *testing.F) {
	for _, seed := range files() {
		packed := decode(f, seed.packed)
		if got, _, err := unpack(packed, 1<<20); err != nil || string(got) != seed.want {
			f.Fatalf("seed %s does not reach the end: %v", seed.name, err)
		}
		f.Add(packed)
	}
	f.Add(decode(f, xzWithX86))
	f.Add(decode(f, xzWith128MiB))
	f.Add([]byte(xzOfTwoMinds))
	f.Fuzz(func(t *testing.T, packed []byte) {
		const most = 1 << 20
		got, kind, err := unpack(packed, most)
		if err != nil {
			return
		}
		if len(got) > most {
			t.Errorf("%v: %d bytes; want at most %d", kind, len(got), most)
		}
		if kind == compressed.None {
			return
		}
		if _, _, err := unpack(append(bytes.Clone(packed), "tail"...), most); err == nil {
			t.Errorf("%v: bytes behind the end were taken", kind)
		}
		again, _, err := unpack(append(bytes.Clone(packed), packed...), 2*most)
		if err != nil || !bytes.Equal(again, append(bytes.Clone(got), got...)) {
			t.Errorf("%v: the stream twice = %d bytes, %v; want twice %d bytes", kind, len(again), err, len(got))
		}
	})
}
