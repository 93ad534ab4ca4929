// SPDX-License-Identifier: MIT

package apt_test

import (
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/source/apt"
)

func root(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m["etc/apt/"+name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return m
}

// urls are the addresses of mirrors, "list " before those of lists.
func urls(mirrors []apt.Mirror) []string {
	var all []string
	for _, m := range mirrors {
		u := m.URL
		if m.List {
			u = "list " + u
		}
		all = append(all, u)
	}
	return all
}

func TestReadMirrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
		notes int
	}{
		{"nothing at all", nil, nil, 0},
		{"one line", map[string]string{"sources.list": "deb http://a.test/debian bookworm main\n"},
			[]string{"http://a.test/debian"}, 0},
		{"options, comments, deb-src, a slash at the end", map[string]string{"sources.list": "# a comment\n\n" +
			"deb [ arch=amd64 signed-by=/usr/k.gpg ] https://a.test/debian/ bookworm main # more\n" +
			"deb [arch=amd64] http://b.test:8080/debian bookworm main\n" +
			"#deb http://off.test/debian bookworm main\n" +
			"deb-src\thttp://c.test/debian\tbookworm main\n" +
			"deb http://a.test/debian bookworm-updates main\n"},
			[]string{"https://a.test/debian", "http://b.test:8080/debian", "http://c.test/debian", "http://a.test/debian"}, 0},
		{"one archive named twice", map[string]string{"sources.list": "deb http://a.test/debian x main\ndeb " +
			"http://a.test/debian y main"},
			[]string{"http://a.test/debian"}, 0},
		{"transports that are not asked", map[string]string{"sources.list": "deb cdrom:[Debian GNU/Linux 12]/ bookworm " +
			"main\n" +
			"deb ftp://a.test/debian x main\ndeb file:/srv/debian x main\ndeb copy:/srv/other x main\n"},
			[]string{"file:///srv/debian", "file:///srv/other"}, 2},
		{"lists of mirrors", map[string]string{"sources.list": "deb mirror://a.test/list x main\n" +
			"deb mirror+https://b.test/list x main\ndeb mirror+file:/etc/apt/mirrors x main\n",
			"mirrors": "http://late.test/debian\tpriority:9\nhttp://early.test/debian\tpriority:1 type:deb\n" +
				"http://index.test/debian\ttype:index\n# no\nmirror+file:/etc/apt/mirrors\n"},
			[]string{"list http://a.test/list", "list https://b.test/list", "http://early.test/debian",
				"http://late.test/debian"}, 0},
		{"what is wrong is skipped", map[string]string{"sources.list": "rpm http://a.test/x y\ndeb\ndeb [ arch=amd64\n" +
			"deb nowhere x\ndeb http: x\ndeb http://%zz/ x\ndeb http://good.test/debian x\n"},
			[]string{"http://good.test/debian"}, 6},
		{"parts, by their names", map[string]string{"sources.list": "deb http://1.test/debian x",
			"sources.list.d/b.list": "deb http://3.test/debian x", "sources.list.d/a.sources": "Types: deb\nURIs: " +
				"http://2.test/debian\n",
			"sources.list.d/c.list.save": "deb http://no.test/debian x",
			"sources.list.d/d e.list":    "deb http://no.test/debian x"},
			[]string{"http://1.test/debian", "http://2.test/debian", "http://3.test/debian"}, 0},
		{"paragraphs", map[string]string{"sources.list.d/debian.sources": "# top\nTypes: deb deb-src\n# in between\n" +
			"URIs: http://a.test/debian\n http://b.test/debian\n# here too\n\thttp://c.test/debian\nSuites: x y\nComponents: " +
			"main\n" +
			"Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xyz\n -----END PGP PUBLIC KEY BLOCK-----\n\n\n" +
			"types: deb\nENABLED: no\nURIs: http://off.test/debian\n\n" +
			"Types: deb\nEnabled: yes\nuris: http://d.test/debian-security\n"},
			[]string{"http://a.test/debian", "http://b.test/debian", "http://c.test/debian", "http://d.test/debian-security"},
			0},
		{"paragraphs that are wrong", map[string]string{"sources.list.d/x.sources": "Types: rpm\nURIs: " +
			"http://a.test/\n\nTypes: deb\n\n" +
			"nonsense\n\nTypes: deb\nURIs: http://good.test/debian"}, []string{"http://good.test/debian"}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := apt.Read(root(test.files))
			if diff := cmp.Diff(test.want, urls(c.Mirrors)); diff != "" {
				t.Errorf("Read(...).Mirrors: -want +got\n%s", diff)
			}
			if len(c.Notes) != test.notes {
				t.Errorf("Read(...).Notes = %q; want %d", c.Notes, test.notes)
			}
		})
	}
}

func TestReadTellsWhere(t *testing.T) {
	c := apt.Read(root(map[string]string{
		"sources.list":             "\ndeb http://a.test/debian x\n",
		"sources.list.d/b.sources": "\n# c\n\nTypes: deb\nURIs: http://b.test/debian\n",
	}))
	want := []string{"etc/apt/sources.list:2", "etc/apt/sources.list.d/b.sources:4"}
	if got := []string{c.Mirrors[0].From, c.Mirrors[1].From}; !cmp.Equal(got, want) {
		t.Errorf("Read(...) finds mirrors at %q; want %q", got, want)
	}
}

func TestReadBoundsFiles(t *testing.T) {
	c := apt.Read(root(map[string]string{"sources.list": strings.Repeat("# padding\n", 200_000)}))
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "etc/apt/sources.list: skipped") {
		t.Errorf("Read(a file of 2 MB).Notes = %q; want it skipped", c.Notes)
	}
}

func TestConfigArchives(t *testing.T) {
	others := "deb https://tools.test/apt x main\ndeb https://node.test/node_20.x x main\n"
	c := apt.Read(root(map[string]string{"sources.list": others +
		"deb http://a.test/debian x main\ndeb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " +
		"http://corp.test/mirror x main\n"}))
	want := []string{"http://a.test/debian", "http://corp.test/mirror"}
	if got := urls(c.Archives()); !cmp.Equal(got, want) {
		t.Errorf("Archives() = %q; want those of Debian: %q", got, want)
	}
	c = apt.Read(root(map[string]string{"sources.list": others}))
	if got := urls(c.Archives()); len(got) != 2 {
		t.Errorf("Archives() = %q where none is Debian's; want all", got)
	}
}

func TestConfigProxy(t *testing.T) {
	const direct, environment = "direct", "environment"
	for _, test := range []struct {
		name, conf, of, want string
	}{
		{"nothing set", ``, "http://a.test/x", environment},
		{"set", `Acquire::http::Proxy "http://p.test:3142";`, "http://a.test/x", "http://p.test:3142"},
		{"https takes that of http", `Acquire::http::Proxy "http://p.test:3142";`, "https://a.test/x", "http://p.test:3142"},
		{"https has its own", `Acquire::http::Proxy "http://p.test"; Acquire::https::Proxy "DIRECT";`, "https://a.test/x",
			direct},
		{"http does not take that of https", `Acquire::https::Proxy "http://p.test";`, "http://a.test/x", environment},
		{"one host is direct", "acquire { HTTP { proxy \"http://p.test\"; proxy { A.test \"direct\"; }; }; };",
			"http://a.test:80/x", direct},
		{"another host is not", "Acquire::http::proxy::b.test DIRECT; Acquire::http::Proxy \"socks5h://p.test:1080\";",
			"http://a.test/x",
			"socks5h://p.test:1080"},
		{"comments", "// Acquire::http::Proxy \"http://no.test\";\n# and this\n/* Acquire::http::Proxy \"http://no.test\"; " +
			"*/", "http://a.test/",
			environment},
		{"cleared", "Acquire::http::Proxy \"http://p.test\";\n#clear Acquire::http;", "http://a.test/", environment},
		{"the later counts", "Acquire::http::Proxy \"http://p.test\"; Acquire::http::Proxy \"http://q.test\";",
			"http://a.test/", "http://q.test"},
		{"other settings", "APT::X:: \"list\"; DPkg::Post-Invoke { \"rm -f {};\"; \"x\"; }; Acquire::http::Proxy " +
			"'http://p.test';", "http://a.test/",
			"http://p.test"},
		{"no proxy", `Acquire::http::Proxy "gopher://p.test";`, "http://a.test/", environment},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := apt.Read(root(map[string]string{"apt.conf": test.conf}))
			of, err := url.Parse(test.of)
			if err != nil {
				t.Fatal(err)
			}
			got := environment
			if proxy, ok := c.Proxy(of); ok && proxy == nil {
				got = direct
			} else if ok {
				got = proxy.String()
			}
			if got != test.want {
				t.Errorf("Proxy(%s) = %s; want %s; notes %q", test.of, got, test.want, c.Notes)
			}
		})
	}
}

func TestReadSettingsOrder(t *testing.T) {
	c := apt.Read(root(map[string]string{
		"apt.conf":                `Acquire::http::Proxy "http://main.test";`,
		"apt.conf.d/50x":          `Acquire::http::Proxy "http://part.test";`,
		"apt.conf.d/99y.conf.bak": `Acquire::http::Proxy "http://no.test";`,
	}))
	got, _ := c.Proxy(&url.URL{Scheme: "http", Host: "a.test"})
	if got == nil || got.Host != "main.test" {
		t.Errorf("Proxy = %v; want that of apt.conf, which is read last", got)
	}
}

func TestReadNotesProxies(t *testing.T) {
	c := apt.Read(root(map[string]string{"apt.conf": "Acquire::http::Proxy-Auto-Detect \"/bin/find-proxy\";\n" +
		"Acquire::http::Proxy \"http://user:secret@\";\n#include \"x\";"}))
	if len(c.Notes) != 3 || strings.Contains(strings.Join(c.Notes, " "), "secret") {
		t.Errorf("Notes = %q; want three, without the proxy's password", c.Notes)
	}
}

func FuzzRead(f *testing.F) {
	const want = "http://a.test/debian"
	for _, seed := range [][3]string{
		{"deb [ signed-by=/k ] http://a.test/debian x main # c\n", "", ""},
		{"", "Types: deb\nURIs:\n http://a.test/debian\n", `Acquire { http { Proxy "http://p.test"; }; };`},
		{"deb mirror+file:/etc/apt/apt.conf x\n", "", want},
	} {
		c := apt.Read(root(map[string]string{"sources.list": seed[0], "sources.list.d/x.sources": seed[1],
			"apt.conf": seed[2]}))
		if len(c.Mirrors) != 1 || c.Mirrors[0].URL != want {
			f.Fatalf("seed %q gives %v; want %s", seed, c.Mirrors, want)
		}
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, list, sources, conf string) {
		c := apt.Read(root(map[string]string{"sources.list": list, "sources.list.d/x.sources": sources, "apt.conf": conf}))
		for _, m := range c.Mirrors {
			u, err := url.Parse(m.URL)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" || strings.HasSuffix(m.URL, "/") {
				if m.URL != "file:///" && m.URL != "file://" {
					t.Errorf("mirror %q: not an address of an archive (%v)", m.URL, err)
				}
			}
			if proxy, _ := c.Proxy(u); proxy != nil && proxy.Host == "" {
				t.Errorf("proxy %v has no host", proxy)
			}
		}
	})
}
