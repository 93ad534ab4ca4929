// SPDX-License-Identifier: MIT

package podman

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/tree"
)

// repository is the name of our images; the tag is the digest of the layer. No registry has the name localhost.
const repository = "localhost/rung-agent"

// imageLabel is the label of our images.
const imageLabel = "rung.agent"

// archive is an image of one layer as podman and docker load it. Its bytes depend on those of the files alone.
type archive struct {
	layer  tree.Tree
	hosts  map[digest.Digest]string // where the content of the layer's files is
	digest digest.Digest            // of the layer as a tar stream
}

// archiveOf makes an archive of files.
func archiveOf(files []agent.File) (*archive, error) {
	a := &archive{hosts: map[digest.Digest]string{}}
	var nodes []tree.Node
	for _, f := range files {
		d, err := digestOf(f.Host)
		if err != nil {
			return nil, err
		}
		a.hosts[d] = f.Host
		nodes = append(nodes, tree.Node{Path: f.Path, Kind: tree.File, Mode: 0o555, Content: d})
	}
	var err error
	if a.layer, err = tree.New(nodes...); err != nil {
		return nil, err
	}
	h := digest.NewHasher()
	if err := a.writeLayer(h); err != nil {
		return nil, err
	}
	a.digest = h.Digest()
	return a, nil
}

func digestOf(name string) (digest.Digest, error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, err
	}
	h := digest.NewHasher()
	_, err = io.Copy(h, f)
	return h.Digest(), errors.Join(err, f.Close())
}

// image is the name of the image.
func (a *archive) image() string { return repository + ":" + a.digest.Hex() }

func (a *archive) writeLayer(w io.Writer) error {
	return tarball.Encode(w, a.layer, func(d digest.Digest) (io.ReadCloser, error) { return os.Open(a.hosts[d]) })
}

// config and manifest are the files of an archive beside the layer. Source: Docker Image Specification v1.2, "Image JSON
// Field Descriptions" and "Combined Image JSON + Filesystem Changeset Format".
type config struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Created      string `json:"created"`
	Config       struct {
		Labels map[string]string
	} `json:"config"`
	RootFS struct {
		Type  string   `json:"type"`
		Diffs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// write writes the archive.
func (a *archive) write(w io.Writer) error {
	c := config{Architecture: runtime.GOARCH, OS: "linux", Created: "1970-01-01T00:00:00Z"}
	c.Config.Labels = map[string]string{imageLabel: a.digest.Hex()}
	c.RootFS.Type, c.RootFS.Diffs = "layers", []string{"sha256:" + a.digest.Hex()}
	configText, err := json.Marshal(c)
	if err != nil {
		return err
	}
	names := manifest{
		Config: digest.Of(configText).Hex() + ".json", RepoTags: []string{a.image()}, Layers: []string{a.digest.Hex() + ".tar"},
	}
	manifestText, err := json.Marshal([]manifest{names})
	if err != nil {
		return err
	}
	file := func(name string, d digest.Digest) tree.Node {
		return tree.Node{Path: name, Kind: tree.File, Mode: 0o444, Content: d}
	}
	t, err := tree.New(file(names.Config, digest.Of(configText)), file(names.Layers[0], a.digest),
		file("manifest.json", digest.Of(manifestText)))
	if err != nil {
		return err
	}
	return tarball.Encode(w, t, func(d digest.Digest) (io.ReadCloser, error) {
		switch d {
		case digest.Of(configText):
			return io.NopCloser(bytes.NewReader(configText)), nil
		case digest.Of(manifestText):
			return io.NopCloser(bytes.NewReader(manifestText)), nil
		}
		return stream(a.writeLayer), nil
	})
}

// stream is what write writes, to be read; whoever reads it closes it.
func stream(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return r
}

// provideImage makes sure that the image of this program's agent is there, and gives its name. Where it is not, those of
// other versions go.
func (m *Machine) provideImage(ctx context.Context, w way) (string, error) {
	files, err := agent.Files()
	if err != nil {
		return "", err
	}
	a, err := archiveOf(files)
	if err != nil {
		return "", fmt.Errorf("%s: making the image: %w", m.name, err)
	}
	if _, err := m.ask(ctx, w, nil, "image", "inspect", "--format", "{{.Id}}", a.image()); err == nil {
		return a.image(), nil
	}
	if _, err := m.ask(ctx, w, nil, "image", "prune", "--all", "--force", "--filter", "label="+imageLabel); err != nil {
		return "", err
	}
	in := stream(a.write)
	defer in.Close()
	if _, err := m.ask(ctx, w, in, "load"); err != nil {
		return "", err
	}
	return a.image(), nil
}
