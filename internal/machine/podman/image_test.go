// SPDX-License-Identifier: MIT

package podman

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/tree"
)

// unpack gives the files of a tar stream.
func unpack(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	contents := map[digest.Digest][]byte{}
	put := func(r io.Reader) (digest.Digest, error) {
		b, err := io.ReadAll(r)
		contents[digest.Of(b)] = b
		return digest.Of(b), err
	}
	all, err := tarball.Decode(bytes.NewReader(b), tarball.Limits{Files: 100, Bytes: 1 << 30, Path: 255}, put)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for n := range all.Nodes() {
		if n.Kind == tree.File {
			files[n.Path] = contents[n.Content]
		}
	}
	return files
}

func TestArchiveIsOneLayerWithTheAgentOnly(t *testing.T) {
	agents, err := agent.Files()
	if err != nil {
		t.Fatal(err)
	}
	var written [2]bytes.Buffer
	var name string
	for i := range written {
		a, err := archiveOf(agents)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.write(&written[i]); err != nil {
			t.Fatal(err)
		}
		name = a.image()
	}
	if !bytes.Equal(written[0].Bytes(), written[1].Bytes()) {
		t.Error("the archive of the same files has other bytes the second time")
	}
	hex := strings.TrimPrefix(name, "localhost/rung-agent:")
	files := unpack(t, written[0].Bytes())
	layer := files[hex+".tar"]
	if len(files) != 3 || digest.Of(layer).Hex() != hex {
		t.Fatalf("%d files, a layer of %v; want 3, one of them the layer %s", len(files), digest.Of(layer), hex)
	}
	var configName string
	for n, b := range files {
		if digest.Of(b).Hex()+".json" == n {
			configName = n
		}
	}
	want := `[{"Config":"` + configName + `","RepoTags":["` + name + `"],"Layers":["` + hex + `.tar"]}]`
	if diff := cmp.Diff(want, string(files["manifest.json"])); diff != "" {
		t.Errorf("manifest.json (-want +got):\n%s", diff)
	}
	held := unpack(t, layer)
	for _, f := range agents {
		if _, ok := held[f.Path]; !ok {
			t.Errorf("the layer has no file %s", f.Path)
		}
	}
	if len(held) != len(agents) {
		t.Errorf("the layer has %d files; want the %d of an agent", len(held), len(agents))
	}
}

func TestOwnerIsDead(t *testing.T) {
	self, err := ownerOf("self")
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(string(self), "-")
	for _, tt := range []struct {
		name string
		o    owner
		want bool
	}{
		{"this process", self, false},
		{"another process that had its number", owner(strings.Join([]string{part[0], part[1], part[2], "1"}, "-")), true},
		{"no process", owner(strings.Join([]string{part[0], part[1], "4194305", "1"}, "-")), true}, // above the kernel's highest
		{"another pid namespace", owner(strings.Join([]string{part[0], "1", part[2], "1"}, "-")), false},
		{"another host", owner(strings.Join([]string{"00000000", part[1], part[2], "1"}, "-")), false},
		{"no owner", "x", false},
	} {
		if got := tt.o.isDead(self); got != tt.want {
			t.Errorf("%s: isDead = %v; want %v", tt.name, got, tt.want)
		}
	}
}
