// SPDX-License-Identifier: MIT

package rung_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// room says what a package may use of the project. Patterns are those of path.Match, below the root; "X/..." is X and
// all below it, and "-X" takes away from what the patterns before it gave.
type room struct {
	pattern string
	may     string
	why     string
}

// rooms has a row for every package, the first that matches counts. A package that no row matches has no place in the
// house yet: give it one here, with the reason.
func rooms() []room {
	return []room{
		{"cmd/*", "internal/cli internal/machine/agent internal/machine/qemu",
			"main is a call of cli; agents, and process 1 of a guest, are our own binary, started once more"},
		{".ci/*", "", "a check of the code uses none of it"},
		{"internal/cli", "internal/... seed", "the edge wires concrete machines and stores together"},

		{"internal/live", "internal/... -internal/cli -internal/report seed", "a product stands on the engine"},
		{"internal/live/manifest", "internal/fault", "a language is text in, values out"},
		{"internal/live/distfile", "internal/live/manifest internal/source internal/source/* internal/store internal/format/* internal/tree internal/digest internal/filelock internal/fault",
			"lists of sources, and what a fetch makes of them"},
		{"internal/live/guest", "internal/live/manifest internal/machine/console internal/fault", "what a running guest prints, and what that means"},
		{"internal/live/importer", "internal/format/payload", "a program of a guest and the lines that call it, as data"},
		{"internal/live/audit", "internal/store internal/format/* internal/tree internal/digest internal/fault", "looks into archives, runs nothing"},
		{"internal/image", "internal/... -internal/cli -internal/report seed", "a product stands on the engine"},
		{"internal/flist", "internal/digest internal/fault internal/tree internal/store internal/format/*",
			"a flist is a tree whose content lives elsewhere: it needs no engine"},
		{"internal/report", "internal/chain internal/ledger internal/tree internal/digest internal/fault",
			"a report prints values, and runs nothing"},
		{"internal/report/page", "internal/report internal/chain internal/ledger internal/digest internal/fault",
			"a page prints values as well"},

		{"internal/chain", "internal/machine internal/ledger internal/store internal/source internal/tree internal/digest internal/fault",
			"the engine sees the interface of a machine and knows no driver, format or program"},
		{"internal/source", "internal/source/* internal/store internal/filelock internal/format/* internal/tree internal/digest " +
			"internal/fault", "a source is bytes by digest, fetched from places and unpacked; it knows no machine and no chain"},
		{"internal/source/*", "internal/digest internal/fault", "a kind of place that sources come from knows no other"},
		{"internal/audit", "internal/seedlang internal/chain internal/tree internal/digest internal/fault",
			"an audit walks the steps of a plan by itself: it shares definitions and texts with a run, and no machine or store"},
		{"internal/seedlang", "internal/fault", "the reference assembler is the second way, independent of the engine"},
		{"internal/seedlang/*", "internal/seedlang", "a program for people who write seed texts"},
		{"internal/scheme1test", "", "the suite of a program of the seed; its tests assemble and run it"},
		{"internal/cctest", "", "the suite of a program of the seed; its tests compile C and run it"},
		{"internal/sysroottest", "", "the suite of what the chain ends in; its tests run it"},

		{"internal/machine", "internal/format/reapi internal/store internal/tree internal/digest internal/fault",
			"a job is data that maps onto a REAPI Action; no driver is known here"},
		{"internal/machine/machinetest", "internal/machine internal/store internal/tree internal/digest internal/fault internal/need",
			"the contract suite sees a machine as chain does"},
		{"internal/machine/machinetest/*", "", "a program that a step runs stands alone"},
		{"internal/machine/walk", "internal/machine internal/store internal/tree internal/digest internal/fault",
			"what drivers share knows none of them"},
		{"internal/machine/agent", "internal/machine internal/machine/walk internal/machine/shell internal/store internal/tree " +
			"internal/digest internal/fault", "what walks a job knows no driver that carries it there"},
		{"internal/machine/console", "internal/digest internal/fault", "a console is bytes and what they say"},
		{"internal/machine/shell", "internal/digest", "a shell is given a directory, streams and a way to start programs"},
		{"internal/machine/*", "internal/machine internal/machine/walk internal/machine/agent internal/machine/console " +
			"internal/machine/shell internal/store internal/format/* internal/tree " +
			"internal/digest internal/fault", "a driver knows its own tool: no driver, no chain, no ledger, no cli"},

		{"internal/ledger", "internal/filelock internal/digest internal/fault", "the ledger holds digests, and needs no store"},
		{"internal/store", "internal/filelock internal/tree internal/digest internal/fault", "a store holds bytes, whatever they mean"},
		{"internal/store/*", "internal/store internal/filelock internal/tree internal/digest internal/fault internal/need",
			"a kind of store, or the contract suite of all"},
		{"internal/format/*", "internal/tree internal/digest",
			"a format is bytes <-> tree: it imports no other format, and shares only what stands below all of them"},
		{"internal/tree", "internal/digest", "a tree is a value"},
		{"internal/digest", "", "the bottom of the house"},
		{"internal/fault", "", "the bottom of the house"},
		{"internal/filelock", "internal/fault", "the bottom of the house"},
		{"internal/need", "", "the bottom of the house, for tests"},
		{"seed", "", "the seed is data"},
	}
}

// closed lists packages that only some rooms import, be they ours or not.
func closed() []room {
	const edge = "internal/cli cmd/* .ci/*"
	return []room{
		{"crypto/...", "internal/digest", "one place says what names bytes"},
		{"golang.org/x/crypto/...", "internal/digest", "one place says what names bytes"},
		{"math/rand/...", "", "no output may depend on chance"},
		{"net/... -net/url -net/netip", "internal/source internal/machine/remote internal/machine/machinetest/probe internal/machine/machinetest",
			"few rooms speak to a network; the probe finds out whether a step can"},
		{"os/exec", edge + " internal/machine/... internal/need", "running programs is what machines are for"},
		{"os", edge + " internal/seedlang/* internal/machine/... internal/store/... internal/ledger internal/filelock internal/source " +
			"internal/flist internal/live internal/live/distfile internal/image internal/need",
			"formats and values take readers and writers, the engine takes interfaces"},
		{"testing/...", "internal/need internal/format/formattest internal/store/storetest internal/machine/machinetest", "no program carries the test framework"},
		{modulePath + "/internal/need", "internal/store/storetest internal/machine/machinetest", "no program carries the test framework"},
		{modulePath + "/internal/format/formattest", "", "only tests need content that is held in memory"},
		{modulePath + "/internal/store/storetest", "", "only tests run a contract suite"},
		{modulePath + "/internal/machine/machinetest", "", "only tests run a contract suite"},
		{"unsafe", "internal/machine/agent", "raw system calls between clone and exec have no other form"},
		{"C", "", "rung is built without a C compiler: it is there to make one"},
		{"github.com/spf13/...", "internal/cli", "flags and help are the edge's"},
		{"go.starlark.net/...", "internal/chain", "one place evaluates definitions"},
	}
}

func layerRules() []rule {
	return []rule{
		{"rooms", "a package imports only what stands below it", checkRooms},
		{"closed packages", "some packages have one place where they are used", checkClosed},
		{"names of rooms", "a reader should find a thing by its name in one guess", checkNames},
	}
}

func checkRooms(h *house) []string {
	var broken []string
	for _, f := range h.production() {
		if f.dir == "." {
			broken = append(broken, fmt.Sprintf("%s: the root holds no Go but tests", f.name))
			continue
		}
		i := slices.IndexFunc(rooms(), func(r room) bool { return matches(r.pattern, f.dir) })
		if i < 0 {
			broken = append(broken, fmt.Sprintf("%s: no row of rooms() matches %s", f.name, f.dir))
			continue
		}
		r := rooms()[i]
		for _, p := range f.ours() {
			if !matches(r.may, p) {
				broken = append(broken, fmt.Sprintf("%s: may not import %s (%s); the way there:\n\t%s",
					f.name, p, r.why, strings.Join(h.wayTo(f.dir, p), "\n\t")))
			}
		}
	}
	return broken
}

// ours gives the packages of the project that a file imports, below the root, sorted.
func (f *goFile) ours() []string {
	var all []string
	for p := range f.imports {
		if below, ok := strings.CutPrefix(p, modulePath+"/"); ok {
			all = append(all, below)
		}
	}
	slices.Sort(all)
	return all
}

// wayTo is a way by which a program comes to a package through a room that imports it, from the program on.
func (h *house) wayTo(from, to string) []string {
	way := []string{from, to}
	for range h.dirs { // the house has no longer way
		var users []string
		for _, f := range h.production() {
			if slices.Contains(f.ours(), way[0]) && !slices.Contains(way, f.dir) {
				users = append(users, f.dir)
			}
		}
		if len(users) == 0 {
			break
		}
		slices.Sort(users)
		way = slices.Insert(way, 0, users[0])
	}
	return way
}

func checkClosed(h *house) []string {
	var broken []string
	for _, f := range h.production() {
		for p := range f.imports {
			for _, c := range closed() {
				if matches(c.pattern, p) && !matches(c.may, f.dir) {
					broken = append(broken, fmt.Sprintf("%s: may not import %s: %s", f.name, p, c.why))
				}
			}
		}
	}
	slices.Sort(broken)
	return broken
}

func checkNames(h *house) []string {
	var broken []string
	for _, f := range h.goFiles {
		switch path.Base(f.dir) {
		case "util", "utils", "common", "helper", "helpers", "misc", "shared", "lib":
			broken = append(broken, fmt.Sprintf("%s: %s says nothing of what the package is for", f.name, path.Base(f.dir)))
		}
	}
	return broken
}

// matches says whether a list of patterns, as in room, gives a name.
func matches(patterns, name string) bool {
	given := false
	for pattern := range strings.FieldsSeq(patterns) {
		pattern, less := strings.CutPrefix(pattern, "-")
		match, err := path.Match(pattern, name)
		if top, ok := strings.CutSuffix(pattern, "/..."); ok {
			match = name == top || strings.HasPrefix(name, top+"/")
		}
		if match && err == nil {
			given = !less
		}
	}
	return given
}
