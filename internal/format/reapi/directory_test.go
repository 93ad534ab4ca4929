// SPDX-License-Identifier: MIT

package reapi

import (
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

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
	_, err := Tree(digest.Of(messages[60]), 1000, reader(messages))
	if err == nil || !strings.Contains(err.Error(), "1000") {
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
