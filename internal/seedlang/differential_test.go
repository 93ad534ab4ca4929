// SPDX-License-Identifier: MIT

package seedlang

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/need"
)

// chainTools holds the chain's own M1pp and hex2pp as files that run here.
type chainTools struct{ dir string }

// newChainTools assembles M1pp and hex2pp from the chain's texts.
func newChainTools(t *testing.T) chainTools {
	t.Helper()
	need.Arch(t, "amd64") // the chain's programs
	tools := chainTools{t.TempDir()}
	for _, program := range []string{"M1pp", "hex2pp"} {
		var sources []Source
		for _, name := range []string{"amd64/P1.M1", "text.P1", program + ".P1"} {
			text, err := os.ReadFile(filepath.Join("../../seed", name))
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, Source{Name: name, Text: text})
		}
		code, _, err := Assemble(M0, Base, sources...)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tools.dir, program), code, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return tools
}

// run gives a text to a tool and returns what it wrote, or what it complained of.
func (c chainTools) run(tool, text string) (output, complaint string, err error) {
	in, out := filepath.Join(c.dir, "in"), filepath.Join(c.dir, "out")
	if err := os.WriteFile(in, []byte(text), 0o644); err != nil {
		return "", "", err
	}
	cmd := exec.Command(filepath.Join(c.dir, tool), in, out)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == 1 && stderr.Len() > 0 {
			return "", stderr.String(), nil
		}
		return "", "", fmt.Errorf("%s ended with %w", tool, err)
	}
	b, err := os.ReadFile(out)
	return string(b), "", err
}

// assemble is M1pp and hex2pp, one after the other.
func (c chainTools) assemble(text string) (code, complaint string, err error) {
	hex2, complaint, err := c.run("M1pp", text)
	if err != nil || complaint != "" {
		return "", complaint, err
	}
	return c.run("hex2pp", hex2)
}

// TestDifferential gives generated texts to the chain's assembler and to the reference: what the reference takes, the
// chain must turn into the same bytes; what the reference refuses, the chain must refuse as well.
func TestDifferential(t *testing.T) {
	tools := newChainTools(t)
	taken, refused := 0, 0
	for seed := range uint64(400) {
		text := newTextMaker(seed).text()
		want, _, wantErr := Assemble(M1pp, Base, Source{Name: "in", Text: []byte(text)})
		got, complaint, err := tools.assemble(text)
		switch {
		case err != nil:
			t.Fatalf("text %d: %v\n%s", seed, err, text)
		case wantErr == nil && complaint != "":
			t.Errorf("text %d: the chain refuses it: %s\n%s", seed, complaint, text)
		case wantErr != nil && complaint == "":
			t.Errorf("text %d: the chain takes it, the reference says: %v\n%s", seed, wantErr, text)
		case wantErr == nil && got != string(want):
			t.Errorf("text %d: the chain makes %x; want %x\n%s", seed, got, want, text)
		case wantErr == nil:
			taken++
		default:
			refused++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d texts taken, %d refused", taken, refused)
	if taken < 100 || refused < 50 {
		t.Errorf("%d texts taken, %d refused: the texts are too much alike", taken, refused)
	}
}

// textMaker makes M1pp texts, most of them right.
type textMaker struct {
	rand   *rand.Rand
	out    strings.Builder
	macros []int // number of arguments of each macro
	consts int
	labels int // labels that some reference may name
	defect int // one in so many pieces is wrong
}

func newTextMaker(seed uint64) *textMaker {
	return &textMaker{rand: rand.New(rand.NewPCG(seed, 7)), labels: 8, defect: 60 + int(seed%400)}
}

func (m *textMaker) text() string {
	for range 3 + m.rand.IntN(4) {
		m.definition()
	}
	for i := range m.labels {
		fmt.Fprintf(&m.out, ":L%d", i)
		m.gap()
		for range m.rand.IntN(6) {
			m.piece(0, 2)
		}
	}
	return m.out.String()
}

func (m *textMaker) gap() {
	m.out.WriteString([]string{" ", "\n", "\t", ", ", " # note ; \"\n", "  ; x\n", "\n\n"}[m.rand.IntN(7)])
}

func (m *textMaker) definition() {
	if m.rand.IntN(2) == 0 {
		fmt.Fprintf(&m.out, "const c%d %s\n", m.consts, m.value(0))
		m.consts++
		return
	}
	args := m.rand.IntN(4)
	fmt.Fprintf(&m.out, "macro m%d %d ", len(m.macros), args)
	for range 1 + m.rand.IntN(4) {
		m.piece(args, 1)
	}
	if m.wrong() {
		m.out.WriteString("$4 ")
	}
	m.out.WriteString("end\n")
	m.macros = append(m.macros, args)
}

func (m *textMaker) wrong() bool { return m.rand.IntN(m.defect) == 0 }

// piece writes something that gives bytes, within a macro of so many arguments.
func (m *textMaker) piece(args, depth int) {
	if m.wrong() {
		m.out.WriteString([]string{"123", "xyz", "end", "else", ".1 400", "%none", ".2", ":L1", "<3", "\"a", ".1 (+ 1",
			".4 c99", "macro q 1 end end", "m0 \n", "if 1 00", "zz"}[m.rand.IntN(16)])
		m.out.WriteByte(' ')
		return
	}
	switch m.rand.IntN(9) {
	case 0:
		fmt.Fprintf(&m.out, "%02X%02x ", m.rand.IntN(256), m.rand.IntN(256))
	case 1:
		fmt.Fprintf(&m.out, ".%d %s ", []int{4, 8}[m.rand.IntN(2)], m.value(args))
	case 2:
		fmt.Fprintf(&m.out, ".%d %d ", []int{1, 2}[m.rand.IntN(2)], m.rand.IntN(300)-128)
	case 3:
		fmt.Fprintf(&m.out, "%c%s ", "%&@"[m.rand.IntN(3)], m.label())
	case 4:
		fmt.Fprintf(&m.out, "%%%s>%s ", m.label(), m.label())
	case 5:
		fmt.Fprintf(&m.out, "\"%s\" ", []string{"", "a", "a b", "# $1", "(;"}[m.rand.IntN(5)])
	case 6:
		fmt.Fprintf(&m.out, "<%d ", 1<<m.rand.IntN(5))
	case 7:
		m.condition(args, depth)
	case 8:
		m.call(args)
	}
	if args == 0 {
		m.gap()
	}
}

func (m *textMaker) condition(args, depth int) {
	if depth == 0 {
		return
	}
	fmt.Fprintf(&m.out, "if %s ", m.value(args))
	m.piece(args, depth-1)
	if m.rand.IntN(2) == 0 {
		m.out.WriteString("else ")
		m.piece(args, depth-1)
	}
	m.out.WriteString("end ")
}

func (m *textMaker) call(args int) {
	if len(m.macros) == 0 {
		return
	}
	i := m.rand.IntN(len(m.macros))
	fmt.Fprintf(&m.out, "m%d", i)
	for range m.macros[i] {
		fmt.Fprintf(&m.out, " %s", m.value(args))
	}
	m.out.WriteByte(' ')
}

func (m *textMaker) label() string { return fmt.Sprintf("L%d", m.rand.IntN(m.labels)) }

// value is a sum or an expression.
func (m *textMaker) value(args int) string {
	switch m.rand.IntN(8) {
	case 0:
		return fmt.Sprintf("0x%x", m.rand.IntN(1<<20))
	case 1:
		if m.consts > 0 {
			return fmt.Sprintf("c%d", m.rand.IntN(m.consts))
		}
	case 2:
		if args > 0 {
			return fmt.Sprintf("$%d", 1+m.rand.IntN(args))
		}
	case 3, 4:
		ops := []string{"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "=", "!=", "<", "<=", ">", ">="}
		op := ops[m.rand.IntN(len(ops))]
		if op == "<<" || op == ">>" {
			return fmt.Sprintf("(%s %s %d)", op, m.value(args), m.rand.IntN(20))
		}
		return fmt.Sprintf("(%s %s %s)", op, m.value(args), m.value(args))
	case 5:
		return fmt.Sprintf("%d+%d-0x%X", m.rand.IntN(1000), m.rand.IntN(1000), m.rand.IntN(1000))
	}
	return fmt.Sprint(m.rand.IntN(2000) - 1000)
}
