// SPDX-License-Identifier: MIT

package page

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/rung-build/rung/internal/report"
)

// Text writes a line a stage, the findings, and the comparison of machines: what the page says, in short.
func (r Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "stage\tsteps\ttime\tcpu\tmemory\tbytes out\tmachine\twhen")
	for _, s := range r.Stages {
		if !s.Made {
			fmt.Fprintf(t, "%s\t%d\tnot run yet\t\t\t\t\t\n", s.Name, len(s.Steps))
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\n", s.Name, len(s.Steps), report.Span(s.Wall), report.Span(s.CPU),
			report.Size(s.Memory), s.Bytes, plain(s.Machine), moment(s.Time))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	for _, f := range r.findings() {
		if _, err := fmt.Fprintf(w, "%-4s  %s\n", f.Mark, f.Text); err != nil {
			return err
		}
	}
	if r.Comparison == nil {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\nmachines compared, %s\n\n", moment(r.Comparison.Time)); err != nil {
		return err
	}
	return r.Comparison.Text(w)
}
