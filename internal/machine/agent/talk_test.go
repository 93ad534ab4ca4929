// SPDX-License-Identifier: MIT

package agent

import (
	"bufio"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// heard has rung listen to an agent that says a text: how many outputs there are, and whether the job failed.
func heard(t testing.TB, said string, exports ...string) (n int, failed bool, err error) {
	t.Helper()
	job := machine.Job{
		Name: "job", Steps: []machine.Step{{Argv: []string{"a"}, Limit: time.Minute}}, Exports: exports,
		Limits: machine.Limits{Time: time.Minute, Memory: 1, Output: 1, Files: 1},
	}
	course := walk.Begin(job, walk.Options{Now: func() time.Time { return time.Time{} }, MaxLog: 1 << 10, Kill: func() {}})
	defer course.Stop()
	talk := &talk{
		session: &Session{Reports: bufio.NewReader(strings.NewReader(said))}, job: job, began: map[int]bool{},
		course: course, blobs: &store.Mem{},
	}
	outputs, err := talk.listen(t.Context())
	return outputs.Len(), course.Failed(), err
}

const (
	saidStart  = `{"Kind":"start"}` + "\n"
	saidEnd    = `{"Kind":"end","Ended":{"Exit":0}}` + "\n"
	saidExport = `{"Kind":"export","Size":1,"Node":{"Path":"out","Kind":1,"Mode":292}}` + "\nx"
	saidDone   = `{"Kind":"done"}` + "\n"
)

func TestListenTakesAWholeJob(t *testing.T) {
	n, failed, err := heard(t, saidStart+saidEnd+saidExport+saidDone, "out")
	if err != nil || failed || n != 1 {
		t.Errorf("listen = %d outputs, failed %t, %v; want 1, false, nil", n, failed, err)
	}
}

func TestListenRefusesWhatCannotBe(t *testing.T) {
	for name, said := range map[string]string{
		"an export that never came":        saidStart + saidEnd + saidDone,
		"a step that is none":              `{"Kind":"start","Step":1}` + "\n",
		"a step twice":                     saidStart + saidStart,
		"an end before the start":          saidEnd,
		"an end of nothing":                saidStart + `{"Kind":"end"}` + "\n",
		"output of no step":                `{"Kind":"output","Size":1}` + "\nx",
		"output of a negative step":        saidStart + `{"Kind":"output","Step":-1,"Size":1}` + "\nx",
		"less than no output":              saidStart + `{"Kind":"output","Size":-1}` + "\nx",
		"more output than one may":         saidStart + `{"Kind":"output","Size":1073741824}` + "\nx",
		"an export without a node":         `{"Kind":"export"}` + "\n",
		"an export of less than nothing":   `{"Kind":"export","Size":-1,"Node":{"Path":"out","Kind":1,"Mode":292}}` + "\n",
		"an end with a failure of another": saidStart + `{"Kind":"end","Ended":{"Exit":1},"Failure":{"Step":9}}` + "\n",
		"a failure without a word":         `{"Kind":"fail"}` + "\n",
		"a failure of a step that is not":  `{"Kind":"fail","Failure":{"Step":9}}` + "\n",
		"a shell that nobody wants":        `{"Kind":"shell"}` + "\n",
		"a line without an end":            strings.Repeat("x", maxReport+1<<17),
		"the end of the line":              saidStart,
	} {
		if n, _, err := heard(t, said, "out"); err == nil {
			t.Errorf("%s: listen = %d outputs; want an error", name, n)
		}
	}
}

func FuzzListen(f *testing.F) {
	f.Add(saidStart + `{"Kind":"output","Size":2}` + "\nhi" + saidEnd + saidExport + saidDone)
	f.Add(saidStart + `{"Kind":"end","Ended":{"Exit":3},"Failure":{"Cause":"exit","Detail":"exit status 3"}}` + "\n" + saidDone)
	f.Fuzz(func(t *testing.T, said string) {
		if n, failed, err := heard(t, said, "out"); err == nil && n == 0 && !failed {
			t.Errorf("a job without a failure has no outputs: %q", said)
		}
	})
}
