// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// answerHead is how many first bytes of a file Ask gives: as many as tell a packing by its mark.
const answerHead = 16

// Answer is what a place says of a file.
type Answer struct {
	Size int64  // bytes; -1 where the place does not tell
	Head []byte // its first bytes, up to 16
}

// Ask asks a place, by http, https or file, whether it has a file, and for no more of it than the first bytes. It takes
// no longer than twice Options.Stall. TroubleOf sorts the error.
func (f *Fetcher) Ask(ctx context.Context, address string) (Answer, error) {
	p := plainPlace(address)
	switch {
	case p.problem != nil:
		return Answer{}, p.problem
	case p.url == nil:
		return askFile(p.path)
	}
	inner, _, stop := f.client.watched(ctx) // nothing is counted: all has to come within one stall
	defer stop()
	a, err := f.askServer(inner, p)
	return a, whyEnded(inner, f.Stall, err)
}

func (f *Fetcher) askServer(ctx context.Context, p place) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return Answer{}, errors.New("not an address")
	}
	r.Header.Set("User-Agent", "rung")
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("Range", "bytes=0-"+strconv.Itoa(answerHead-1))
	response, err := f.client.http.Do(r)
	if err != nil {
		return Answer{}, plainly(err)
	}
	defer response.Body.Close()
	a := Answer{Size: response.ContentLength}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusRequestedRangeNotSatisfiable: // an empty file has no first byte
		a.Size = totalOf(response)
		return a, nil
	case http.StatusPartialContent:
		a.Size = totalOf(response)
	default:
		return Answer{}, &statusError{code: response.StatusCode}
	}
	a.Head, err = readHead(response.Body)
	return a, err
}

// totalOf is the size that a Content-Range tells: "bytes 0-15/1234", "bytes */0"; -1 where it tells none.
func totalOf(response *http.Response) int64 {
	_, total, _ := strings.Cut(response.Header.Get("Content-Range"), "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil || size < 0 {
		return -1
	}
	return size
}

func askFile(name string) (Answer, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Answer{}, bare(err)
	}
	if !info.Mode().IsRegular() {
		return Answer{}, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return Answer{}, bare(err)
	}
	defer f.Close()
	head, err := readHead(f)
	return Answer{info.Size(), head}, err
}

func readHead(r io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(r, answerHead))
	if err != nil {
		return nil, err
	}
	return head, nil
}
