// SPDX-License-Identifier: MIT

package audit

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"github.com/rung-build/rung/internal/seedlang"
)

// decodeAMD64 decodes with x86asm and prints as Intel's manual does: x86asm's own names of conditions are those of
// XED.
func decodeAMD64(code []byte, address uint64) (instruction, error) {
	inst, err := x86asm.Decode(code, 64)
	if err == nil && inst.Op == 0 {
		err = x86asm.ErrUnrecognized
	}
	if err != nil {
		return instruction{}, err
	}
	text := strings.ToLower(inst.Op.String())
	_, operands, _ := strings.Cut(strings.TrimPrefix(x86asm.IntelSyntax(inst, address, nil), "rep "), " ")
	if stringOp(text) {
		operands = ""
		text = repeat(inst, text) + text
	}
	i := instruction{size: inst.Len, text: strings.TrimSpace(text + " " + operands)}
	if rel, ok := inst.Args[0].(x86asm.Rel); ok {
		i.jumps, i.target = true, address+uint64(inst.Len)+uint64(int64(rel))
	}
	switch inst.Op {
	case x86asm.JMP, x86asm.CALL:
		i.indirect = !i.jumps
		i.ends = inst.Op == x86asm.JMP
	case x86asm.RET, x86asm.HLT, x86asm.UD2:
		i.ends = true
	}
	return i, nil
}

// stringOp tells the string instructions, whose operands are always the same ones.
func stringOp(op string) bool {
	switch op {
	case "lodsb", "lodsw", "lodsd", "lodsq", "stosb", "stosw", "stosd", "stosq", "movsb", "movsw", "movsd", "movsq",
		"cmpsb", "cmpsw", "cmpsd", "cmpsq", "scasb", "scasw", "scasd", "scasq":
		return true
	}
	return false
}

// repeat is the prefix of a string instruction: F3 repeats while equal where there is something to compare.
func repeat(inst x86asm.Inst, op string) string {
	compares := strings.HasPrefix(op, "cmps") || strings.HasPrefix(op, "scas")
	for _, p := range inst.Prefix {
		switch {
		case p&0xFF == 0xF2:
			return "repne "
		case p&0xFF == 0xF3 && compares:
			return "repe "
		case p&0xFF == 0xF3:
			return "rep "
		}
	}
	return ""
}

// exitsAMD64 knows exit_group: the number 231 in eax or al, and syscall.
func exitsAMD64(first, second instruction) bool {
	return second.text == "syscall" && (first.text == "mov eax, 0xe7" || first.text == "mov al, 0xe7")
}

// sameAMD64 compares operand by operand. Numbers may be decimal or hexadecimal, signed or not; the size of what is in
// memory may be left out where a register tells it; xchg and test take their operands in either order.
func sameAMD64(comment, decoded string, labels map[string]uint64) bool {
	op, got := splitAMD64(decoded)
	wantOp, want := splitAMD64(comment)
	if op != wantOp || len(got) != len(want) {
		return false
	}
	width := widthAMD64(got)
	for i := range got {
		got[i] = canonicalAMD64(op, got[i], got, nil, width)
	}
	written := slices.Clone(want)
	for i := range want {
		want[i] = canonicalAMD64(op, want[i], written, labels, width)
	}
	if op == "xchg" || op == "test" {
		slices.Sort(got)
		slices.Sort(want)
	}
	return slices.Equal(got, want)
}

// splitAMD64 cuts an instruction into its mnemonic, prefix and all, and its operands.
func splitAMD64(text string) (op string, operands []string) {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	op, rest, _ := strings.Cut(text, " ")
	if strings.HasPrefix(op, "rep") {
		return text, nil
	}
	for _, operand := range strings.Split(rest, ",") {
		if operand = strings.TrimSpace(operand); operand != "" {
			operands = append(operands, operand)
		}
	}
	return op, operands
}

var (
	registerAMD64 = regexp.MustCompile(`^(?:([abcd][lh]|[sd]il|[sb]pl|r\d+b)|([abcd]x|[sd]i|[sb]p|r\d+w)|` +
		`(e[abcd]x|e[sd]i|e[sb]p|r\d+d)|(r[abcd]x|r[sd]i|r[sb]p|r\d+))$`)
	sizeAMD64   = regexp.MustCompile(`^(?:(byte)|(word)|(dword)|(qword)) ptr `)
	tokensAMD64 = regexp.MustCompile(`-?[a-z0-9_.]+`)
)

// widthAMD64 is that of the first operand which tells its size, in bits; 32 where none does.
func widthAMD64(operands []string) int {
	for _, operand := range operands {
		for _, form := range []*regexp.Regexp{registerAMD64, sizeAMD64} {
			match := form.FindStringSubmatch(operand)
			for i := 1; i < len(match); i++ {
				if match[i] != "" {
					return 4 << i
				}
			}
		}
	}
	return 32
}

// canonicalAMD64 rewrites an operand so that equal meanings have equal texts. Labels are case-sensitive in the chain,
// but comments were put into lower case, as the labels of hex0 and hex2 programs are.
func canonicalAMD64(op, operand string, all []string, labels map[string]uint64, width int) string {
	bracket := strings.IndexByte(operand, '[')
	inMemory := bracket >= 0 && strings.HasSuffix(operand, "]")
	if inMemory && (op == "lea" || sizeKnownAMD64(op, all)) {
		operand = operand[bracket:]
	}
	if inMemory {
		operand = strings.ReplaceAll(strings.ReplaceAll(operand, " + ", "+"), "*1", "")
		width = 64
	}
	size := sizeAMD64.FindString(operand)
	return size + tokensAMD64.ReplaceAllStringFunc(operand[len(size):], func(token string) string {
		n, ok := numberAMD64(token, labels)
		if !ok {
			return token
		}
		n = n << (64 - width) >> (64 - width)
		if inMemory && n >= 0 && strings.HasPrefix(token, "-") {
			return "+" + strconv.FormatInt(n, 10)
		}
		return strconv.FormatInt(n, 10)
	})
}

// sizeKnownAMD64 tells whether a register among the operands says how much memory is meant.
func sizeKnownAMD64(op string, operands []string) bool {
	switch op {
	case "movzx", "movsx", "movsxd", "shl", "shr", "sar", "rol", "ror", "call", "jmp":
		return false
	}
	return slices.ContainsFunc(operands, registerAMD64.MatchString)
}

// numberAMD64 is the value of a number or of a label.
func numberAMD64(token string, labels map[string]uint64) (int64, bool) {
	if address, ok := labels[token]; ok && !registerAMD64.MatchString(token) {
		return int64(address), true
	}
	digits := strings.TrimPrefix(token, "-")
	n, err := seedlang.ParseNumber(digits)
	if err != nil {
		return 0, false
	}
	if digits != token {
		return -int64(n), true
	}
	return int64(n), true
}
