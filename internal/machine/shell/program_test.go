// SPDX-License-Identifier: MIT

package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// started is one call of Start.
type started struct {
	Argv, Env []string
	Dir, In   string
}

// recorder is a Start that keeps what it was called with, and answers with a status.
func recorder(calls *[]started, status string) Start {
	return func(_ context.Context, argv, env []string, dir string, stdin io.Reader, out io.Writer) (string, error) {
		s := started{Argv: argv, Env: env, Dir: dir, In: "none"}
		if stdin != nil {
			all, err := io.ReadAll(stdin)
			if err != nil {
				return "", err
			}
			s.In = string(all)
		}
		*calls = append(*calls, s)
		_, err := fmt.Fprintf(out, "%s ran\n", argv[0])
		return status, err
	}
}

// programs is a tree with programs in it.
func programs(t *testing.T) string {
	t.Helper()
	root := layOut(t, map[string]string{"hex0": "", "sub/hex1": "", "sub/hex0": "", "plain": "text\n", "link": "-> sub", "cat": ""})
	for _, name := range []string{"hex0", "sub/hex1", "sub/hex0", "cat"} {
		must(t, os.Chmod(filepath.Join(root, name), 0o755))
	}
	return root
}

func TestRunStartsPrograms(t *testing.T) {
	env := []string{"A=1"}
	for _, tt := range []struct {
		script, status string
		want           []started
		answer         string
	}{
		{"hex0 a 'b c'", success, []started{{[]string{"hex0", "a", "b c"}, env, ".", "none"}}, "hex0 ran\n"},
		{"./hex0", "exit status 1", []started{{[]string{"hex0"}, env, ".", "none"}}, "hex0 ran\nexit status 1\n"},
		{"/link/../hex0 < plain", "SIGSEGV", []started{{[]string{"hex0"}, env, ".", "text\n"}}, "hex0 ran\nSIGSEGV\n"},
		{"link/hex1", success, []started{{[]string{"sub/hex1"}, env, ".", "none"}}, "sub/hex1 ran\n"},
		{"cd sub\nhex1\nhex0", success,
			[]started{{[]string{"sub/hex1"}, env, "sub", "none"}, {[]string{"sub/hex0"}, env, "sub", "none"}}, "sub/hex1 ran\nsub/hex0 ran\n"},
		{"mkdir d\ncd d\nhex0", success, []started{{[]string{"hex0"}, env, "d", "none"}}, "hex0 ran\n"},
		{"B=2\nhex0 > o\ncat o", success, []started{{[]string{"hex0"}, []string{"A=1", "B=2"}, ".", "none"}}, "hex0 ran\n"},
		{"./cat", success, []started{{[]string{"cat"}, env, ".", "none"}}, "cat ran\n"},
		{"plain\nnope\nsub\n./sub/nope", success, nil, "plain: permission denied\nnope: no command, and no program of the tree; see help\n" +
			"sub: is no regular file\n./sub/nope: no command, and no program of the tree; see help\n"},
	} {
		var calls []started
		got := run(t, Options{Root: programs(t), Env: env, Start: recorder(&calls, tt.status)}, tt.script)
		if d := cmp.Diff(tt.want, calls); d != "" {
			t.Errorf("Run(%q) starts (-want +got):\n%s", tt.script, d)
		}
		if got != tt.answer {
			t.Errorf("Run(%q) = %q; want %q", tt.script, got, tt.answer)
		}
	}
}

func TestRunSaysWhyAProgramCannotStart(t *testing.T) {
	start := func(context.Context, []string, []string, string, io.Reader, io.Writer) (string, error) {
		return "", &os.PathError{Op: "fork/exec", Path: "/somewhere/hex0", Err: unix.ENOEXEC}
	}
	got := run(t, Options{Root: programs(t), Start: start, Steps: [][]string{{"hex0"}}, Step: 1}, "hex0\nstep\nstep 1\necho on")
	want := "hex0: exec format error\nstep: no step failed: say which one to run\nstep 1: hex0\nstep: hex0: exec format error\non\n"
	if got != want {
		t.Errorf("Run = %q; want %q", got, want)
	}
}

// TestRunTranscript is a whole session as the person sees it, what they typed put in where they typed it.
func TestRunTranscript(t *testing.T) {
	var calls []started
	var out bytes.Buffer
	script := "steps\nstep\ncd sub\nB=2\nstep 1\nstep 4\nxxd ../plain\nhex1 \"\\e\"\nrm nope\n"
	err := Run(t.Context(), Options{
		Root: programs(t), Name: "boot3", Why: "step 2 failed: exit status 1", Step: 1, Env: []string{"A=1"},
		Steps: [][]string{{"hex0", "a.hex0", "a"}, {"sub/hex1", "x y", "\x1b[0m"}, {"hex0"}},
		In:    iotest.OneByteReader(strings.NewReader(script)), Out: &out, Start: recorder(&calls, "exit status 1"),
	})
	must(t, err)
	want, err := os.ReadFile("testdata/transcript.txt")
	must(t, err)
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("Run (-want +got):\n%s", d)
	}
	env := []string{"A=1"}
	if d := cmp.Diff([]started{
		{[]string{"sub/hex1", "x y", "\x1b[0m"}, env, ".", "none"}, {[]string{"hex0", "a.hex0", "a"}, env, ".", "none"},
	}, calls); d != "" {
		t.Errorf("starts (-want +got):\n%s", d)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	root := programs(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, typing := io.Pipe()
	defer func() { _ = typing.Close() }()
	waiting := make(chan bool)
	start := func(ctx context.Context, _, _ []string, _ string, _ io.Reader, _ io.Writer) (string, error) {
		close(waiting)
		<-ctx.Done()
		return "", ctx.Err()
	}
	go func() {
		_, _ = io.WriteString(typing, "hex0\n") // an error is that of a test that ended
		<-waiting
		cancel()
	}()
	if err := Run(ctx, Options{Root: root, In: in, Out: io.Discard, Start: start}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run in a program = %v; want that it was cancelled", err)
	}
	if err := Run(ctx, Options{Root: root, In: in, Out: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run at its prompt = %v; want that it was cancelled", err)
	}
}

// TestRunEndsInACommand reads a file that nobody waits for, and ends when its time is over.
func TestRunEndsInACommand(t *testing.T) {
	root := layOut(t, nil)
	must(t, os.WriteFile(filepath.Join(root, "large"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(root, "large"), 1<<42)) // which takes no room, and long to read
	for _, command := range []string{"cat large", "xxd large", "head -c 0x1000000000000 large", "cmp large large", "sha256sum large"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := Run(ctx, Options{Root: root, In: strings.NewReader(command), Out: io.Discard})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run(%q) = %v; want that its time was over", command, err)
		}
		cancel()
	}
}

func TestRunTellsOfItsStreams(t *testing.T) {
	root := layOut(t, map[string]string{"a": "x"})
	broken := errors.New("broken line")
	if err := Run(t.Context(), Options{Root: root, In: iotest.ErrReader(broken), Out: io.Discard}); !errors.Is(err, broken) {
		t.Errorf("Run with a broken input = %v; want %v", err, broken)
	}
	r, w := io.Pipe()
	must(t, r.CloseWithError(broken))
	if err := Run(t.Context(), Options{Root: root, In: strings.NewReader("cat a\n"), Out: w}); !errors.Is(err, broken) {
		t.Errorf("Run with a broken output = %v; want %v", err, broken)
	}
	if err := Run(t.Context(), Options{Root: root + "/nope"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run without a root = %v; want that it does not exist", err)
	}
}

func TestRunLongLine(t *testing.T) {
	fits := strings.Repeat("x", maxLine-len("echo \n"))
	got := run(t, Options{Root: layOut(t, nil)}, "echo "+fits+"\necho x"+fits+fits+"\necho on\n")
	if want := fits + "\na line of more than 64 KiB\non\n"; got != want {
		t.Errorf("Run = %d bytes, ending in %q; want %d", len(got), got[max(0, len(got)-50):], len(want))
	}
}

func TestRunOpensNoFifo(t *testing.T) {
	root := layOut(t, map[string]string{"a": "x"})
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o666))
	got := run(t, Options{Root: root}, "cat fifo\ncat < fifo\ncp fifo b\nchmod 600 fifo\nls -l fifo")
	want := "cat: fifo: is no regular file\ncat: fifo: is no regular file\ncp: fifo: is no regular file\n" +
		"chmod: fifo: is no regular file\nprw-r--r--             0 fifo\n"
	if got != want {
		t.Errorf("Run = %q; want %q", got, want)
	}
	got = run(t, Options{Root: root}, "echo x > fifo\ncp a fifo")
	if want := "echo: fifo: no such device or address\ncp: fifo: no such device or address\n"; got != want {
		t.Errorf("Run = %q; want %q", got, want)
	}
}
