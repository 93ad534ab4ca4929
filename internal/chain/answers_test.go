// SPDX-License-Identifier: MIT

package chain

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sumA, sumB = strings.Repeat("0a", 32), strings.Repeat("b1", 32)

func TestParseAnswersReadsWhatSHA256SumPrints(t *testing.T) {
	got, err := ParseAnswers("answers", []byte("# a comment\n"+sumA+"  s/a\n"+sumB+"  s/dir/b c\n"))
	want := Answers{"s/a": sumA, "s/dir/b c": sumB}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseAnswers() = %v, %v; want %v", got, err, want)
	}
}

func TestParseAnswersSaysWhereItIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"an end without newline": {sumA + "  s/a", "f:1:70: "},
		"an empty line":          {sumA + "  s/a\n\n", "f:2:1: "},
		"capital digits":         {strings.ToUpper(sumA) + "  s/a\n", "f:1:1: "},
		"one blank":              {sumA + " s/a\n", "f:1:1: "},
		"binary mode":            {sumA + " *s/a\n", "f:1:1: "},
		"no stage":               {"#\n" + sumA + "  a\n", "f:2:67: "},
		"a path with dots":       {sumA + "  s/../a\n", "f:1:67: "},
		"a text of the seed":     {sumA + "  seed:a\n", "f:1:67: "},
		"an answer again":        {sumA + "  s/a\n" + sumB + "  s/a\n", "f:2:67: "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseAnswers("f", []byte(test.text)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("ParseAnswers(%q) = %v; want %s...", test.text, err, test.want)
			}
		})
	}
}

// FuzzParseAnswers: what is read can be written again, line by line and but for comments; what is refused has a place.
func FuzzParseAnswers(f *testing.F) {
	f.Add([]byte(sumA + "  s/a\n"))
	f.Add([]byte("# c\n" + sumA + "  s/a\n" + sumB + "  t/b\n"))
	f.Add([]byte(sumA + "  s/a\n" + sumB + "  s/a\n"))
	place := regexp.MustCompile(`^f:[1-9][0-9]*:[1-9][0-9]*: `)
	f.Fuzz(func(t *testing.T, text []byte) {
		answers, err := ParseAnswers("f", text)
		if err != nil {
			if !place.MatchString(err.Error()) || answers != nil {
				t.Errorf("ParseAnswers(%q) = %v, %v; want a place and nothing beside", text, answers, err)
			}
			return
		}
		var lines int
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			lines++
			name := strings.TrimSuffix(line[66:], "\n")
			if again := fmt.Sprintf("%s  %s\n", answers[name], name); again != line {
				t.Errorf("ParseAnswers(%q): %q comes back as %q", text, line, again)
			}
		}
		if lines != len(answers) {
			t.Errorf("ParseAnswers(%q) has %d answers; want %d", text, len(answers), lines)
		}
	})
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"1B": 1, "7KiB": 7168, "1GiB": 1 << 30, "8388607TiB": 8388607 << 40} {
		if got, err := ParseSize(text); got != want || err != nil {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	bad := []string{"", "1", "B", "0B", "-1B", "+1B", "01B", "1.5KiB", "1 KiB", "1kiB", "1KB", "8388608TiB", "1BB"}
	for _, text := range bad {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d; want an error", text, got)
		}
	}
}

// FuzzParseSize compares with arithmetic that cannot overflow.
func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"1B", "64KiB", "256MiB", "1GiB", "8388608TiB", "9223372036854775807B", "x"} {
		f.Add(text)
	}
	form := regexp.MustCompile(`^([1-9][0-9]*)(B|KiB|MiB|GiB|TiB)$`)
	units := map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseSize(text)
		m := form.FindStringSubmatch(text)
		if m == nil {
			if err == nil {
				t.Errorf("ParseSize(%q) = %d; want an error", text, got)
			}
			return
		}
		want, _ := new(big.Int).SetString(m[1], 10)
		want.Lsh(want, units[m[2]])
		if want.IsInt64() != (err == nil) || err == nil && want.Int64() != got {
			t.Errorf("ParseSize(%q) = %d, %v; want %v", text, got, err, want)
		}
	})
}

// FuzzParseTime: what is read is above 0, and its own text reads as the same.
func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"10s", "1m30s", "250ms", "0s", "-1s", "1", "9999999h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTime(text)
		if err != nil {
			return
		}
		if again, err := ParseTime(got.String()); got <= 0 || again != got || err != nil {
			t.Errorf("ParseTime(%q) = %v, and its text reads as %v, %v", text, got, again, err)
		}
	})
}
