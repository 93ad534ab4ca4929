// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/rung-build/rung/internal/source/apt"
)

// client asks servers. What is one of apt's archives goes through apt's proxies.
type client struct {
	http, apt *http.Client
	stall     time.Duration
}

// maxRedirects is how often a server may send us on; mirrors of upstream projects do so twice or three times.
const maxRedirects = 5

var errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)

func newClient(o Options) client {
	env := environment(o.Env)
	make := func(proxy func(*url.URL) (*url.URL, error)) *http.Client {
		transport := o.Transport
		if transport == nil {
			transport = &http.Transport{
				Proxy:                  func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
				DialContext:            (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
				TLSHandshakeTimeout:    15 * time.Second,
				ForceAttemptHTTP2:      true,
				DisableCompression:     true, // a digest is that of the bytes as they are sent
				MaxResponseHeaderBytes: 64 << 10,
				IdleConnTimeout:        10 * time.Second,
			}
		}
		return &http.Client{Transport: transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errRedirects
			}
			return nil
		}}
	}
	return client{http: make(env), apt: make(withApt(o.Apt, env)), stall: o.Stall}
}

// environment are the proxies of the usual variables, of which the lower-case ones count more.
func environment(env func(string) string) func(*url.URL) (*url.URL, error) {
	if env == nil {
		return func(*url.URL) (*url.URL, error) { return nil, nil }
	}
	get := func(lower, upper string) string {
		if v := env(lower); v != "" {
			return v
		}
		return env(upper)
	}
	config := httpproxy.Config{HTTPProxy: get("http_proxy", "HTTP_PROXY"), HTTPSProxy: get("https_proxy", "HTTPS_PROXY"),
		NoProxy: get("no_proxy", "NO_PROXY")}
	return config.ProxyFunc()
}

// withApt asks apt's configuration first, as apt does.
func withApt(c apt.Config, env func(*url.URL) (*url.URL, error)) func(*url.URL) (*url.URL, error) {
	return func(u *url.URL) (*url.URL, error) {
		if proxy, ok := c.Proxy(u); ok {
			return proxy, nil
		}
		return env(u)
	}
}

// get asks for a file, from an offset on where that is more than 0 and the server still has the version of the
// validator. The body has to be closed.
func (c client) get(ctx context.Context, p place, offset int64, validator string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return nil, errors.New("not an address")
	}
	r.Header.Set("User-Agent", "rung")
	r.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		r.Header.Set("If-Range", validator)
	}
	client := c.http
	if p.apt {
		client = c.apt
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, plainly(err)
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
		return response, nil
	}
	response.Body.Close()
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // the other form, a date, needs a clock
	return nil, &statusError{response.StatusCode, time.Duration(max(0, min(seconds, 3600))) * time.Second}
}

// plainly takes the method and the address from an error: the address stands before it anyway, and may have a
// password.
func plainly(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// statusError is an answer that is no file.
type statusError struct {
	code  int
	after time.Duration // what the server wants us to wait; 0 where it says nothing
}

func (e *statusError) Error() string { return fmt.Sprintf("%d %s", e.code, http.StatusText(e.code)) }

func (e *statusError) absent() bool {
	return e.code == http.StatusNotFound || e.code == http.StatusGone
}

// passing tells whether an error may be gone the next time. A server that cannot be reached is not asked again, since
// the next place may be quicker than the wait; one that breaks off is.
func passing(err error) bool {
	var status *statusError
	var large *tooLargeError
	var final *finalError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &status):
		return status.code >= 500 && status.code != http.StatusNotImplemented || status.code == http.StatusRequestTimeout ||
			status.code == http.StatusTooManyRequests || status.code == http.StatusRequestedRangeNotSatisfiable
	case errors.As(err, &large), errors.As(err, &final), errors.Is(err, errRedirects):
		return false
	case errors.As(err, &dns):
		return false
	case errors.As(err, &op):
		return op.Op != "dial"
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, errStalled) ||
		errors.Is(err, errRange) || isTimeout(err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

var errStalled = errors.New("next to nothing arrived any more")

// leastBytes have to arrive in the time of one stall, or the place is given up: a server that sends a byte a minute
// would otherwise hold us for days.
const leastBytes = 1 << 10

// watched is a context that ends where the bytes that are counted no longer come. Its stop has to be called.
func (c client) watched(ctx context.Context) (inner context.Context, count *atomic.Int64, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	count = new(atomic.Int64)
	go func() {
		tick := time.NewTicker(c.stall)
		defer tick.Stop()
		for before := int64(0); ; {
			select {
			case <-inner.Done():
				return
			case <-tick.C:
				now := count.Load()
				if now-before < leastBytes {
					cancel(errStalled)
				}
				before = now
			}
		}
	}()
	return inner, count, func() { cancel(nil) }
}

// whyEnded names a stall for what it is: the transport says only that the context has ended.
func whyEnded(ctx context.Context, stall time.Duration, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return fmt.Errorf("%w: less than %d bytes in %v", errStalled, leastBytes, stall)
	}
	return err
}

// lists are the lists of archives that were read, each once. The zero value is ready for use.
type lists struct {
	mu    sync.Mutex // held while a list is read: whoever else wants it waits
	known map[string]listed
}

type listed struct {
	addresses []string
	err       error
}

// get reads a list of archives of at most 1 MiB.
func (l *lists) get(ctx context.Context, address string, c client) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.known[address]; ok {
		return known.addresses, known.err
	}
	text, err := c.text(ctx, address, 1<<20)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if l.known == nil {
		l.known = map[string]listed{}
	}
	l.known[address] = listed{apt.ParseList(text), err}
	return l.known[address].addresses, err
}

// text reads a small file.
func (c client) text(ctx context.Context, address string, limit int64) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("not an address")
	}
	ctx, _, stop := c.watched(ctx) // nothing is counted: it has to come within one stall
	defer stop()
	response, err := c.get(ctx, place{url: u, apt: true}, 0, "")
	if err != nil {
		return "", whyEnded(ctx, c.stall, err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = &tooLargeError{limit}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", whyEnded(ctx, c.stall, err)
	}
	return string(b), nil
}
