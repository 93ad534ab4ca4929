// SPDX-License-Identifier: MIT

package uart

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decoded is what a decoder made of its input.
type decoded struct {
	Frames  []string // type, number, payload
	Text    string
	Damaged int
}

// decodeAll feeds input in pieces of some size, and then ends it.
func decodeAll(t testing.TB, input []byte, piece int) decoded {
	var got decoded
	var text strings.Builder
	d := &decoder{
		text: func(p []byte) { text.Write(p) },
		frame: func(kind byte, seq uint32, payload []byte) bool {
			got.Frames = append(got.Frames, fmt.Sprintf("%c %d %q", kind, seq, payload))
			return true
		},
		damaged: func() { got.Damaged++ },
	}
	for rest := input; len(rest) > 0; {
		n := min(piece, len(rest))
		d.feed(rest[:n])
		rest = rest[n:]
		if len(d.buf) > maxBody+1 || cap(d.buf) > 4*maxBody {
			t.Fatalf("the decoder holds %d bytes (room for %d); want at most %d", len(d.buf), cap(d.buf), maxBody)
		}
	}
	d.flush()
	got.Text = text.String()
	if len(d.out)+len(got.Text) > len(input) {
		t.Errorf("%d bytes of input gave %d of payload and %d of text", len(input), len(d.out), len(got.Text))
	}
	return got
}

// lines turns LF into CR LF, as a terminal does.
func lines(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// samplePayload has every kind of byte, pairs of escaped ones, and what looks like a frame.
const samplePayload = "plain\x7d\x1e\n\r}]\x00\x04\t\x11\x13\x7f\x1eRGD\xff\xfe"

func TestFrameBytes(t *testing.T) {
	for _, test := range []struct {
		got  []byte
		want string // the example of docs/uart.md, whose checksums zlib computed
	}{
		{appendFrame(nil, typeData, 0, []byte("hello")), "\x1eRGD0000000000058d76805d hello\n"},
		{appendFrame(nil, typeEnd, 1, []byte("5")), "\x1eRGE0000000100016e5e7687 5\n"},
		{appendAck(nil, 2), "RGA0000000264c430ac\n"},
		{appendEscaped(nil, []byte("\x00\x04\t\n\r\x11\x13\x1e\x7d\x7f\x01\x80")),
			"}\x40}\x44}\x49}\x4a}\x4d}\x51}\x53}\x5e}\x3d}\x3f\x01\x80"},
	} {
		if string(test.got) != test.want {
			t.Errorf("encoded = %q; want %q", test.got, test.want)
		}
	}
}

func TestParseHexIsStrict(t *testing.T) {
	for in, want := range map[string]uint32{"0000000f": 15, "ffffffff": 1<<32 - 1, "1000": 4096} {
		if got, ok := parseHex([]byte(in)); got != want || !ok {
			t.Errorf("parseHex(%q) = %d, %v; want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"0000000F", "+0000001", "0x000001", "000 0001"} {
		if got, ok := parseHex([]byte(in)); ok {
			t.Errorf("parseHex(%q) = %d; want it refused", in, got)
		}
	}
}

// TestDecoderMendsWhatIsPrintedAnywhere prints into two frames, at every place. No first line is short enough for a
// frame with it to be a near miss.
func TestDecoderMendsWhatIsPrintedAnywhere(t *testing.T) {
	first, second := appendFrame(nil, typeData, 0, []byte(samplePayload)), appendFrame(nil, typeEnd, 1, []byte("25"))
	wire := append(bytes.Clone(first), second...)
	whole := []string{fmt.Sprintf("D 0 %q", samplePayload), `E 1 "25"`}
	echo := string(appendAck(nil, 7))
	const short, long = "[   12.345678] eth0: link is up\n", "[   12.345678] this is longer than the payload\n"
	for _, printed := range []string{echo, echo + echo, short, long + "but\n\nit goes on\n"} {
		for at := range len(wire) + 1 {
			input := lines(string(wire[:at]) + printed + string(wire[at:]))
			want := decoded{Frames: whole}
			if !strings.HasPrefix(printed, magic) {
				want.Text = lines(printed)
				if inHead(at) || inHead(at-len(first)) {
					continue
				}
			}
			beforeLF := at == len(first)-1 || at == len(wire)-1
			if beforeLF && strings.HasPrefix(printed, long) {
				want.Text += "\r\n" // the frame's own, which looks as if it ended an empty line
			}
			for _, piece := range []int{1, len(input)} {
				if diff := cmp.Diff(want, decodeAll(t, []byte(input), piece)); diff != "" {
					t.Errorf("%q at %d, in pieces of %d (-want +got):\n%s", printed, at, piece, diff)
				}
			}
		}
	}
}

// inHead says whether an offset in a frame is within its mark and head, where only acknowledgements are told apart.
func inHead(at int) bool { return at > 0 && at <= payloadAt }

// TestDecoderTakesNoDamagedFrame changes, drops and doubles every byte of a frame between two others. The neighbours
// arrive; the frame itself only where all that suffered is outside of its mark, head and payload.
func TestDecoderTakesNoDamagedFrame(t *testing.T) {
	frames := [][]byte{
		appendFrame(nil, typeData, 0, []byte("before")), appendFrame(nil, typeData, 1, []byte(samplePayload)),
		appendFrame(nil, typeData, 2, []byte("behind")),
	}
	middle := fmt.Sprintf("D 1 %q", samplePayload)
	for at := range frames[1] {
		b := frames[1][at]
		for name, with := range map[string][]byte{"changed": {b ^ 1}, "lost": {}, "doubled": {b, b}} {
			bad := bytes.Join([][]byte{frames[1][:at], with, frames[1][at+1:]}, nil)
			got := decodeAll(t, bytes.Join([][]byte{frames[0], bad, frames[2]}, nil), 7)
			want := []string{`D 0 "before"`, middle, `D 2 "behind"`}
			behind := at == len(frames[1])-1 || at == len(frames[1])-2 && name == "doubled" // of the payload
			if kept := behind || at == 0 && name == "doubled"; !kept {
				want = []string{want[0], want[2]}
			}
			if diff := cmp.Diff(want, got.Frames); diff != "" {
				t.Errorf("byte %d %s (-want +got):\n%s", at, name, diff)
			}
		}
	}
}

func TestDecoderTellsText(t *testing.T) {
	frame := string(appendFrame(nil, typeData, 0, []byte("x")))
	echo := string(appendAck(nil, 1))
	long := strings.Repeat("y", maxBody)
	for _, test := range []struct {
		name, input, text string
		frames, damaged   int
	}{
		{"lines", "one\r\ntwo\n\nthree", "one\r\ntwo\n\nthree", 0, 0},
		{"echoes", echo + lines(echo) + "login: " + lines(echo) + "root\n", "login: root\n", 0, 0},
		{"an echo with a wrong digit", "RGA00000001ffffffff\n", "RGA00000001ffffffff\n", 0, 0},
		{"text before a mark", "half a line" + frame + "the rest\n", "half a linethe rest\n", 1, 0},
		{"an empty line behind a frame", frame + "\r\n\r\n" + frame, "\r\n", 2, 0},
		{"a long line", long + "\n" + frame, long + "\n", 1, 0},
		{"a long frame", "\x1e" + long + "\n" + frame + "end\n", "end\n", 1, 1},
		{"a short frame, then text", frame[:20] + "\n" + "text\n" + frame, "text\n", 1, 1},
		{"a length that is too large", "\x1eRGD00000000ffff00000000 x\n" + frame, "", 1, 1},
		{"a frame that ends in text", frame[:len(frame)-1] + "oops\n" + frame, "oops\n", 2, 0},
		{"a frame whose rest never comes", "\x1eRGD00000000010000000000 x\n" + strings.Repeat("z\n", 40),
			strings.Repeat("z\n", 40), 0, 1},
	} {
		got := decodeAll(t, []byte(test.input), 100)
		if got.Text != test.text || len(got.Frames) != test.frames || got.Damaged != test.damaged {
			t.Errorf("%s: %d frames, %d damaged, text %q; want %d, %d, %q", test.name,
				len(got.Frames), got.Damaged, got.Text, test.frames, test.damaged, test.text)
		}
	}
}

// FuzzDecode has whatever comes decoded, and frames with it between and around them.
func FuzzDecode(f *testing.F) {
	frame := appendFrame(nil, typeData, 0, []byte(samplePayload))
	for _, seed := range [][]byte{
		frame, appendFrame(nil, typeEnd, 9, []byte("123")), appendAck(nil, 3), []byte("[    0.1] printed\r\n"),
		[]byte(lines(string(frame[:40]) + "[    0.1] printed\n" + string(frame[40:]))), frame[:50], frame[:9],
	} {
		if !survives(f, seed) {
			f.Fatalf("a seed does not reach the end: %q", seed)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, noise []byte) { survives(t, noise) })
}

// survives checks that frames arrive with noise between them, and that the size of the pieces makes no difference. It
// says whether it came so far.
func survives(t testing.TB, noise []byte) bool {
	if diff := cmp.Diff(decodeAll(t, noise, 1), decodeAll(t, noise, len(noise)+1)); diff != "" {
		t.Errorf("in pieces of 1 and as a whole (-1 +whole):\n%s", diff)
		return false
	}
	wire := bytes.Clone(noise)
	payloads := []string{string(noise[:min(len(noise), MaxPayload)]), "", samplePayload}
	for i, p := range payloads {
		wire = append(appendFrame(wire, typeData, uint32(1000+i), []byte(p)), noise...)
	}
	got := decodeAll(t, wire, 50).Frames
	for i, p := range payloads {
		want := fmt.Sprintf("D %d %q", 1000+i, p)
		at := 0
		for at < len(got) && got[at] != want {
			at++
		}
		if at == len(got) {
			t.Errorf("frame %q did not arrive, or not in order", want)
			return false
		}
		got = got[at+1:]
	}
	return true
}
