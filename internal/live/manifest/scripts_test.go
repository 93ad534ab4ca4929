// SPDX-License-Identifier: MIT

package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tiny is a manifest with a step of each kind in each shell.
const tiny = `build: tool-1
define: LATE = ( CI == yes )
improve: tidy
jump: kernel ( KB == True )
build: tool-1
build: bash-1
improve: tool-1
build: tool-1 ( LATE == True || KB == True )
build: bash-2
uninstall: tool-1 /bin/x
jump: break ( LATE == True )
build: bash-1
`

const tinyEnv = "TMPDIR=/tmp\nPATH=/${ARCH}/bin\n"

func scripts(t *testing.T, manifest, config string, g Generator) (*Scripts, map[string]string) {
	t.Helper()
	m, problems := Parse("m", manifest)
	c, more := ParseConfig("c", config)
	if problems.Errors() != nil || more != nil {
		t.Fatalf("problems: %v %v", problems, more)
	}
	e, err := m.Evaluate(c)
	if err != nil {
		t.Fatal(err)
	}
	s := e.Scripts(g)
	files := map[string]string{}
	for _, f := range s.Files {
		files[f.Path] = f.Text
	}
	if len(files) != len(s.Files) || !slices.IsSortedFunc(s.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) }) {
		t.Errorf("files are not sorted, or twice: %v", s.Files)
	}
	return s, files
}

// R20, R23, R72 to R76: every byte, in kaem, in both levels of bash, with both kinds of jump, asking somebody.
func TestScriptsToTheByte(t *testing.T) {
	s, got := scripts(t, tiny, "ARCH=x86\nINTERACTIVE=True\nKB=True\nCI=yes\n", Generator{Env: tinyEnv})
	const kaemHead = "set -ex\ncd /steps\nARCH=x86\nINTERACTIVE=True\nKB=True\nCI=yes\nLATE=True\nTMPDIR=/tmp\nPATH=/${ARCH}/bin\n"
	const read = "cd /steps\n. ./bootstrap.cfg\n. ./env\n. ./helpers.sh\n"
	const bash1 = "#!/bin/bash\nset -e\n" +
		"trap 'bash -c '\"'\"'while true; do printf \"[TRAP - use Ctrl+D] $(pwd) # \"; eval \"$(cat)\"; done'\"'\"'' EXIT\n" + read
	const bash2 = "#!/bin/bash\nset -eEo pipefail\ntrap 'env PS1=\"[TRAP] \\w # \" bash -i' ERR\n" + read
	want := map[string]string{
		"/steps/0.sh": kaemHead + "pkg=tool-1\ncd ${pkg}\nkaem --file pass1.kaem\ncd ..\nkaem --file /steps/improve/tidy.sh\n" +
			"cp /kaem.run.1 /kaem.run\ncp /usr/bin/kaem /init\nchmod 755 /init\nkaem --file /steps/jump/kernel.sh\n",
		"/kaem.run.1": "set -ex\nkaem --file /steps/1.sh\n",
		"/steps/1.sh": kaemHead + "pkg=tool-1\ncd ${pkg}\nkaem --file pass2.kaem\ncd ..\n" +
			"pkg=bash-1\ncd ${pkg}\nkaem --file pass1.kaem\ncd ..\nbash /steps/2.sh\n",
		"/preseed-jump.kaem": "set -ex\nPATH=/usr/bin\nbash /steps/2.sh\n",
		"/steps/2.sh":        bash1 + ". /steps/improve/tool-1.sh\nbuild tool-1 pass4.sh\nbuild bash-2 pass1.sh\nbash /steps/3.sh\n",
		"/steps/3.sh": bash2 + "uninstall tool-1 /bin/x\nmv /init /init.bak\ncp /init.4 /init\nchmod 755 /init\n" +
			". /steps/jump/break.sh\n",
		"/init.4":              "#!/bin/bash\nbash /steps/4.sh\n",
		"/steps/4.sh":          bash2 + "build bash-1 pass2.sh\nbash /steps/5.sh\n",
		"/steps/5.sh":          bash2,
		"/steps/bootstrap.cfg": "ARCH=x86\nINTERACTIVE=True\nKB=True\nCI=yes\nLATE=True\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Scripts (-want +got):\n%s", diff)
	}
	if s.Preseed != 2 || s.Problems != nil {
		t.Errorf("Preseed = %d, problems %v; want 2, none", s.Preseed, s.Problems)
	}
}

// R60: which step stands where, for showing how far a run is.
func TestScriptsSteps(t *testing.T) {
	s, _ := scripts(t, tiny, "A=\nKB=\nCI=yes\nINTERACTIVE=False\n", Generator{Env: tinyEnv})
	var got []string
	for i, p := range s.Steps {
		if p.Index != i {
			t.Errorf("step %d has the index %d", i, p.Index)
		}
		line := strconv.Itoa(p.Script) + " " + p.Kind.String() + " " + p.Arg + " " + strconv.Itoa(p.Pass) + " " + strconv.Itoa(p.Pos.Line)
		if p.Bash {
			line += " bash"
		}
		if p.Next > 0 {
			line += " next " + strconv.Itoa(p.Next)
		}
		if p.Break() {
			line += " break"
		}
		got = append(got, line)
	}
	want := []string{"0 build tool-1 1 1", "0 improve tidy 0 3", "0 build tool-1 2 5", "0 build bash-1 1 6 next 1",
		"1 improve tool-1 0 7 bash", "1 build tool-1 4 8 bash", "1 build bash-2 1 9 bash next 2", "2 uninstall tool-1 /bin/x 0 10 bash",
		"2 jump break 0 11 bash next 3 break", "3 build bash-1 2 12 bash next 4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Steps (-want +got):\n%s", diff)
	}
}

// shape is a manifest with the jumps and the bash of a first generation checkout, and packages of our own.
const shape = `build: early-1
define: BUILD_FIWIX = ( KERNEL_BOOTSTRAP == True || BUILD_KERNELS == True )
build: boot-1 ( BUILD_FIWIX == True )
jump: fiwix ( KERNEL_BOOTSTRAP == True )
define: JOBS = 1 ( KERNEL_BOOTSTRAP == True )
build: bash-1
define: CONSOLES = ( INTERACTIVE == True && CHROOT == False )
improve: consoles ( CONSOLES == True )
define: BUILD_LINUX = ( CHROOT == False || BUILD_KERNELS == True )
build: linux-1 ( BUILD_LINUX == True )
jump: break ( INTERNAL_CI == pass1 )
jump: linux ( CHROOT == False )
jump: move_disk ( KERNEL_BOOTSTRAP == True )
improve: get_network ( CHROOT == False )
build: bash-2
jump: break ( INTERNAL_CI == pass1 ) # in pass1
improve: after
`

// R72 to R76: the sets of files that each way to run gets, and what becomes of its configuration.
func TestScriptsOfEachMode(t *testing.T) {
	for _, c := range []struct {
		mode, more string
		want       string // without bootstrap.cfg
		defined    string
	}{
		{"kernel bootstrap", "", "init.3 init.4 kaem.run.1 preseed-jump.kaem 0 1 2 3 4 5", "True False True"},
		{"bare metal", "INTERACTIVE=True\n", "init.3 init.4 kaem.run.1 preseed-jump.kaem 0 1 2 3 4 5", "True True True"},
		{"qemu with kernel", "", "init.2 preseed-jump.kaem 0 1 2 3", "False False True"},
		{"chroot", "", "preseed-jump.kaem 0 1 2", "False False False"},
		{"chroot", "INTERNAL_CI=pass1\nBUILD_KERNELS=True\n", "init.2 init.4 preseed-jump.kaem 0 1 2 3 4", "True False True"},
		{"kernel bootstrap", "INTERNAL_CI=pass1\nBUILD_KERNELS=True\n",
			"init.3 init.4 init.5 init.7 kaem.run.1 preseed-jump.kaem 0 1 2 3 4 5 6 7", "True False True"},
	} {
		before := configText(modes()[c.mode], c.more)
		s, files := scripts(t, shape, before, Generator{Env: tinyEnv})
		after := files["/steps/bootstrap.cfg"]
		delete(files, "/steps/bootstrap.cfg")
		var got []string
		for _, name := range slices.Sorted(maps.Keys(files)) {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "/steps"), "/"), ".sh"))
		}
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" {
			t.Errorf("%s %q: files (-want +got):\n%s", c.mode, c.more, diff)
		}
		if want := "bash /steps/" + strconv.Itoa(s.Preseed) + ".sh\n"; !strings.HasSuffix(files["/preseed-jump.kaem"], want) {
			t.Errorf("%s: preseed-jump.kaem ends not with %s", c.mode, want)
		}
		d := strings.Fields(c.defined)
		want := before + "BUILD_FIWIX=" + d[0] + "\nCONSOLES=" + d[1] + "\nBUILD_LINUX=" + d[2] + "\n"
		if strings.Contains(before, "KERNEL_BOOTSTRAP=True") {
			want = strings.Replace(want, "\nJOBS=2\n", "\nJOBS=1\n", 1)
			if s.Preseed != 2 {
				t.Errorf("%s: Preseed = %d; want 2", c.mode, s.Preseed)
			}
		}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("%s: bootstrap.cfg (-want +got):\n%s", c.mode, diff)
		}
	}
}

// R22, R23: /steps starts in kaem, any other root in bash; and /steps needs no configuration root to be named.
func TestScriptsOfAnotherRoot(t *testing.T) {
	const text = "build: a-1\njump: linux64\nimprove: x\n"
	_, got := scripts(t, text, "A=1\n", Generator{Generation: F1, Root: "/steps-guix", ConfigRoot: "/steps", Env: tinyEnv})
	const head = "#!/bin/bash\nset -e\ncd /steps-guix\n. /steps/bootstrap.cfg\n. /steps/env\n. /steps/helpers.sh\n"
	want := map[string]string{
		"/steps-guix/0.sh": head + "build a-1 pass1.sh\nmv /init /init.bak\ncp /init.1 /init\nchmod 755 /init\n" +
			". /steps-guix/jump/linux64.sh\n",
		"/init.1":              "#!/bin/bash\nbash /steps-guix/1.sh\n",
		"/steps-guix/1.sh":     head + ". /steps-guix/improve/x.sh\n",
		"/steps/bootstrap.cfg": "A=1\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Scripts of /steps-guix (-want +got):\n%s", diff)
	}
	_, got = scripts(t, text, "A=1\n", Generator{Generation: F2, Root: "/steps-x"})
	if diff := cmp.Diff([]string{"/init.1", "/steps-x/0.sh", "/steps-x/1.sh", "/steps-x/bootstrap.cfg"}, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("Scripts of /steps-x (-want +got):\n%s", diff)
	}
	_, h := scripts(t, tiny, "A=1\nKB=\nCI=\n", Generator{Env: tinyEnv})
	_, f := scripts(t, tiny, "A=1\nKB=\nCI=\n", Generator{Generation: F2, Env: tinyEnv})
	if !strings.HasPrefix(f["/steps/0.sh"], "set -ex\ncd /steps\nA=1\n") || f["/steps/0.sh"] != h["/steps/0.sh"] {
		t.Errorf("0.sh of F2 begins\n%s; want kaem, as in H", f["/steps/0.sh"])
	}
	if want := strings.ReplaceAll(h["/steps/1.sh"], ". ./", ". /steps/"); f["/steps/1.sh"] != want {
		t.Errorf("1.sh of F2 =\n%s; want\n%s", f["/steps/1.sh"], want)
	}
	_, one := scripts(t, tiny, "A=1\nKB=\nCI=\n", Generator{Root: "/steps-x", ConfigRoot: "/steps-x", Env: tinyEnv})
	if diff := cmp.Diff(h, one); diff != "" {
		t.Errorf("H knows no other root; the difference:\n%s", diff)
	}
}

func TestScriptsTellProblems(t *testing.T) {
	for name, c := range map[string]struct{ manifest, env, want string }{
		"uninstall in kaem":   {"uninstall: a\nbuild: bash-1\nuninstall: b\n", "", "m:1:1: error: uninstall before the first bash"},
		"env without an end":  {"", "A=1\nB=2", "steps/env:2:1: error: the last line has no line feed"},
		"env with a NUL":      {"", "A=1\nB=\x00\n", "steps/env:2:1: error: the line has a NUL"},
		"env with long lines": {"", strings.Repeat("x", 2047) + "\n", "steps/env:1:1: error: the line has 2048 bytes"},
	} {
		s, _ := scripts(t, c.manifest, "A=1\n", Generator{Env: c.env})
		if len(s.Problems) != 1 || !strings.HasPrefix(s.Problems[0].String(), c.want) || s.Problems[0].Hint == "" {
			t.Errorf("%s: problems = %v; want one %s, with a hint", name, s.Problems, c.want)
		}
	}
}

// What only shows under a configuration: the first variable, the empty file, names without a value.
func TestEvaluateTellsProblems(t *testing.T) {
	const text = "define: A = 2\nbuild: x ( A == 1 )\nbuild: y ( A == 2 )\ndefine: B = ( C == 1 )\nbuild: z ( C != 1 )\n"
	for config, want := range map[string][]string{
		"A=1\nB=\nC=\n": {"m:1:1: warning: A is the first variable", "x z", "A=1\nB=False\nC=\nA=2\n"},
		"C=1\nA=1\n":    {"", "y", "C=1\nA=2\nB=True\n"},
		"B=1\nA=1\n":    {"m:4:15: warning: C is not set", "y z", "B=1\nA=2\nB=False\n"},
		"":              {"m:1:1: warning: bootstrap.cfg is empty", "y z", "A=2\nA=2\nB=False\n"},
	} {
		m, _ := Parse("m", text)
		c, _ := ParseConfig("c", config)
		e, err := m.Evaluate(c)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, s := range e.Survivors {
			left = append(left, s.Arg)
		}
		if strings.Join(left, " ") != want[1] || e.Config.Format() != want[2] || c.Format() != config {
			t.Errorf("%q: survivors %v, variables %q; want %s, %q", config, left, e.Config.Format(), want[1], want[2])
		}
		first := ""
		if len(e.Problems) > 0 {
			first = e.Problems[0].String()
		}
		if !strings.HasPrefix(first, want[0]) || (want[0] == "") != (first == "") {
			t.Errorf("%q: first problem %q; want %q", config, first, want[0])
		}
	}
}
