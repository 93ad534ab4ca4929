// SPDX-License-Identifier: MIT

package srcfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Image is what an image holds. Its tree has the modes 0755 and 0644 and no times.
type Image struct {
	Boot    Boot
	Tree    tree.Tree
	Trailer []string // the commands behind the entries, without their line ends
}

// Limits bound what Decode takes; each is more than 0.
type Limits struct {
	Files int64 // entries, and commands behind them
	Bytes int64 // content of all files together
}

// LimitError says that an image goes beyond a limit.
type LimitError struct {
	Name string // the entry
	What string // "files", "bytes of content", "bytes of line"
	Max  int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("srcfs: %q: more than %d %s", e.Name, e.Max, e.What)
}

// Decode reads an image up to the zeros that fill it to whole MiB. The content of each file is given to put, in the
// order of the image. What follows is not looked at: a disk that has been used has a partition there.
func Decode(r io.Reader, limits Limits, put func(io.Reader) (digest.Digest, error)) (Image, error) {
	d := decoder{r: bufio.NewReaderSize(r, bufferSize), limits: limits, put: put, nodes: make(map[string]tree.Node)}
	boot, err := d.boot()
	if err != nil {
		return Image{}, fmt.Errorf("srcfs: %w", err)
	}
	if err := d.commands(); err != nil {
		return Image{}, fmt.Errorf("srcfs: after %q: %w", d.last, err)
	}
	if err := d.rest(padded(d.read) - d.read); err != nil {
		return Image{}, fmt.Errorf("srcfs: behind the stream: %w", err)
	}
	t, err := tree.New(slices.Collect(maps.Values(d.nodes))...)
	if err != nil {
		return Image{}, fmt.Errorf("srcfs: %w", err)
	}
	return Image{Boot: boot, Tree: t, Trailer: d.trailer}, nil
}

type decoder struct {
	r       *bufio.Reader
	read    int64 // bytes so far
	limits  Limits
	put     func(io.Reader) (digest.Digest, error)
	nodes   map[string]tree.Node
	trailer []string
	last    string // the command read last
	count   int64  // commands so far
	bytes   int64  // content so far
}

// boot reads what stands in front of the stream.
func (d *decoder) boot() (Boot, error) {
	b := Boot{stage1: make([]byte, Sector)}
	if _, err := io.ReadFull(d.r, b.stage1); err != nil {
		return Boot{}, fmt.Errorf("stage1: %w", noEOF(err))
	}
	for len(b.stage2) <= maxStage2 {
		c, err := d.r.ReadByte()
		if err != nil {
			return Boot{}, fmt.Errorf("stage2: %w", noEOF(err))
		}
		if c == 0 {
			break
		}
		b.stage2 = append(b.stage2, c)
	}
	if err := b.check(); err != nil {
		return Boot{}, err
	}
	d.read = Sector + int64(len(b.stage2)) + 1
	return b, d.rest(b.size() - d.read)
}

// rest reads zeros.
func (d *decoder) rest(n int64) error {
	for range n {
		c, err := d.r.ReadByte()
		if err != nil {
			return noEOF(err)
		}
		if c != 0 {
			return fmt.Errorf("byte %d is %#02x; want a zero", d.read, c)
		}
		d.read++
	}
	return nil
}

// commands reads the stream up to the zero that ends it.
func (d *decoder) commands() error {
	for {
		next, err := d.r.Peek(1)
		if err != nil {
			return noEOF(err)
		}
		if next[0] == 0 {
			if d.count == 0 {
				return errors.New("an empty stream")
			}
			return nil
		}
		command, err := d.line()
		if err != nil {
			return err
		}
		if d.count++; d.count > d.limits.Files {
			return &LimitError{command, "files", d.limits.Files}
		}
		if err := d.command(command); err != nil {
			return err
		}
		d.last = command
	}
}

// maxLine is the longest command, in bytes: hex0 with two names.
const maxLine = len("hex0 ") + 2*maxName

// line reads a command without its line end.
func (d *decoder) line() (string, error) {
	text, err := d.r.ReadSlice('\n')
	if len(text) > maxLine {
		return "", &LimitError{string(text[:40]), "bytes of line", int64(maxLine)}
	}
	if err != nil {
		return "", noEOF(err)
	}
	d.read += int64(len(text))
	return string(text[:len(text)-1]), nil
}

// command takes one command. The first creates the root; those that name something below it by a name of its own are
// entries; all others are the end of the stream.
func (d *decoder) command(text string) error {
	if d.count == 1 {
		if text+"\n" != root {
			return fmt.Errorf("%q; a stream starts with %q", text, strings.TrimSpace(root))
		}
		return nil
	}
	size, name, err := entry(text)
	if err != nil {
		return err
	}
	if strings.HasPrefix(name, "./") {
		if d.trailer != nil {
			return fmt.Errorf("%q: an entry behind the commands that end the stream", text)
		}
		return d.entry(strings.TrimPrefix(name, "./"), size)
	}
	if size != 0 {
		return fmt.Errorf("%q: a file with content that is no entry of the tree", text)
	}
	d.trailer = append(d.trailer, text)
	return nil
}

// entry takes a command that creates something apart; of others nothing.
func entry(text string) (size int64, name string, err error) {
	rest, ok := strings.CutPrefix(text, "src ")
	if !ok {
		if strings.HasPrefix(text, "s") {
			return 0, "", fmt.Errorf("%q: no command", text)
		}
		return 0, "", nil
	}
	digits, name, ok := strings.Cut(rest, " ")
	size, err = strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || strconv.FormatInt(size, 10) != digits || size < 0 {
		return 0, "", fmt.Errorf("%q: want %q", text, "src SIZE NAME")
	}
	return size, name, nil
}

// entry takes an entry of the tree, and its content.
func (d *decoder) entry(name string, size int64) error {
	if _, twice := d.nodes[name]; twice {
		return fmt.Errorf("%q stands twice", name)
	}
	if err := d.parent(name); err != nil {
		return err
	}
	if size > d.limits.Bytes-d.bytes {
		return &LimitError{name, "bytes of content", d.limits.Bytes}
	}
	sum, err := d.put(io.LimitReader(d.r, size))
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if sum.Size() != size {
		return fmt.Errorf("%q: %d bytes of %d: %w", name, sum.Size(), size, io.ErrUnexpectedEOF)
	}
	n := tree.Node{Path: name, Kind: tree.File, Mode: 0o644, Content: sum}
	if err := checkNode(n); err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	d.nodes[name] = n
	d.read += size
	d.bytes += size
	return nil
}

// parent makes the entry above a name a folder. It has to be there, without content.
func (d *decoder) parent(name string) error {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		return nil
	}
	above, ok := d.nodes[name[:at]]
	if !ok || above.Content.Size() > 0 {
		return fmt.Errorf("%q: there is no folder %q before it", name, name[:at])
	}
	d.nodes[above.Path] = tree.Node{Path: above.Path, Kind: tree.Dir, Mode: 0o755}
	return nil
}

// noEOF turns the end of input in the middle of an image into an error that nobody takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
