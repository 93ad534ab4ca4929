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
	"github.com/rung-build/rung/internal/tree"
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
		"a name twice":            {Directory{Files: []FileNode{{Name: "a", Digest: d}}, Symlinks: []SymlinkNode{{"a", "b"}}}, "twice"},
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

// sampleTree is nested, has names whose order by path differs from their order by directory ("a-b" < "a/b" < "a0"), an
// empty directory, two equal directories, both kinds of files, and a link.
func sampleTree(t testing.TB) tree.Tree {
	t.Helper()
	file := func(p string, mode uint32) tree.Node {
		return tree.Node{Path: p, Kind: tree.File, Mode: mode, Content: digest.Of([]byte(p))}
	}
	tr, err := tree.New(file("a-b", 0o644), file("a/b", 0o755), file("a0", 0o644), file("a/c/d/e", 0o755),
		tree.Node{Path: "empty", Kind: tree.Dir, Mode: 0o755}, tree.Node{Path: "a/empty", Kind: tree.Dir, Mode: 0o755},
		tree.Node{Path: "a/link", Kind: tree.Symlink, Mode: 0o777, Target: "../a-b"},
		tree.Node{Path: "größe", Kind: tree.File, Mode: 0o644, Content: digest.Of(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// pbDirectories makes the generated messages of sampleTree by hand, bottom up.
func pbDirectories(t testing.TB) (root digest.Digest, all map[digest.Digest][]byte) {
	all = make(map[digest.Digest][]byte)
	put := func(d *repb.Directory) *repb.Digest {
		b := marshal(t, d)
		all[digest.Of(b)] = b
		return pbDigest(digest.Of(b))
	}
	file := func(name, content string, executable bool) *repb.FileNode {
		return &repb.FileNode{Name: name, Digest: pbDigest(digest.Of([]byte(content))), IsExecutable: executable}
	}
	empty := put(&repb.Directory{})
	d := put(&repb.Directory{Files: []*repb.FileNode{file("e", "a/c/d/e", true)}})
	c := put(&repb.Directory{Directories: []*repb.DirectoryNode{{Name: "d", Digest: d}}})
	a := put(&repb.Directory{
		Files:       []*repb.FileNode{file("b", "a/b", true)},
		Directories: []*repb.DirectoryNode{{Name: "c", Digest: c}, {Name: "empty", Digest: empty}},
		Symlinks:    []*repb.SymlinkNode{{Name: "link", Target: "../a-b"}},
	})
	rootPB := put(&repb.Directory{
		Files:       []*repb.FileNode{file("a-b", "a-b", false), file("a0", "a0", false), file("größe", "", false)},
		Directories: []*repb.DirectoryNode{{Name: "a", Digest: a}, {Name: "empty", Digest: empty}},
	})
	root, err := digest.FromHex(rootPB.Hash, rootPB.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	return root, all
}

func TestDirectoriesEncodesAsTheGeneratedMessages(t *testing.T) {
	root, messages, err := Directories(sampleTree(t))
	if err != nil {
		t.Fatal(err)
	}
	wantRoot, want := pbDirectories(t)
	if root != wantRoot {
		t.Errorf("Directories root = %v; want %v", root, wantRoot)
	}
	if len(messages) != len(want) {
		t.Errorf("Directories gave %d messages; want %d", len(messages), len(want))
	}
	for _, m := range messages {
		if _, ok := want[digest.Of(m)]; !ok {
			t.Errorf("Directories gave a message that the generated ones do not have: %x", m)
		}
	}
	if last := messages[len(messages)-1]; digest.Of(last) != root {
		t.Errorf("the last message is %v; want the root %v", digest.Of(last), root)
	}
}

func TestDirectoriesOfNothingIsTheEmptyMessage(t *testing.T) {
	root, messages, err := Directories(tree.Tree{})
	if err != nil || root != digest.Of(nil) || len(messages) != 1 {
		t.Errorf("Directories(empty) = %v, %x, %v; want %v and one message", root, messages, err, digest.Of(nil))
	}
}

func TestDirectoriesRefusesDevices(t *testing.T) {
	for _, n := range []tree.Node{
		{Path: "dev/null", Kind: tree.CharDevice, Major: 1, Minor: 3},
		{Path: "dev/null", Kind: tree.BlockDevice, Major: 1, Minor: 3}, {Path: "dev/null", Kind: tree.Fifo},
	} {
		tr, err := tree.New(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = Directories(tr); err == nil || !strings.Contains(err.Error(), `"dev/null"`) {
			t.Errorf("Directories with a %v: %v; want an error that names it", n.Kind, err)
		}
	}
}

// reader reads messages by digest.
func reader(messages [][]byte) func(digest.Digest) ([]byte, error) {
	return func(d digest.Digest) ([]byte, error) {
		for _, m := range messages {
			if digest.Of(m) == d {
				return m, nil
			}
		}
		return nil, errUnknown
	}
}

func TestTreeReadsWhatDirectoriesWrote(t *testing.T) {
	want := sampleTree(t)
	root, messages, err := Directories(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Tree(root, want.Len(), reader(messages))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing(want), listing(got), compareDigests); diff != "" {
		t.Errorf("Tree(Directories(t)) differs (-want +got):\n%s", diff)
	}
	if _, err := Tree(root, want.Len()-1, reader(messages)); err == nil {
		t.Error("Tree accepted more nodes than it was allowed")
	}
	if _, err := Tree(root, want.Len(), reader(messages[1:])); err == nil {
		t.Error("Tree accepted a root of which a directory is missing")
	}
}

func TestTreeRefusesATreeOfTrees(t *testing.T) {
	messages := [][]byte{{}}
	for range 60 { // 2^60 directories in 60 messages
		d := digest.Of(messages[len(messages)-1])
		m, err := Directory{Directories: []DirectoryNode{{"a", d}, {"b", d}}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	if _, err := Tree(digest.Of(messages[60]), 1000, reader(messages)); err == nil || !strings.Contains(err.Error(), "1000") {
		t.Errorf("Tree of 2^60 directories: %v; want the limit of 1000 nodes", err)
	}
}

// listing is a tree as lines, for comparing.
func listing(t tree.Tree) []tree.Node {
	var all []tree.Node
	for n := range t.Nodes() {
		all = append(all, n)
	}
	return all
}
