// SPDX-License-Identifier: MIT

package audit

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
)

const spdx = "# SPDX-License-Identifier: MIT\n"

// smallChain has the shape of the seed chain: hex0-seed, hex0, M0 and M1pp texts, a program by one of unknown kind.
func smallChain() *Chain {
	hex0 := spdx + elfHeader + "# l:\nEB FE # jmp l\n"
	binary, _ := DecodeHex0([]byte(hex0))
	texts := map[string]Text{
		"amd64/hex0-seed": {Bytes: binary, Program: true},
		"amd64/hex0.hex0": {Bytes: []byte(hex0)},
		"P1.M1":           {Bytes: []byte(spdx + "macro byte 1 .1 $1 end\n")},
		"a.P1":            {Bytes: []byte(spdx + "; a program\n\n:a byte 1 byte 2\n%a\n")},
		"b.scm":           {Bytes: []byte("; SPDX-License-Identifier: MIT\n(b)\n")},
	}
	var inputs []Input
	for _, name := range []string{"amd64/hex0-seed", "amd64/hex0.hex0", "P1.M1", "a.P1", "b.scm"} {
		text := texts[name]
		text.Path = name
		texts[name] = text
		inputs = append(inputs, Input{Name: strings.TrimPrefix(name, "amd64/"), Path: name})
	}
	return &Chain{Arch: "amd64", Texts: texts, Stages: []Stage{
		{
			Name: "low", Inputs: inputs[:4], Exports: []string{"a", "hex0"}, Same: [][2]string{{"hex0", "hex0-seed"}},
			Steps: [][]string{
				{"hex0-seed", "hex0.hex0", "hex0"},
				{"M0", "P1.M1", "a.P1", "a.hex2"}, {"hex2", "a.hex2", "a"},
			},
		},
		{
			Name: "high", Inputs: append([]Input{{Name: "below", Stage: "low", Path: "a"}}, inputs[2:]...),
			Exports: []string{"a", "b"},
			Steps: [][]string{
				{"M1pp", "P1.M1", "a.P1", "a.hex2"}, {"hex2pp", "-B", "0x10", "a.hex2", "a"},
				{"scheme1", "b.scm", "b"},
			},
		},
	}}
}

// run audits the chain against artefacts by STAGE/NAME and gives the report.
func run(t *testing.T, c *Chain, made map[string]string) *Report {
	t.Helper()
	r, err := Run(context.Background(), c, func(_ context.Context, stage, export string) ([]Artefact, error) {
		if b, ok := made[stage+"/"+export]; ok {
			return []Artefact{{SHA256: hexDigest([]byte(b)), Bytes: []byte(b), From: "ledger"}}, nil
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunComparesWhatTheChainMade(t *testing.T) {
	c := smallChain()
	hex0 := string(c.Texts["amd64/hex0-seed"].Bytes)
	a := "\x01\x02\xfa\xff\xff\xff"
	r := run(t, c, map[string]string{"low/hex0": hex0, "low/a": a, "high/a": a, "high/b": "anything"})
	checkProblems(t, r.Problems, "")
	complete := len(r.Programs) == 4 && r.Seed[0].Equal && len(r.Listings) == 1 && len(r.Texts) == 4
	if err := r.Err(); err != nil || !complete {
		t.Errorf("Run = %+v, %v; want 4 programs, 1 binary, 1 listing, 4 texts", r, err)
	}
	for i, want := range []int{1, 1, 1, 0} {
		if got := len(r.Programs[i].Same); got != want {
			t.Errorf("%s/%s is equal to %d artefacts; want %d", r.Programs[i].Stage, r.Programs[i].Name, got, want)
		}
	}
}

func TestRunTellsWhichLineMadeAByteThatDiffers(t *testing.T) {
	r := run(t, smallChain(), map[string]string{"high/a": "\x01\x03\xfa\xff\xff\xff"})
	checkProblems(t, r.Problems, "first differing offset 1 (0x11: a+1 a.P1:4:11: byte 2)")
	if err := r.Err(); fault.KindOf(err) != fault.Mismatch {
		t.Errorf("Err = %v; want a mismatch", err)
	}
	for name, made := range map[string]string{
		"ends at offset 5 of 6": "\x01\x02\xfa\xff\xff",
		"1 bytes more":          "\x01\x02\xfa\xff\xff\xff\x00",
	} {
		checkProblems(t, run(t, smallChain(), map[string]string{"high/a": made}).Problems, name)
	}
}

func TestRunFindsDefects(t *testing.T) {
	for _, r := range []struct {
		name, file, text, want string
	}{
		{"a binary that is not its text", "amd64/hex0-seed", "\x7fELF",
			"amd64/hex0-seed: differs from amd64/hex0.hex0: ends at offset 4 of 122"},
		{"a text that is not hex0", "amd64/hex0.hex0", spdx + "0", "amd64/hex0.hex0: decoding hex digits"},
		{"an undefined word", "a.P1", spdx + ":a foo\n", "a.P1:2: \"foo\" is not defined"},
		{"an error in a macro", "P1.M1", spdx + "macro byte 1 $2 end\n", "P1.M1:2: "},
		{"a parenthesis", "b.scm", "; SPDX-License-Identifier: MIT\n\n((\n", `b.scm:3: "(" has no partner`},
		{"no licence", "a.P1", ":a\n", "a.P1:1: want SPDX"},
		{"a long line", "a.P1", spdx + "\n#" + strings.Repeat("-", 80) + "\n:a", "a.P1:3: 81 columns"},
		{"tabs count", "a.P1", spdx + ":a\t\t\t\t\t\t\t\t\t\t#\n", "a.P1:2: 81 columns"},
		{"a trailing blank", "a.P1", spdx + ":a \n", "a.P1:2: the line ends with a blank"},
		{"no newline at the end", "a.P1", spdx + ":a", "a.P1:2: the last line"},
		{"a byte that is not ASCII", "a.P1", spdx + ":a # \xc3\xa4\n", "a.P1:2: byte 0xc3 at column 6"},
	} {
		t.Run(r.name, func(t *testing.T) {
			c := smallChain()
			text := c.Texts[r.file]
			text.Bytes = []byte(r.text)
			c.Texts[r.file] = text
			report := run(t, c, nil)
			var out bytes.Buffer
			if err := report.Text(&out); err != nil || !strings.Contains(out.String(), "PROBLEM   "+r.want) {
				t.Errorf("report = %s, %v; want PROBLEM %s", out.String(), err, r.want)
			}
			if fault.KindOf(report.Err()) != fault.Mismatch {
				t.Errorf("Err = %v; want a mismatch", report.Err())
			}
		})
	}
}

func TestRunFindsBrokenFixedPoints(t *testing.T) {
	c := smallChain()
	c.Stages[1].Same = [][2]string{{"a", "below"}}
	checkProblems(t, run(t, c, nil).Problems, "")
	text := c.Texts["a.P1"]
	text.Bytes = append(text.Bytes, "&a\n"...) // the base differs between the two stages
	c.Texts["a.P1"] = text
	checkProblems(t, run(t, c, nil).Problems,
		"should equal below, but by the reference assembler first differing offset 6")
}

func TestRunPassesOnWhatHindersIt(t *testing.T) {
	want := errors.New("no store")
	made := func(context.Context, string, string) ([]Artefact, error) { return nil, want }
	_, err := Run(context.Background(), smallChain(), made)
	if !errors.Is(err, want) {
		t.Errorf("Run = %v; want %v", err, want)
	}
}

func TestCountTexts(t *testing.T) {
	c := CountTexts(smallChain())
	if got, want := c.Binaries, (Size{Files: 1, Bytes: 122}); got != want {
		t.Errorf("Binaries = %+v; want %+v", got, want)
	}
	want := Size{Files: 1, Code: 2, Comments: 2, Blank: 1, Bytes: len(spdx) + 12 + 1 + 17 + 3}
	if got := c.Languages["P1"]; got != want {
		t.Errorf("Languages[P1] = %+v; want %+v", got, want)
	}
	if len(c.Groups) != 4 || c.Groups[3].Stage != "high" || c.Groups[3].Language != "Scheme" || c.Total.Files != 4 {
		t.Errorf("Groups = %+v, Total = %+v; want hex0, M0 and P1 in low, Scheme in high", c.Groups, c.Total)
	}
	var out bytes.Buffer
	err := c.Text(&out)
	if err != nil || !strings.Contains(out.String(), "Scheme") || strings.Contains(out.String(), " \n") {
		t.Errorf("Text = %q, %v; want a table without trailing blanks", out.String(), err)
	}
}

func TestSizeOfKnowsBlockComments(t *testing.T) {
	for lang, text := range map[string]string{
		"C":      "// one\n/* two\n three */\nint x; // code\n\n/* four */\n",
		"Scheme": "; one\n#| two\n three |#\n(x) ; code\n\n#| four |#\n",
	} {
		want := Size{Files: 1, Code: 1, Comments: 4, Blank: 1, Bytes: len(text)}
		if got := sizeOf(lang, []byte(text)); got != want {
			t.Errorf("sizeOf(%s) = %+v; want %+v", lang, got, want)
		}
	}
}
