// SPDX-License-Identifier: MIT

package audit

// Chain is what an audit has to know of a chain: its texts, and which programs turn them into what.
type Chain struct {
	Arch   string // Go's name of the architecture
	Stages []Stage
	Texts  map[string]Text // by path in the seed
}

// Text is a file of the seed.
type Text struct {
	Path    string // in the seed: "amd64/hex0.hex0"
	Bytes   []byte
	Program bool // a binary program rather than a text
}

// Stage is one rung. A stage stands behind those whose exports it takes.
type Stage struct {
	Name    string
	Inputs  []Input
	Steps   [][]string // PROGRAM ARGUMENT...
	Exports []string
	Same    [][2]string // files that must have equal bytes
}

// Input is a file of a stage's tree.
type Input struct {
	Name  string
	Stage string // that exports it; "" for the seed
	Path  string // in the seed, or of the export
}

// texts lists what the stages take from the seed, each once, in the order in which they take them.
func (c *Chain) texts() []taken {
	var all []taken
	seen := map[string]bool{}
	for _, stage := range c.Stages {
		for _, in := range stage.Inputs {
			text, ok := c.Texts[in.Path]
			if ok && in.Stage == "" && !seen[in.Path] {
				seen[in.Path] = true
				all = append(all, taken{stage.Name, text})
			}
		}
	}
	return all
}

// taken is a text and the first stage that takes it.
type taken struct {
	stage string
	Text
}
