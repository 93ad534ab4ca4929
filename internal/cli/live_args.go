// SPDX-License-Identifier: MIT

package cli

import (
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// rootfsFlag is a flag of rootfs.py.
type rootfsFlag struct {
	long, short string // without dashes
	value       bool   // it takes one; mirrors takes several
	newer       bool   // only forks of live-bootstrap have it
}

func rootfsFlags() []rootfsFlag {
	return []rootfsFlag{
		{long: "arch", short: "a", value: true}, {long: "chroot", short: "c"}, {long: "bwrap", short: "bw"},
		{long: "target", short: "t", value: true}, {long: "tmpfs"}, {long: "tmpfs-size", value: true},
		{long: "cores", value: true},
		{long: "force-timestamps"}, {long: "update-checksums"}, {long: "external-sources"}, {long: "build-kernels"},
		{long: "no-create-config"}, {long: "interactive", short: "i"}, {long: "configurator"},
		{long: "mirrors", short: "m", value: true}, {long: "repo", short: "r", value: true},
		{long: "early-preseed", value: true},
		{long: "internal-ci", value: true}, {long: "swap", short: "s", value: true}, {long: "qemu", short: "q"},
		{long: "qemu-cmd", short: "qc", value: true}, {long: "qemu-ram", short: "qr", value: true},
		{long: "target-size", short: "qs", value: true}, {long: "kernel", short: "qk", value: true},
		{long: "bare-metal", short: "b"},
		{long: "help", short: "h"},
		{long: "stage0-image", value: true, newer: true}, {long: "build-guix-also", newer: true},
		{long: "extra-builds", value: true, newer: true}, {long: "internal-ci-break-after", value: true, newer: true},
	}
}

// liveArgs gives a command line in which the flags of rootfs.py stand as cobra knows them, by the rules of Python's
// argparse: flags of two letters behind one dash, long flags cut short where that is unique, -m with several values, and
// VALUE that begins with a dash only behind a =. Other command lines stay as they are, and so do flags of rung's own.
func liveArgs(args []string) ([]string, error) {
	at := slices.Index(args, "live")
	if at < 0 || at+1 >= len(args) || !slices.Contains([]string{"check", "plan", "media", "run", "fetch", "mirror"},
		args[at+1]) {
		return args, nil
	}
	for _, before := range args[:at] {
		if !strings.HasPrefix(before, "-") {
			return args, nil // another verb
		}
	}
	out := slices.Clone(args[:at+2])
	for rest := args[at+2:]; len(rest) > 0; {
		if rest[0] == "--" {
			return append(out, rest...), nil
		}
		words, taken, err := rootfsArg(rest)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, words...), rest[taken:]
	}
	return out, nil
}

// rootfsArg rewrites what stands in front, and tells how many arguments that took.
func rootfsArg(args []string) (words []string, taken int, err error) {
	name, value, given := strings.Cut(args[0], "=")
	f, ok, err := findRootfsFlag(name)
	if err != nil || !ok {
		return args[:1], 1, err
	}
	long := "--" + f.long
	switch {
	case !f.value && given:
		return nil, 0, fault.New(fault.Usage, "%s: takes no value, and has %q", long, value).
			WithHint("leave out =%s", value)
	case !f.value:
		return []string{long}, 1, nil
	case given:
		return []string{long + "=" + value}, 1, nil
	case len(args) > 1 && !isFlag(args[1]):
		words, taken = []string{long + "=" + args[1]}, 2
	case f.long == "kernel":
		return []string{long + "=" + noArgument}, 1, nil
	default:
		return nil, 0, fault.New(fault.Usage, "%s: no value behind it", long).
			WithHint("a value that begins with a dash stands behind a =")
	}
	for ; f.long == "mirrors" && taken < len(args) && strings.Contains(args[taken], "://"); taken++ {
		words = append(words, long+"="+args[taken])
	}
	return words, taken, nil
}

// isFlag tells what argparse takes for a flag: a dash alone is a value, and so is what has a space in it.
func isFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && arg != "-" && !strings.Contains(arg, " ")
}

// findRootfsFlag finds the flag that an argument up to its = names; false where it is none of rootfs.py.
func findRootfsFlag(arg string) (rootfsFlag, bool, error) {
	none := rootfsFlag{}
	if short, ok := strings.CutPrefix(arg, "-"); ok && !strings.HasPrefix(short, "-") {
		for _, f := range rootfsFlags() {
			if f.short == short && short != "" {
				return f, true, nil
			}
		}
		for _, f := range rootfsFlags() {
			if len(f.short) == 2 && strings.HasPrefix(short, f.short) {
				return none, false, fault.New(fault.Usage, "%s: the value of -%s stands behind a space or a =", arg,
					f.short).
					WithHint("write -%s=%s", f.short, short[2:])
			}
		}
		return none, false, nil
	}
	long, ok := strings.CutPrefix(arg, "--")
	if !ok {
		return none, false, nil
	}
	var old, all []rootfsFlag
	for _, f := range rootfsFlags() {
		switch {
		case f.long == long:
			return f, true, nil
		case !strings.HasPrefix(f.long, long):
			continue
		case !f.newer:
			old = append(old, f)
		}
		all = append(all, f)
	}
	switch { // what rootfs.py takes counts first
	case len(old) == 1:
		return old[0], true, nil
	case len(all) == 1:
		return all[0], true, nil
	case len(all) == 0:
		return none, false, nil
	}
	var names []string
	for _, f := range all {
		names = append(names, "--"+f.long)
	}
	return none, false, fault.New(fault.Usage, "--%s: could be %s", long, strings.Join(names, " or ")).
		WithHint("write it out")
}
