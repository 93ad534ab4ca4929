// SPDX-License-Identifier: MIT

package seedlang

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/rung-build/rung/seed"
)

// p1Instructions says for each P1 macro of amd64 which instructions it must be made of.
var p1Instructions = map[string]string{
	"mov": "MOV", "li": "MOV", "li8": "MOV", "la": "MOV",
	"add": "ADD", "sub": "SUB", "and": "AND", "or": "OR", "xor": "XOR", "mul": "IMUL",
	"addi": "ADD", "andi": "AND", "ori": "OR", "xori": "XOR",
	"shl": "MOV SHL", "shr": "MOV SHR", "sar": "MOV SAR", "shli": "SHL", "shri": "SHR", "sari": "SAR",
	"div": "MOV MOV MOV CQO IDIV MOV MOV", "divu": "MOV MOV MOV XOR DIV MOV MOV",
	"rem": "MOV MOV MOV CQO IDIV MOV MOV MOV", "remu": "MOV MOV MOV XOR DIV MOV MOV MOV",
	"seq": "CMP SETE MOVZX", "sne": "CMP SETNE MOVZX", "slt": "CMP SETL MOVZX", "sltu": "CMP SETB MOVZX",
	"sx1": "MOVSX", "sx2": "MOVSX", "sx4": "MOVSXD", "zx1": "MOVZX", "zx2": "MOVZX", "zx4": "MOV",
	"ld1": "MOVZX", "ld2": "MOVZX", "ld4": "MOV", "ld8": "MOV", "st1": "MOV", "st2": "MOV", "st4": "MOV", "st8": "MOV",
	"push": "PUSH", "pop": "POP", "addsp": "ADD", "getsp": "MOV", "setsp": "MOV", "ldsp": "MOV", "stsp": "MOV",
	"b": "JMP", "br": "JMP", "call": "CALL", "callr": "CALL", "ret": "RET",
	"beq": "CMP JE", "bne": "CMP JNE", "blt": "CMP JL", "bge": "CMP JGE", "bltu": "CMP JB", "bgeu": "CMP JAE",
	"beqi": "CMP JE", "bnei": "CMP JNE", "blti": "CMP JL", "bgei": "CMP JGE", "bltui": "CMP JB", "bgeui": "CMP JAE",
	"bz": "TEST JE", "bnz": "TEST JNE", "bneg": "TEST JS",
	"sys": "MOV SYSCALL MOV",
}

// p1Backend is the text of an architecture's P1 macros.
func p1Backend(tb testing.TB, arch string) Source {
	tb.Helper()
	name := arch + "/P1.M1"
	text, err := fs.ReadFile(seed.Files(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return Source{Name: name, Text: text}
}

// mnemonics disassembles bytes whole.
func mnemonics(b []byte) (string, error) {
	var names []string
	for len(b) > 0 {
		inst, err := x86asm.Decode(b, 64)
		if err != nil {
			return strings.Join(names, " "), fmt.Errorf("% x: %w", b, err)
		}
		names = append(names, inst.Op.String())
		b = b[inst.Len:]
	}
	return strings.Join(names, " "), nil
}

func TestP1DisassemblesAsItsMacrosSay(t *testing.T) {
	program := newConformance(t)
	b, m, err := Assemble(M1pp, Base, p1Backend(t, "amd64"), program.source())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range m.Instructions() {
		if r.Call == nil || r.Call.Name == "program" {
			continue
		}
		seen[r.Call.Name]++
		want, ok := p1Instructions[r.Call.Name]
		got, err := mnemonics(b[r.Start:r.End])
		if err != nil || !ok || got != want {
			t.Fatalf("%s = % x = %s, %v; want %s", r.Call, b[r.Start:r.End], got, err, want)
		}
	}
	for name := range p1Instructions {
		if seen[name] == 0 {
			t.Errorf("no case uses %s", name)
		}
	}
}

// TestP1HasTheInstructionsOfItsDefinition wants the macros of P1.M1 to be those that the tests know.
func TestP1HasTheInstructionsOfItsDefinition(t *testing.T) {
	lex, err := newLexer(M0, []Source{p1Backend(t, "amd64")})
	if err != nil {
		t.Fatal(err)
	}
	e := newExpander(M0, newLinker(M0, Base))
	if err := e.run(lex); err != nil {
		t.Fatal(err)
	}
	for name := range e.macros {
		if _, ok := p1Instructions[name]; !ok && !strings.HasPrefix(name, "x.") && name != "program" {
			t.Errorf("P1.M1 has a macro %s that no test knows", name)
		}
	}
	for name := range p1Instructions {
		if e.macros[name] == nil {
			t.Errorf("P1.M1 has no macro %s", name)
		}
	}
}
