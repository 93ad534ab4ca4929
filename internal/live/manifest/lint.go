// SPDX-License-Identifier: MIT

package manifest

// lint adds what shows only over several lines.
func (m *Manifest) lint(ps *Problems) {
	others := map[string]Directive{}
	for _, d := range m.Directives {
		switch first, seen := others[d.Arg]; {
		case d.Kind == Define:
		case d.Kind != Build && !seen:
			others[d.Arg] = d
		case d.Kind == Build && seen:
			ps.add(d.Pos, Warning, "the %s of %s in line %d counts as a pass of this build: "+
				"the guest counts equal arguments, whatever the directive\n"+
				"check that the pass with the higher number is there", first.Kind, d.Arg, first.Pos.Line)
		}
	}
}

// HostProblems tells where the host of a generation ends the early distfiles at another improvement than get_network:
// only that of H goes by a part of the line. Where no line cuts at all, ScanBefore tells.
func (m *Manifest) HostProblems(g Generation) Problems {
	var ps Problems
	cut, ok := m.Cut(Network, g)
	if !ok {
		return nil
	}
	for _, d := range m.Directives {
		if d.Pos.Line == cut.Line && d.Arg != "get_network" {
			ps.add(cut, Warning, "rootfs.py ends the early distfiles here, "+
				"at the first improve line that has \"network\" anywhere, and this is %s\n"+
				"keep the word out of lines before get_network", d.Arg)
		}
	}
	return ps
}
