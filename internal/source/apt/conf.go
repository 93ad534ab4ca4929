// SPDX-License-Identifier: MIT

package apt

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// settingsFile reads a file of the language of apt.conf(5); a setting replaces an earlier one of its name.
func (r *reader) settingsFile(name, text string) {
	words, err := scanSettings(text)
	if err != nil {
		r.note("%s: skipped: %v", name, err)
		return
	}
	var scope []string // the prefixes of the open braces
	var item []string  // the words since the last semicolon or brace
	prefix := ""
	for _, w := range words {
		switch {
		case w.quoted || w.text != "{" && w.text != "}" && w.text != ";":
			item = append(item, w.text)
			continue
		case w.text == "{" && len(item) > 0:
			scope = append(scope, prefix)
			prefix += strings.ToLower(item[0]) + "::"
		case w.text == "}" && len(scope) > 0:
			prefix, scope = scope[len(scope)-1], scope[:len(scope)-1]
		case w.text == ";":
			r.set(name, prefix, item)
		default:
			r.note("%s: skipped from %q on: no name before it, or no brace open", name, w.text)
			return
		}
		item = nil
	}
}

// set takes one setting: a name and a value, of which a name alone, or a value of a list, is of no interest here.
func (r *reader) set(file, prefix string, item []string) {
	switch {
	case len(item) >= 2 && item[0] == "#clear":
		for _, name := range item[1:] {
			r.clear(strings.ToLower(name))
		}
	case len(item) >= 1 && item[0] == "#include":
		r.note("%s: #include is not followed", file)
	case len(item) == 2:
		r.settings[prefix+strings.ToLower(item[0])] = item[1]
	}
}

// clear forgets a setting and all below it.
func (r *reader) clear(name string) {
	maps.DeleteFunc(r.settings, func(key, _ string) bool {
		return key == name || strings.HasPrefix(key, strings.TrimSuffix(name, "::")+"::")
	})
}

// word is a word of apt.conf, or one of the signs "{", "}" and ";".
type word struct {
	text   string
	quoted bool
}

// scanSettings splits the text of an apt.conf into words, without comments.
func scanSettings(text string) ([]word, error) {
	var words []word
	for i := 0; i < len(text); {
		rest := text[i:]
		n, skip := 0, false
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			n, skip = 1, true
		case strings.HasPrefix(rest, "//"), c == '#' && !strings.HasPrefix(rest, "#clear") && !strings.HasPrefix(rest,
			"#include"):
			n, skip = until(rest, "\n"), true
		case strings.HasPrefix(rest, "/*"):
			n, skip = until(rest, "*/"), true
		case c == '"' || c == '\'':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				return nil, fmt.Errorf("quotes that do not end")
			}
			words = append(words, word{rest[1 : end+1], true})
			n, skip = end+2, true
		case strings.IndexByte("{};", c) >= 0:
			n = 1
		default:
			n = len(rest)
			if end := strings.IndexAny(rest, " \t\r\n{};\""); end > 0 {
				n = end
			}
		}
		if !skip {
			words = append(words, word{text: rest[:n]})
		}
		i += n
	}
	return words, nil
}

// until is the length of a text up to the end of a mark, or of all of it.
func until(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

// checkProxies notes proxies that cannot be used.
func (r *reader) checkProxies() {
	for _, name := range slices.Sorted(maps.Keys(r.settings)) {
		value := r.settings[name]
		switch {
		case strings.Contains(name, "::proxy-auto-detect") || strings.Contains(name, "::proxyautodetect"):
			r.note("etc/apt/apt.conf: %s: programs that find proxies are not run", name)
		case strings.HasPrefix(name, "acquire::http::proxy") || strings.HasPrefix(name, "acquire::https::proxy"):
			if _, err := proxyURL(value); err != nil {
				r.note("etc/apt/apt.conf: %s: not the address of a proxy", name)
				delete(r.settings, name)
			}
		}
	}
}

// Proxy is the proxy through which an address of an archive is reached; nil for none. Where ok is false the
// configuration leaves the matter to the environment.
func (c Config) Proxy(of *url.URL) (proxy *url.URL, ok bool) {
	schemes := []string{of.Scheme}
	if of.Scheme == "https" {
		schemes = append(schemes, "http") // the proxy for http serves https as well, where that has none of its own
	}
	for _, scheme := range schemes {
		name := "acquire::" + scheme + "::proxy"
		for _, key := range []string{name + "::" + strings.ToLower(of.Hostname()), name} {
			if value := c.settings[key]; value != "" {
				proxy, err := proxyURL(value)
				return proxy, err == nil
			}
		}
	}
	return nil, false
}

// proxyURL reads a proxy's address; "DIRECT" is none.
func proxyURL(value string) (*url.URL, error) {
	if value == "" || strings.EqualFold(value, "DIRECT") {
		return nil, nil
	}
	u, err := url.Parse(value)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Host == "":
		return nil, fmt.Errorf("no host")
	case u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "socks5" || u.Scheme == "socks5h":
		return u, nil
	}
	return nil, fmt.Errorf("scheme %q", u.Scheme)
}
