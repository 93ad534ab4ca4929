// SPDX-License-Identifier: MIT

package distfile_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/source"
)

// TestFetchGoesOnBehindADeadMirror: a mirror that nobody serves, one that lies, one that lacks the file and one that
// refuses end nothing; the next place is asked, and no partial file has a final name.
func TestFetchGoesOnBehindADeadMirror(t *testing.T) {
	w := newWorld(t)
	lying := mirror(t, map[string]string{"a.tar": "something else"})
	denying := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	empty, good := mirror(t, nil), mirror(t, map[string]string{"a.tar": "the content"})
	got := w.fetch([]string{need.Refused(t), lying, denying, empty, good}, file("a.tar", "the content", "http://127.0.0.1:1/never"))
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	r := got.Files[0]
	if r.State != distfile.Fetched || r.Place != good+"/a.tar" || r.Size != 11 {
		t.Errorf("Fetch = %+v; want it fetched from %s", r, good)
	}
	want := []source.Trouble{source.Unreachable, source.Wrong, source.Denied, source.Absent}
	if len(r.Tries) != len(want) {
		t.Fatalf("tries = %+v; want %d", r.Tries, len(want))
	}
	for i, trouble := range want {
		h := got.Places[i]
		if r.Tries[i].Trouble != trouble || h.Troubles[trouble] != 1 || h.Asked != 1 || h.Gave != 0 || !h.Mirror {
			t.Errorf("try %d = %+v, health %+v; want %q", i, r.Tries[i], h, trouble)
		}
	}
	if h := got.Places[4]; h.Gave != 1 || h.Bytes != 11 || h.Took <= 0 || h.Speed() <= 0 {
		t.Errorf("health of the good one = %+v; want one file of 11 bytes, and a speed", h)
	}
	wantFiles := []string{"partial/quarantine/a.tar." + sum("something else"), "sha256/" + sum("the content")}
	if left := w.files(); !slices.Equal(left, wantFiles) {
		t.Errorf("the cache's folder has %q; want %q", left, wantFiles)
	}
	if text := w.read(r.SHA256); text != "the content" {
		t.Errorf("Open reads %q", text)
	}
}

// TestFetchTriesAlternatives: several lines with one name are several places to ask.
func TestFetchTriesAlternatives(t *testing.T) {
	w := newWorld(t)
	up := mirror(t, map[string]string{"x/a.tar": "A"})
	got := w.fetch(nil, file("a.tar", "A", need.Refused(t)+"/a.tar", up+"/gone", "ftp://127.0.0.1/a.tar", up+"/x/a.tar"))
	if err := got.Err(); err != nil || got.Files[0].Place != up+"/x/a.tar" || len(got.Files[0].Tries) != 3 {
		t.Errorf("Fetch = %+v, %v; want the third alternative", got.Files, err)
	}
}

// TestFetchNamesEachPlaceThatFailed, and goes on with the other files.
func TestFetchNamesEachPlaceThatFailed(t *testing.T) {
	w := newWorld(t)
	m := mirror(t, map[string]string{"b": "B", "c": "wrong"})
	got := w.fetch([]string{m}, file("a", "A"), file("b", "B"), file("c", "C"))
	err := got.Err()
	if fault.KindOf(err) != fault.Mismatch || fault.HintOf(err) == "" {
		t.Fatalf("Err = %v; want a mismatch with a hint", err)
	}
	for _, part := range []string{"2 of 3 distfiles", "distfile a: none of 1 places", m + "/a: 404", "distfile c:", "wrong file"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("Err = %v; want %q in it", err, part)
		}
	}
	if files, bytes := got.Count(distfile.Fetched); files != 1 || bytes != 1 {
		t.Errorf("Count(Fetched) = %d, %d; want 1, 1", files, bytes)
	}
	if got := w.fetch([]string{m}, file("a", "A")); fault.KindOf(got.Err()) != fault.Unavailable {
		t.Errorf("Err = %v; want unavailable where nobody sent wrong bytes", got.Err())
	}
}

// TestFetchWithoutAnyPlaceSaysWhatIsMissing: a source with _ in place of an address needs a mirror.
func TestFetchWithoutAnyPlaceSaysWhatIsMissing(t *testing.T) {
	err := newWorld(t).fetch(nil, file("a", "A")).Err()
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.HintOf(err), "--mirror") ||
		!strings.Contains(err.Error(), "no place to ask") {
		t.Errorf("Err = %v, hint %q; want the way out", err, fault.HintOf(err))
	}
}

// TestFetchResumes: a download that breaks off goes on where it stopped, in the same run and in the next.
func TestFetchResumes(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1<<12)
	var ranges []string
	var mu sync.Mutex
	broken := 1
	up := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		ranges = append(ranges, r.Header.Get("Range"))
		w.Header().Set("ETag", `"1"`)
		if broken > 0 {
			broken--
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write([]byte(content[:20000]))
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	})
	w := newWorld(t)
	if err := w.fetch(nil, file("a", content, up+"/a")).Err(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=20000-"}; !slices.Equal(ranges, want) {
		t.Errorf("ranges asked = %q; want %q", ranges, want)
	}
	if w.read(sum(content)) != content {
		t.Error("the file is not what was sent")
	}
	ranges, broken = nil, 3
	w = newWorld(t)
	if err := w.fetch(nil, file("a", content, up+"/a")).Err(); err == nil {
		t.Fatal("a file that broke off three times was taken")
	}
	if held := w.cache.Has(sum(content)); held {
		t.Error("a partial file has a final name")
	}
	if err := w.fetch(nil, file("a", content, up+"/a")).Err(); err != nil || ranges[len(ranges)-1] == "" {
		t.Errorf("the next run: %v, asked for %q; want it to go on", err, ranges)
	}
}

// TestFetchGivesUpAMirrorThatIsDown: the time that nobody answers is spent a few times, not once for each file.
func TestFetchGivesUpAMirrorThatIsDown(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int32
	down := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusForbidden)
	})
	contents := map[string]string{}
	var files []distfile.File
	for i := range 50 {
		name := fmt.Sprintf("f%d", i)
		contents[name] = name
		files = append(files, file(name, name))
	}
	good := mirror(t, contents)
	f := w.fetcher(func(o *distfile.Options) { o.Mirrors, o.Jobs = []string{down, good}, 1 })
	got, err := f.Fetch(t.Context(), files)
	if err != nil || got.Err() != nil {
		t.Fatal(err, got.Err())
	}
	if n := asked.Load(); n != 4 || !got.Places[0].GivenUp || got.Places[0].Why == "" || got.Places[1].Gave != 50 {
		t.Errorf("the mirror that is down was asked %d times, health %+v; want 4, and given up", n, got.Places)
	}
	if last := got.Files[49].Tries[0]; last.Trouble != distfile.Skipped {
		t.Errorf("the last file's first try = %+v; want it skipped", last)
	}
}

// TestFetchEndsWhereNothingArrives: nothing hangs.
func TestFetchEndsWhereNothingArrives(t *testing.T) {
	w := newWorld(t)
	up := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	f := w.fetcher(func(o *distfile.Options) { o.Stall, o.Tries = 50*time.Millisecond, 1 })
	got, err := f.Fetch(t.Context(), []distfile.File{file("a", "A", up+"/a")})
	if err != nil || got.Files[0].State != distfile.Failed || got.Files[0].Tries[0].Trouble != source.Unreachable {
		t.Errorf("Fetch = %+v, %v; want it to give up", got, err)
	}
}

// TestFetchStopsWithItsContext, and says that the next run goes on.
func TestFetchStopsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	up := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := w.fetcher(nil).Fetch(ctx, []distfile.File{file("a", "A", up+"/a")})
	if fault.KindOf(err) != fault.Interrupted || fault.HintOf(err) == "" {
		t.Errorf("Fetch = %v; want it interrupted", err)
	}
}

// TestFetchOffline asks folders and nobody else.
func TestFetchOffline(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a+b"), []byte("A"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a server was asked") })
	f := w.fetcher(func(o *distfile.Options) { o.Mirrors, o.Offline = []string{refused, "file://" + dir + "/"}, true })
	got, err := f.Fetch(t.Context(), []distfile.File{file("a+b", "A", refused+"/a"), file("b", "B", refused+"/b")})
	if err != nil || got.Files[0].State != distfile.Fetched || got.Files[1].State != distfile.Failed {
		t.Errorf("Fetch = %+v, %v; want the first from the folder, and the second to fail", got, err)
	}
}

// TestFetchTwoAtOnce: two runs into one cache ask for each file once, between them.
func TestFetchTwoAtOnce(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int32
	up := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Write([]byte("A"))
	})
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			f := w.fetcher(func(o *distfile.Options) {
				o.Sleep = func(ctx context.Context, _ time.Duration) error {
					time.Sleep(time.Millisecond)
					return ctx.Err()
				}
			})
			if got, err := f.Fetch(t.Context(), []distfile.File{file("a", "A", up+"/a")}); err != nil || got.Err() != nil {
				t.Error(err, got.Err())
			}
		})
	}
	both.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times; want once", n)
	}
}

func TestNewRefusesMirrors(t *testing.T) {
	for _, m := range []string{"/folder", "file:folder", "file://host/folder", "ftp://host/", "http://", "http://h/?q", "%"} {
		_, err := distfile.New(distfile.Options{Cache: distfile.NewCache(t.TempDir()), Mirrors: []string{m}, Now: time.Now})
		if fault.KindOf(err) != fault.Usage || fault.HintOf(err) == "" {
			t.Errorf("New with the mirror %q: %v; want a usage fault with a hint", m, err)
		}
	}
}

// TestAdoptReadsAndNeverWrites: the checkout's own distfiles folder comes first, verified.
func TestAdoptReadsAndNeverWrites(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "A", "b": "not B"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	wrong, err := w.cache.Adopt(t.Context(), dir, []distfile.File{file("a", "A"), file("b", "B"), file("c", "C")})
	want := distfile.Found{Path: filepath.Join(dir, "b"), Want: sum("B"), Got: sum("not B")}
	if err != nil || len(wrong) != 1 || wrong[0] != want {
		t.Fatalf("Adopt = %+v, %v; want b to be wrong", wrong, err)
	}
	if size, ok := w.cache.Size(sum("A")); !ok || size != 1 || w.read(sum("A")) != "A" {
		t.Errorf("Size = %d, %v; want the adopted file", size, ok)
	}
	if w.cache.Has(sum("B")) || len(w.files()) != 0 {
		t.Errorf("the cache has B, or wrote %q", w.files())
	}
	got := w.fetch(nil, file("a", "A", "http://127.0.0.1:1/never"))
	if got.Files[0].State != distfile.Held {
		t.Errorf("Fetch = %+v; want it held", got.Files[0])
	}
}

// TestOpenFindsDamage, and the next fetch brings the file again.
func TestOpenFindsDamage(t *testing.T) {
	w := newWorld(t)
	up := mirror(t, map[string]string{"a": "A"})
	w.fetch(nil, file("a", "A", up+"/a"))
	if err := os.WriteFile(w.cache.Path(sum("A")), []byte("B"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := w.cache.Open(sum("A"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for err == nil {
		_, err = r.Read(make([]byte, 10))
	}
	if fault.KindOf(err) != fault.Mismatch || w.cache.Has(sum("A")) {
		t.Errorf("Read = %v, held %v; want a mismatch, and the file gone", err, w.cache.Has(sum("A")))
	}
	if _, err := w.cache.Open(sum("A")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Open = %v; want not found", err)
	}
	if got := w.fetch(nil, file("a", "A", up+"/a")); got.Files[0].State != distfile.Fetched {
		t.Errorf("Fetch = %+v; want it fetched again", got.Files[0])
	}
}
