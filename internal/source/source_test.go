// SPDX-License-Identifier: MIT

package source_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/source/apt"
)

func TestDistfileValidate(t *testing.T) {
	good := declare(t, tarball(t), "https://a.test/x?y=1", "debian:pool/main/t/tcc/tcc_0.9+git.orig.tar.bz2")
	if err := good.Validate(); err != nil {
		t.Errorf("Validate() = %v; want nil", err)
	}
	long := good
	long.Name = strings.Repeat("x", 128)
	if err := long.Validate(); err != nil {
		t.Errorf("Validate() = %v; want nil", err)
	}
	for name, change := range map[string]func(*source.Distfile){
		`"../x": a name`:             func(d *source.Distfile) { d.Name = "../x" },
		`xxx": a name`:               func(d *source.Distfile) { d.Name = strings.Repeat("x", 129) },
		"a size is":                  func(d *source.Distfile) { d.File = digest.Digest{} },
		"a licence is missing":       func(d *source.Distfile) { d.Licence = " " },
		"strip is 0 or 1, not 2":     func(d *source.Distfile) { d.Strip = 2 },
		"there is no tree":           func(d *source.Distfile) { d.Tree = digest.Digest{} },
		"no place to fetch it from":  func(d *source.Distfile) { d.Places = nil },
		"named twice":                func(d *source.Distfile) { d.Places = append(d.Places, d.Places[0]) },
		`place "http://a.test/x"`:    func(d *source.Distfile) { d.Places = []string{"http://a.test/x"} },
		`place "https://u:p@a.test"`: func(d *source.Distfile) { d.Places = []string{"https://u:p@a.test"} },
		`place "/etc/passwd"`:        func(d *source.Distfile) { d.Places = []string{"/etc/passwd"} },
		`place "debian:pool/../x"`:   func(d *source.Distfile) { d.Places = []string{"debian:pool/../x"} },
		`place "debian:dists/x"`:     func(d *source.Distfile) { d.Places = []string{"debian:dists/x"} },
		`place "debian:pool/a%2bb"`:  func(d *source.Distfile) { d.Places = []string{"debian:pool/a%2bb"} },
	} {
		d := good
		d.Places = append([]string(nil), good.Places...)
		change(&d)
		err := d.Validate()
		if err == nil || fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), name) ||
			!strings.HasPrefix(err.Error(), "chain.star:1:1: distfile ") {
			t.Errorf("Validate() = %v; want a fault of kind usage with its position that says %s", err, name)
		}
	}
}

func TestCheckAllFindsNamesTwice(t *testing.T) {
	d := declare(t, tarball(t), "https://a.test/x")
	if err := source.CheckAll([]source.Distfile{d, d}); err == nil || !strings.Contains(err.Error(),
		"already, at chain.star:1:1") {
		t.Errorf("CheckAll(...) = %v; want the name found", err)
	}
}

// TestFetchFromApt wants "+" to arrive escaped, archives that are folders to be read, and lists of archives to be
// followed.
func TestFetchFromApt(t *testing.T) {
	b := tarball(t)
	var asked []string
	handler := func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.RequestURI)
		switch r.URL.Path {
		case "/list":
			w.Write([]byte("http://" + r.Host + "/debian/\tpriority:1\n"))
		case "/debian/pool/main/h/hello_1+git.tar.gz":
			w.Write(b)
		default:
			http.NotFound(w, r)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(handler))
	defer server.Close()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "pool/main/h"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "pool/main/h/hello_1+git.tar.gz"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		line, place string
		asked       []string
	}{
		{"deb " + server.URL + "/debian x main", server.URL + "/debian/pool/main/h/hello_1%2bgit.tar.gz",
			[]string{"/debian/pool/main/h/hello_1%2bgit.tar.gz"}},
		{"deb mirror+" + server.URL + "/list x main", server.URL + "/debian/pool/main/h/hello_1%2bgit.tar.gz",
			[]string{"/list", "/debian/pool/main/h/hello_1%2bgit.tar.gz"}},
		{"deb file:" + folder + " x main", folder + "/pool/main/h/hello_1+git.tar.gz", nil},
	} {
		asked = nil
		w := newWorld(t, nil)
		config := apt.Read(fstest.MapFS{"etc/apt/sources.list": {Data: []byte(test.line)}})
		d := declare(t, b, "debian:pool/main/h/hello_1+git.tar.gz")
		got, err := w.fetcher(func(o *source.Options) { o.Apt, o.Transport = config, nil }).Fetch(t.Context(), d)
		if err != nil || got[0].Place != test.place {
			t.Errorf("Fetch(...) with %q = %v, %v; want it from %s", test.line, got, err, test.place)
		}
		if diff := cmp.Diff(test.asked, asked); diff != "" {
			t.Errorf("requests with %q: -want +got\n%s", test.line, diff)
		}
	}
}

// TestFetchThroughProxies has a server that is a proxy: it sees whole addresses, of hosts that do not exist.
func TestFetchThroughProxies(t *testing.T) {
	b := tarball(t)
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.RequestURI)
		w.Write(b)
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("me", "secret")
	for name, test := range map[string]struct{ conf, env string }{
		"of apt": {`Acquire::http::Proxy "` + address.String() + `";`, ""}, "of the environment": {"", address.String()},
		"of apt, which counts more": {`Acquire::http::Proxy "` + proxy.URL + `";`, "http://127.0.0.1:1"},
	} {
		asked = nil
		w := newWorld(t, nil)
		config := apt.Read(fstest.MapFS{"etc/apt/sources.list": {Data: []byte("deb http://nowhere.invalid/debian x main")},
			"etc/apt/apt.conf": {Data: []byte(test.conf)}})
		env := func(name string) string {
			if name == "http_proxy" {
				return test.env
			}
			return ""
		}
		d := declare(t, b, "debian:pool/main/h/h.tar.gz")
		got, err := w.fetcher(func(o *source.Options) { o.Apt, o.Env, o.Transport = config, env, nil }).Fetch(t.Context(), d)
		if want := []string{"http://nowhere.invalid/debian/pool/main/h/h.tar.gz"}; err != nil || !cmp.Equal(asked, want) {
			t.Errorf("a proxy %s: %v, %v; the proxy saw %q, want %q", name, got, err, asked, want)
		}
	}
}

func TestDeclare(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hello-1.0.tar.gz")
	b := tarball(t)
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := source.Declare(name, 1, false)
	if err != nil || got.File != digest.Of(b) || got.Tree.String() != helloTree {
		t.Errorf("Declare(...) = %+v, %v; want the digests of the file and of %s", got, err, helloTree)
	}
	want := "distfile(\n    name = \"hello-1.0.tar.gz\",\n    size = "
	if text := got.Starlark(); !strings.HasPrefix(text, want) || !strings.Contains(text, "    strip = 1,\n") {
		t.Errorf("Starlark() = %s; want it to begin with %s", text, want)
	}
	if _, err := source.Declare(filepath.Join(t.TempDir(), "x"), 0, false); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Declare(nothing) = %v; want a fault of kind not found", err)
	}
}
