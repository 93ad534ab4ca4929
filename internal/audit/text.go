// SPDX-License-Identifier: MIT

package audit

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Text prints the report for people: what was checked, then what was found wrong.
func (r *Report) Text(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, s := range r.Seed {
		verdict := "equal to " + s.Text
		if !s.Equal {
			verdict = "NOT the bytes of " + s.Text
		}
		fmt.Fprintf(b, "seed      %s: %d bytes, %s, %s\n", s.Path, s.Size, short(s.SHA256), verdict)
	}
	for _, p := range r.Programs {
		fmt.Fprintf(b, "program   %s/%s: %s\n", p.Stage, p.Name, p.verdict())
	}
	for _, l := range r.Listings {
		fmt.Fprintf(b, "listing   %s: %d instructions in %d bytes, %d jumps, %d bytes of data\n",
			l.Text, l.Instructions, l.Code, l.Jumps, l.Data)
	}
	fmt.Fprintf(b, "texts     %d checked for style\n", len(r.Texts))
	for _, p := range r.Problems {
		fmt.Fprintf(b, "PROBLEM   %s\n", p)
	}
	fmt.Fprintf(b, "verdict   %s\n", r.verdict())
	return b.Flush()
}

// String is FILE:LINE: and what is wrong.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

func (p Program) verdict() string {
	switch {
	case p.SHA256 == "":
		return "made by a program that has no reference; not assembled again"
	case len(p.Same) == 0:
		return fmt.Sprintf("%d bytes, %s, equal to nothing that is known of the chain", p.Size, short(p.SHA256))
	}
	return fmt.Sprintf("%d bytes, %s, equal to %s", p.Size, short(p.SHA256), strings.Join(p.Same, " and "))
}

func (r *Report) verdict() string {
	compared, assembled := 0, 0
	for _, p := range r.Programs {
		if p.SHA256 != "" {
			assembled++
		}
		if len(p.Same) > 0 {
			compared++
		}
	}
	s := fmt.Sprintf("%d of %d programs assembled again, %d equal to what the chain made, %s", assembled,
		len(r.Programs), compared, r.found())
	if compared < assembled {
		s += "; rung bootstrap makes the others"
	}
	return s
}

// found counts the problems in words.
func (r *Report) found() string {
	if len(r.Problems) == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", len(r.Problems))
}

func short(sha256 string) string { return sha256[:min(12, len(sha256))] }
