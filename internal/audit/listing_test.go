// SPDX-License-Identifier: MIT

package audit

import (
	"fmt"
	"strings"
	"testing"
)

// elfHeader is 120 bytes of data lines: a program that is entered behind them, at 0x400078.
const elfHeader = `7F 45 4C 46 02 01 01 00 00 00 00 00 00 00 00 00 # = e_ident
02 00 3E 00 01 00 00 00 78 00 40 00 00 00 00 00 # = type to entry
40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # = offsets
00 00 00 00 40 00 38 00 01 00 00 00 00 00 00 00 # = flags, sizes
01 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00 # = load
00 00 40 00 00 00 00 00 00 00 40 00 00 00 00 00 # = addresses
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # = sizes
00 10 00 00 00 00 00 00 # = align
`

func TestDisassembleHex0(t *testing.T) {
	const exit = "B0 E7 # mov al, 231\n0F 05 # syscall\n"
	for _, r := range []struct{ name, code, want string }{
		{"an exit and data behind it", exit + "00 # = rest\n", ""},
		{"remarks, blanks, hexadecimal numbers", "48 83  C0 F0 #  ADD rax,-0x10 ; down\n" + exit, ""},
		{"a jump back to its label", "# top:\n48 83 C0 F0 # add rax, -16\n75 FA # jne top ; again\n" + exit, ""},
		{"a jump over data", "EB 02 # jmp on\n00 00 # = gap\n# on:\n" + exit, ""},
		{"the size of memory by its register", "48 8B 47 08 # mov rax, [rdi+8]\n88 06 # mov [rsi], al\n" + exit, ""},
		{"the size of memory said", "80 3E 3E # cmp byte ptr [rsi], 62\n" + exit, ""},
		{"the operands of xchg and test", "95 # xchg eax, ebp\n97 # xchg edi, eax\n48 85 C1 # test rax, rcx\n" + exit,
			""},
		{"string instructions", "AC # lodsb\nF3 A6 # repe cmpsb\nF3 A4 # rep movsb\nAB # stosd\n" + exit, ""},
		{"a negative number of 32 bits", "BF 9C FF FF FF # mov edi, -100\n6A 9C # push -100\n" + exit, ""},
		{"a return", "C3 # ret\n00 # = rest\n", ""},

		{"bytes without a comment", "C3\n", "9: bytes without a comment"},
		{"data without a meaning", exit + "00 # =\n", "11: data without a meaning"},
		{"another register", "31 C0 # xor ecx, ecx\n" + exit,
			`9: 31 C0 is "xor eax, eax"; the comment says "xor ecx, ecx"`},
		{"another instruction", "31 C0 # sub eax, eax\n" + exit, "9: 31 C0 is"},
		{"another number", "3C 0A # cmp al, 11\n" + exit, "9: 3C 0A is"},
		{"another offset", "48 8B 47 08 # mov rax, [rdi+16]\n" + exit, "9: 48 8B 47 08 is"},
		{"another size of memory", "80 3E 3E # cmp dword ptr [rsi], 62\n" + exit, "9: 80 3E 3E is"},
		{"no size of memory", "80 3E 3E # cmp [rsi], 62\n" + exit, "9: 80 3E 3E is"},
		{"a size that its register does not have", "0F B6 06 # movzx eax, word ptr [rsi]\n" + exit, "9: 0F B6 06 is"},
		{"half a bracket", "88 06 # mov rsi], al\n" + exit, "9: 88 06 is"},
		{"two instructions on a line", "31 C0 31 C9 # xor eax, eax\n" + exit,
			"9: 31 C0 31 C9: the instruction, xor eax, eax, has 2"},
		{"half an instruction", "48 8B # mov rax, [rdi]\n" + exit, "9: 48 8B is no instruction"},
		{"a jump that misses its label", "75 01 # jne on\nC3 # ret\n90 # nop\n# on:\n" + exit,
			`9: 75 01 is "jne 0x40007b"`},
		{"a label that is not there", "75 00 # jne on\n" + exit,
			`9: 75 00 is "jne 0x40007a"; the comment says "jne on"`},
		{"a jump to a number", "75 00 # jne 0x40007a\n" + exit, `9: "jne 0x40007a" jumps to no label`},
		{"a jump into an instruction", "EB FF # jmp in\n# in:\nC0 C3 01 # rol bl, 1\n" + exit, "9: EB FF is"},
		{"a jump into data", "EB 00 # jmp in\n# in:\n31 C0 # = not code\n", "9: jumps into data"},
		{"falling into data", "31 C0 # xor eax, eax\n0F 05 # = not code\n" + exit, "9: execution runs on into data"},
		{"falling off the end", "31 C0 # xor eax, eax\n", "9: execution runs on"},
		{"a system call that is no exit", "B0 3B # mov al, 59\n0F 05 # syscall\n00 # = rest\n",
			"10: execution runs on"},
		{"an exit with any number", "EB 02 # jmp call\nB0 E7 # mov al, 231\n# call:\n0F 05 # syscall\n00 # = rest\n",
			"12: execution runs on"},
		{"an indirect jump", "FF E0 # jmp rax\n", "9: jumps to an address that the audit cannot know"},
		{"an entry into data", "31 C0 # = not code\n" + exit, "1: the program is not entered at a line of code"},
		{"a label twice", "# a:\n# a:\n" + exit, `10: label "a" is defined twice`},
		{"an odd digit", "3\n", "0: x.hex0:9:1: odd number"},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, problems := Disassemble("amd64", "x.hex0", []byte(elfHeader+r.code))
			checkProblems(t, problems, r.want)
		})
	}
}

// checkProblems wants no problem, or a first one that begins so: LINE: TEXT.
func checkProblems(t *testing.T, problems []Problem, want string) {
	t.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d: %s", p.Line, p.Text))
	}
	all := strings.Join(got, "\n")
	if want == "" && all != "" || !strings.Contains("\n"+all, want) || want != "" && all == "" {
		t.Errorf("problems = %s; want %q", all, want)
	}
}

func TestDisassembleHex2(t *testing.T) {
	const exit = "B0 E7 # mov al, 231\n0F 05 # syscall\n"
	for _, r := range []struct{ name, code, want string }{
		{"jumps and addresses",
			":_start\nE8 %f # call f\nBE &text # mov esi, text\n" + exit + ":f\nC3 # ret\n:text 00 # = text\n",
			""},
		{"a size in the place of a label",
			"E8 %word # call word\n66 83 3A 30 # cmp word ptr [rdx], 48\n" + exit + ":word\nC3 # ret\n",
			""},
		{"another label", "E8 %f # call g\n" + exit + ":f C3 # ret\n:g C3 # ret\n", `9: E8 `},
		{"another label at the same place", "E8 %f # call g\n" + exit + ":f :g C3 # ret\n",
			`9: the bytes refer to "f"`},
		{"another address", "BE &text # mov esi, code\n" + exit + ":code C3 # ret\n:text 00 # = x\n", "9: BE"},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, problems := Disassemble("amd64", "x.hex2", []byte(elfHeader+r.code))
			checkProblems(t, problems, r.want)
		})
	}
}

func TestDisassembleCounts(t *testing.T) {
	l, problems := Disassemble("amd64", "x.hex0", []byte(elfHeader+"# l:\nEB FE # jmp l\n00 # = rest\n"))
	checkProblems(t, problems, "")
	if want := (Listing{Text: "x.hex0", Instructions: 1, Code: 2, Data: 121, Jumps: 1}); l == nil || *l != want {
		t.Errorf("Disassemble = %+v; want %+v", l, want)
	}
	if _, problems := Disassemble("m68k", "x.hex0", nil); len(problems) != 1 {
		t.Errorf("Disassemble(m68k) = %v; want one problem", problems)
	}
}
