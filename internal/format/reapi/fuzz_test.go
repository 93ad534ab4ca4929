// SPDX-License-Identifier: MIT

package reapi

import (
	"bytes"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rung-build/rung/internal/digest"
)

// kind is one message type: what we make of bytes, and what the generated code makes of them.
type kind struct {
	name    string
	recode  func([]byte) ([]byte, error)
	message proto.Message
}

func recode[T encoder](decode func([]byte) (T, error)) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		m, err := decode(b)
		if err != nil {
			return nil, err
		}
		return m.Encode()
	}
}

func kinds() []kind {
	return []kind{
		{"command", recode(DecodeCommand), &repb.Command{}},
		{"action", recode(DecodeAction), &repb.Action{}},
		{"directory", recode(DecodeDirectory), &repb.Directory{}},
	}
}

// FuzzDecode checks for each message type that what decodes is canonical: it encodes to the same bytes, by us and by
// the generated code.
func FuzzDecode(f *testing.F) {
	command, _ := sampleCommand()
	_, directories, err := Directories(sampleTree(f))
	if err != nil {
		f.Fatal(err)
	}
	d := digest.Of([]byte("content"))
	seeds := [][]byte{
		mustEncode(f, command, DecodeCommand),
		mustEncode(f, Action{d, d, 1500 * time.Millisecond, []Pair{{"a", "b"}}}, DecodeAction),
		directories[len(directories)-1],
	}
	for i, seed := range seeds {
		if !checkCanonical(f, kinds()[i], seed) {
			f.Fatalf("the %s seed does not reach the end", kinds()[i].name)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range kinds() {
			checkCanonical(t, k, b)
		}
	})
}

// checkCanonical tells whether bytes decode.
func checkCanonical(t testing.TB, k kind, b []byte) bool {
	ours, err := k.recode(b)
	if err != nil {
		return false
	}
	if !bytes.Equal(ours, b) {
		t.Errorf("%s: %x decodes, and encodes to %x", k.name, b, ours)
	}
	if err := proto.Unmarshal(b, k.message); err != nil {
		t.Fatalf("%s: the generated code refuses %x: %v", k.name, b, err)
	}
	if generated := marshal(t, k.message); !bytes.Equal(generated, b) {
		t.Errorf("%s: %x is encoded by the generated code as %x", k.name, b, generated)
	}
	return true
}
