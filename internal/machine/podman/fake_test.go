// SPDX-License-Identifier: MIT

package podman

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/agent"
)

// fakeVariable makes this program a podman that does as it says:
//
//	refuse TEXT      to run a container is refused with TEXT
//	want FLAG|TEXT   the same, where FLAG is not among the arguments; and else with "everything is right"
//	hang FILE        to run a container does not end; the names of what is removed go into FILE
//	daemon TEXT      everything is refused with TEXT
const fakeVariable = "RUNG_TEST_PODMAN"

func fake(how string, args []string) int {
	how, what, _ := strings.Cut(how, " ")
	run := slices.Contains(args, "run")
	switch {
	case how == "hang" && run:
		time.Sleep(time.Hour)
	case how == "hang" && slices.Contains(args, "rm"):
		if err := os.WriteFile(what, []byte(strings.Join(args, " ")), 0o666); err != nil {
			return 1
		}
	case how == "daemon" || how == "refuse" && run:
		fmt.Fprintln(os.Stderr, what)
		return 125
	case how == "want" && run:
		flag, text, _ := strings.Cut(what, "|")
		if strings.Contains(strings.Join(args, " "), flag) {
			text = "Error: everything is right"
		}
		fmt.Fprintf(os.Stderr, "time=\"now\" level=warning msg=\"a word\"\n%s\n", text)
		return 125
	}
	return 0
}

// newFake is a machine with a podman that is none.
func newFake(t *testing.T, how string, o Options) *Machine {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeVariable, how)
	o.Options.Now, o.Program = time.Now, program
	return New(o)
}

func TestArguments(t *testing.T) {
	common := `run --rm --interactive --name NAME --label rung.owner=OWNER --pull never --network none --ipc none ` +
		`--workdir / --ulimit nofile=1024:1024 --ulimit nproc=99:99 --pids-limit -1 --security-opt seccomp=unconfined ` +
		`--security-opt apparmor=unconfined --security-opt label=disable --no-healthcheck --cap-drop all ` +
		`--cap-add dac_override --cap-add net_admin --cap-add setpcap --cap-add sys_admin --cap-add sys_chroot `
	private := `--pid private --uts private --no-hosts --systemd false --sdnotify ignore `
	events, folders := `--events-backend none `, `--root /d/root --runroot /d/run `
	for _, tt := range []struct {
		name   string
		docker bool
		dir    string
		way    way
		want   string
	}{
		{"podman", false, "/d", way{}, events + folders + common + private +
			`--uidmap 0:0:1 --gidmap 0:0:1 --log-driver passthrough IMAGE /rung rung:agent`},
		{"podman, mended", false, "/d", way{true, true, true, true, true}, events + `--root /d/vfs/root --runroot /d/vfs/run ` +
			`--storage-driver vfs --cgroup-manager cgroupfs --runtime runc ` + common + private +
			`--log-driver none IMAGE /rung rung:agent`},
		{"podman, where its user's images are", false, "", way{}, events + common + private +
			`--uidmap 0:0:1 --gidmap 0:0:1 --log-driver passthrough IMAGE /rung rung:agent`},
		{"docker", true, "/d", way{}, common + `--log-driver none IMAGE /rung rung:agent`},
	} {
		m := New(Options{Options: agent.Options{Now: time.Now}, Docker: tt.docker, Dir: tt.dir})
		m.owner = "OWNER"
		got := append(m.global(tt.way), m.arguments(recipe{tt.way, "IMAGE"}, "NAME", 1024, 99)...)
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" {
			t.Errorf("%s: arguments (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRunFolderIsShort(t *testing.T) {
	long := "/home/" + strings.Repeat("x", 50)
	for _, tt := range []struct {
		dir  string
		uid  int
		want string
	}{
		{"/var/cache/rung/podman", 0, "/var/cache/rung/podman/run"},
		{long, 0, "/run/rung-" + digest.Of([]byte(long)).Hex()[:12]},
		{long, 65534, "/run/user/65534/rung-" + digest.Of([]byte(long)).Hex()[:12]},
	} {
		if got := runFolder(tt.dir, tt.uid); got != tt.want || len(got) > maxRunFolder {
			t.Errorf("runFolder(%s, %d) = %s; want %s", tt.dir, tt.uid, got, tt.want)
		}
	}
}

func TestCheckMendsWhatPodmanRefuses(t *testing.T) {
	for _, tt := range []struct{ flag, text, version string }{
		{"--cgroup-manager cgroupfs", "Error: runc: runc create failed: systemd not running on this host, cannot use systemd " +
			"cgroups manager: OCI runtime error", " with cgroupfs "},
		{"--cgroup-manager cgroupfs", "Error: OCI runtime error: crun: sd-bus call: Connection reset by peer", " with cgroupfs "},
		{"--log-driver none", "Error: the '--log-driver passthrough' option cannot be used", " with relayed streams "},
		{"--storage-driver vfs", "Error: 'overlay' is not supported over overlayfs", " with vfs "},
		{"--name", "", ""},
	} {
		m := newFake(t, "want "+tt.flag+"|"+tt.text, Options{Dir: t.TempDir()})
		err := m.Check(t.Context())
		if fault.KindOf(err) != fault.Unavailable || !strings.HasSuffix(err.Error(), "podman: everything is right") {
			t.Errorf("Check where podman says %q = %v; want that it was mended", tt.text, err)
		}
		if got := m.Info().Version; !strings.Contains(got, tt.version) || tt.version == "" && strings.Contains(got, " with ") {
			t.Errorf("Version = %q; want %q in it", got, tt.version)
		}
	}
}

func TestCheckSaysWhatMends(t *testing.T) {
	for _, tt := range []struct {
		name   string
		how    string
		docker bool
		err    string
		hint   string
	}{
		{"no daemon", "daemon Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
			true, "docker: Cannot connect to the Docker daemon", "systemctl start docker"},
		{"no right", "daemon permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
			true, "docker: permission denied", "group docker"},
		{"no runtime", `refuse Error: default OCI runtime "crun" not found: invalid argument`, false, "podman: default OCI runtime",
			"install a runtime"},
		{"no user namespaces", "refuse Error: cannot clone: Operation not permitted", false, "podman: cannot clone",
			"user.max_user_namespaces"},
		{"something else", "refuse Error: the moon is full", false, "podman: the moon is full", `"podman info"`},
	} {
		m := newFake(t, tt.how, Options{Docker: tt.docker})
		err := m.Check(t.Context())
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: Check = %v; want a fault of kind unavailable with %q", tt.name, err, tt.err)
		}
		if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) {
			t.Errorf("%s: hint = %q; want %q in it", tt.name, hint, tt.hint)
		}
	}
}

func TestCheckWithoutTheProgram(t *testing.T) {
	for _, docker := range []bool{false, true} {
		m := New(Options{Options: agent.Options{Now: time.Now}, Docker: docker, Program: "no-such-program"})
		err := m.Check(t.Context())
		if fault.KindOf(err) != fault.Unavailable || !strings.HasPrefix(fault.HintOf(err), "install ") {
			t.Errorf("Check without %s = %v, hint %q; want a fault of kind unavailable and what to install", m.name, err,
				fault.HintOf(err))
		}
	}
}

func TestProgramThatHangs(t *testing.T) {
	removed := filepath.Join(t.TempDir(), "removed")
	m := newFake(t, "hang "+removed, Options{Options: agent.Options{Boot: time.Second}})
	m.grace = 200 * time.Millisecond
	err := m.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not ready after 1s") {
		t.Errorf("Check = %v; want that it was not ready", err)
	}
	got, err := os.ReadFile(removed)
	want := "--events-backend none rm --force --time 0 rung-" + string(m.owner) + "-1"
	if string(got) != want {
		t.Errorf("removed %q, %v; want %q", got, err, want)
	}
}

func TestInterrupted(t *testing.T) {
	m := newFake(t, "hang "+filepath.Join(t.TempDir(), "removed"), Options{})
	m.grace = 100 * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errors.New("enough"))
	defer cancel()
	if err := m.Check(ctx); fault.KindOf(err) != fault.Interrupted {
		t.Errorf("Check = %v; want a fault of kind interrupted", err)
	}
}
