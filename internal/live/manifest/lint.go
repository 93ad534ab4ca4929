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
			ps.add(d.Pos, Warning, "the %s of %s in line %d counts as a pass of this build: the guest counts equal arguments, whatever the directive\n"+
				"check that the pass with the higher number is there", first.Kind, d.Arg, first.Pos.Line)
		}
	}
	m.lintCut(ps)
}

// lintCut tells where a first generation host ends the early distfiles at another improvement than get_network.
func (m *Manifest) lintCut(ps *Problems) {
	cut, ok := m.Cut(Network, H)
	if !ok {
		return
	}
	for _, d := range m.Directives {
		if d.Pos.Line == cut.Line && d.Arg != "get_network" {
			ps.add(cut, Warning, "rootfs.py ends the early distfiles here, at the first improve line that has \"network\" anywhere, and this is %s\n"+
				"keep the word out of lines before get_network", d.Arg)
		}
	}
}
