// SPDX-License-Identifier: MIT

package page

import (
	"fmt"
	"slices"
)

// verdict adds up what the stages show.
func verdict(stages []Stage) Verdict {
	v := Verdict{Stages: len(stages), Machines: []string{}}
	for _, s := range stages {
		if s.Made {
			v.add(s)
		}
	}
	slices.Sort(v.Machines)
	v.Machines = slices.Compact(v.Machines)
	return v
}

func (v *Verdict) add(s Stage) {
	v.Made++
	v.Steps += len(s.Steps)
	v.Outdated += one(len(s.Outdated) > 0)
	v.Exposed += one(!s.Isolated)
	v.Differ += one(s.Repeats.Differ)
	v.FixedPoints += len(s.Same)
	v.Wall += s.Wall
	v.CPU += s.CPU
	v.Memory = max(v.Memory, s.Memory)
	v.Bytes += s.Bytes
	v.Machines = append(v.Machines, s.Machine+" "+s.Version)
	for _, f := range s.Files {
		if !f.Export {
			continue
		}
		v.Artefacts++
		v.Answered += one(f.Answer == Equal)
		v.Unequal += one(f.Answer == Unequal)
		if v.Largest.Name == "" || f.Digest.Size() > v.Largest.Digest.Size() {
			v.Largest = File{Name: s.Name + "/" + f.Name, Digest: f.Digest}
		}
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// finding is one thing that the runs show.
type finding struct {
	Mark mark
	Text string
}

// mark says what a finding means.
type mark string

const (
	good mark = "yes"
	bad  mark = "no"
	open mark = "open" // nothing is wrong, and something is not known yet
)

// findings are the verdict in sentences.
func (r Report) findings() []finding {
	v := r.Verdict
	all := []finding{{good, fmt.Sprintf("all %s are made", count(v.Stages, "stage"))}, {good, fixedPoints(v.FixedPoints)}, v.answers(),
		{good, "isolated: no step could see anything but its inputs"}}
	if v.Made < v.Stages {
		all[0] = finding{open, fmt.Sprintf("%d of %s made", v.Made, count(v.Stages, "stage"))}
	}
	if v.FixedPoints == 0 {
		all[1].Mark = open
	}
	if v.Exposed > 0 {
		all[3] = finding{bad, count(v.Exposed, "stage") + " ran without isolation: the steps could see the host"}
	}
	if v.Outdated > 0 {
		all = append(all, finding{open, count(v.Outdated, "stage") + " ran with other texts, steps or programs than the chain has now"})
	}
	if v.Differ > 0 {
		all = append(all, finding{bad, count(v.Differ, "stage") + " gave other bytes when run again"})
	}
	if r.Comparison != nil {
		all = append(all, r.Comparison.findings()...)
	}
	return all
}

func fixedPoints(n int) string {
	switch n {
	case 0:
		return "no fixed points yet"
	case 1:
		return "1 fixed point holds"
	}
	return grouped(int64(n)) + " fixed points hold"
}

// answers compares artefacts with the digests that are expected of them.
func (v Verdict) answers() finding {
	switch {
	case v.Unequal > 0:
		return finding{bad, fmt.Sprintf("%s not equal to the answer", verbed(v.Unequal, "artefact"))}
	case v.Answered == v.Artefacts:
		return finding{good, fmt.Sprintf("every artefact is equal to its answer (%d of %d)", v.Answered, v.Artefacts)}
	}
	return finding{open, fmt.Sprintf("%d of %d artefacts are equal to their answer, %d have none", v.Answered, v.Artefacts,
		v.Artefacts-v.Answered)}
}
