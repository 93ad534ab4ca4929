// SPDX-License-Identifier: MIT

package live

import (
	"path"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/srcfs"
)

// Seed is a program that a run starts from and that nothing in the run makes.
type Seed struct {
	Path   string        `json:"path"` // in the checkout, of the program or of the text it is translated from
	Digest digest.Digest `json:"digest"`
}

// Seeds are the programs that a run starts from, with their sizes (R62, R66): those that the host starts, or that the
// boot sector of builder-hex0 and the two texts come to that it translates in the guest. A run from an archive or an
// image starts from that, and has none of these.
func (c *Checkout) Seeds(o Options) ([]Seed, error) {
	if o.EarlyPreseed != "" || o.Stage0Image != "" {
		return nil, nil
	}
	var seeds []Seed
	if !o.KernelBootstrap() {
		for _, name := range []string{"hex0-seed", "kaem-optional-seed"} {
			name = path.Join(stage0Dir, "bootstrap-seeds/POSIX", o.ArchDir(), name)
			if !c.has(name) {
				continue
			}
			sum, err := digestFile(c.at(name))
			if err != nil {
				return nil, err
			}
			seeds = append(seeds, Seed{name, sum})
		}
		return seeds, nil
	}
	for _, name := range []string{stage1File, stage0Dir + "/x86/hex0_x86.hex0", stage0Dir + "/x86/kaem-minimal.hex0"} {
		text, err := c.text(name)
		if err != nil {
			return nil, err
		}
		program, err := srcfs.Compile([]byte(text))
		if err != nil {
			return nil, err
		}
		seeds = append(seeds, Seed{name, digest.Of(program)})
	}
	return seeds, nil
}
