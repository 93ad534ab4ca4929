// SPDX-License-Identifier: MIT

package audit

// instruction is what a disassembler says about bytes.
type instruction struct {
	size     int
	text     string // mnemonic and operands; addresses of jumps are absolute
	jumps    bool   // to target, on a condition or not; a call too
	target   uint64
	indirect bool // jumps to an address in a register or in memory
	ends     bool // execution never goes on behind it
}

// disassembler is what the audit has to know about an architecture.
type disassembler struct {
	// decode reads the instruction at the start of code, which stands at an address.
	decode func(code []byte, address uint64) (instruction, error)
	// same tells whether a comment says the same as a decoded instruction; labels are by name.
	same func(comment, decoded string, labels map[string]uint64) bool
	// exits tells whether two instructions, one behind the other, end the process.
	exits func(first, second instruction) bool
}

// disassemblers finds an architecture's disassembler by Go's name of the architecture.
func disassemblers(arch string) (disassembler, bool) {
	switch arch {
	case "amd64":
		return disassembler{decode: decodeAMD64, same: sameAMD64, exits: exitsAMD64}, true
	}
	return disassembler{}, false
}
