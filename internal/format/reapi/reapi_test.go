// SPDX-License-Identifier: MIT

package reapi

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/rung-build/rung/internal/digest"
)

// compareDigests lets cmp look at digests, whose fields it may not see.
var compareDigests = cmp.Comparer(func(a, b digest.Digest) bool { return a == b })

// Every test below that says "the generated messages" takes its expected bytes from the code protoc generated.

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatalf("Marshal(%v): %v", m, err)
	}
	return b
}

func pbDigest(d digest.Digest) *repb.Digest { return &repb.Digest{Hash: d.Hex(), SizeBytes: d.Size()} }

func pbPlatform(pairs ...Pair) *repb.Platform {
	p := &repb.Platform{}
	for _, pair := range pairs {
		p.Properties = append(p.Properties, &repb.Platform_Property{Name: pair.Name, Value: pair.Value})
	}
	return p
}

// mustEncode encodes a message and checks that decoding gives it back.
func mustEncode[T encoder](t testing.TB, m T, decode func([]byte) (T, error)) []byte {
	t.Helper()
	b, err := m.Encode()
	if err != nil {
		t.Fatalf("Encode(%+v): %v", m, err)
	}
	again, err := decode(b)
	if err != nil {
		t.Fatalf("decoding what Encode(%+v) wrote: %v", m, err)
	}
	if diff := cmp.Diff(m, again, compareDigests); diff != "" {
		t.Errorf("decoding what Encode wrote differs (-want +got):\n%s", diff)
	}
	return b
}

func sampleCommand() (Command, *repb.Command) {
	return Command{
			Arguments:        []string{"hex0", "", "a b", "größe"},
			Environment:      []Pair{{"A", ""}, {"LANG", "C"}, {"PATH", "/"}},
			Platform:         []Pair{{"OSFamily", "linux"}, {"pool", "a"}, {"pool", "b"}},
			WorkingDirectory: "work",
			OutputPaths:      []string{"M1pp", "hex2pp", "log"},
		}, &repb.Command{
			Arguments: []string{"hex0", "", "a b", "größe"},
			EnvironmentVariables: []*repb.Command_EnvironmentVariable{
				{Name: "A"}, {Name: "LANG", Value: "C"}, {Name: "PATH", Value: "/"},
			},
			//lint:ignore SA1019 deprecated for clients, and what every server still reads
			Platform:         pbPlatform(Pair{"OSFamily", "linux"}, Pair{"pool", "a"}, Pair{"pool", "b"}),
			WorkingDirectory: "work",
			OutputPaths:      []string{"M1pp", "hex2pp", "log"},
		}
}

func TestCommandEncodesAsTheGeneratedMessages(t *testing.T) {
	command, pb := sampleCommand()
	got, want := mustEncode(t, command, DecodeCommand), marshal(t, pb)
	if !bytes.Equal(got, want) {
		t.Errorf("Encode(%+v) = %x; want %x", command, got, want)
	}
	if empty := mustEncode(t, Command{}, DecodeCommand); len(empty) != 0 {
		t.Errorf("Encode(Command{}) = %x; want nothing", empty)
	}
}

func TestCommandEncodeSorts(t *testing.T) {
	sorted, _ := sampleCommand()
	mixed := sorted
	mixed.Environment = []Pair{{"PATH", "/"}, {"A", ""}, {"LANG", "C"}}
	mixed.Platform = []Pair{{"pool", "b"}, {"pool", "a"}, {"OSFamily", "linux"}}
	mixed.OutputPaths = []string{"hex2pp", "log", "M1pp"}
	got, err := mixed.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if want := mustEncode(t, sorted, DecodeCommand); !bytes.Equal(got, want) {
		t.Errorf("Encode of unsorted lists = %x; want %x", got, want)
	}
	if mixed.Environment[0].Name != "PATH" {
		t.Error("Encode sorted the caller's own list")
	}
}

func TestActionEncodesAsTheGeneratedMessages(t *testing.T) {
	in, out := digest.Of([]byte("command")), digest.Of(nil)
	for name, timeout := range map[string]time.Duration{
		"none": 0, "whole": time.Minute, "fraction": 1500 * time.Millisecond, "small": 7, "longest": 1<<63 - 1,
	} {
		action := Action{Command: in, InputRoot: out, Timeout: timeout, Platform: []Pair{{"Arch", "amd64"}}}
		pb := &repb.Action{
			CommandDigest: pbDigest(in), InputRootDigest: pbDigest(out), Platform: pbPlatform(Pair{"Arch", "amd64"}),
		}
		if timeout != 0 {
			pb.Timeout = durationpb.New(timeout)
		}
		got, want := mustEncode(t, action, DecodeAction), marshal(t, pb)
		if !bytes.Equal(got, want) {
			t.Errorf("%s timeout: Encode(%+v) = %x; want %x", name, action, got, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	d := digest.Of(nil)
	twice := Directory{Files: []FileNode{{"a", d, false}}, Symlinks: []SymlinkNode{{"a", "b"}}}
	rows := map[string]struct {
		message encoder
		want    string
	}{
		"a variable twice":        {Command{Environment: []Pair{{"A", "1"}, {"B", ""}, {"A", "2"}}}, `"A" is set twice`},
		"an output twice":         {Command{OutputPaths: []string{"o", "p", "o"}}, `"o" is named twice`},
		"a property twice":        {Command{Platform: []Pair{{"p", "1"}, {"p", "1"}}}, `"p" stands twice`},
		"an argument in Latin-1":  {Command{Arguments: []string{"gr\xf6\xdfe"}}, "not UTF-8"},
		"a variable in Latin-1":   {Command{Environment: []Pair{{"A", "\xf6"}}}, "not UTF-8"},
		"a timeout below 0":       {Action{Timeout: -1}, "timeout"},
		"a name twice":            {twice, "twice"},
		"a name with a slash":     {Directory{Files: []FileNode{{Name: "a/b", Digest: d}}}, "not the name"},
		"the name ..":             {Directory{Directories: []DirectoryNode{{Name: "..", Digest: d}}}, "not the name"},
		"the empty name":          {Directory{Symlinks: []SymlinkNode{{"", "b"}}}, "not the name"},
		"a file without a digest": {Directory{Files: []FileNode{{Name: "a"}}}, "no digest"},
		"a link without a target": {Directory{Symlinks: []SymlinkNode{{Name: "a"}}}, "no digest or target"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b, err := row.message.Encode()
			if err == nil || !strings.Contains(err.Error(), row.want) || b != nil {
				t.Errorf("Encode(%+v) = %x, %v; want an error with %q", row.message, b, err, row.want)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNotCanonical(t *testing.T) {
	_, pb := sampleCommand()
	good := marshal(t, pb)
	swapped := &repb.Command{OutputPaths: []string{"b", "a"}}
	rows := map[string][]byte{
		"unsorted output paths": marshal(t, swapped),
		//lint:ignore SA1019 the field that is refused
		"a deprecated field":    marshal(t, &repb.Command{OutputFiles: []string{"a"}}),
		"fields out of order":   append(marshal(t, &repb.Command{WorkingDirectory: "w"}), good...),
		"a default written out": {6<<3 | 2, 0},
		"a longer varint":       {1<<3 | 2, 0x81, 0, 'a'},
		"an unknown field":      {15 << 3, 1},
		"a fixed-width field":   {1<<3 | 5, 0, 0, 0, 0},
		"a wrong wire type":     {1 << 3, 1},
		"text in Latin-1":       {1<<3 | 2, 1, 0xf6},
	}
	last := len(good) - len("\x3a\x03log")
	for i := last + 1; i < len(good); i++ {
		rows["cut in its last field, at "+strconv.Itoa(i)] = good[:i]
	}
	for name, message := range rows {
		if c, err := DecodeCommand(message); err == nil {
			t.Errorf("%s: DecodeCommand(%x) = %+v; want an error", name, message, c)
		}
	}
}
