// SPDX-License-Identifier: MIT

//go:build live

package live

import (
	"io"
	"os"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/tree"
)

func TestX(t *testing.T) {
	c, err := Open(os.Getenv("RUNG_LIVE_CHECKOUT"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Plan(Options{Mode: QEMU, Arch: "x86", Target: "/tmp/lbrun/q", Cores: 2, RAM: 4096, TargetSize: 2048, QEMUCommand: "qemu-system-x86_64", Mirrors: []string{"http://127.0.0.1:1"}}, c.Hold(nil))
	if err != nil {
		t.Fatal(err)
	}
	m := &p.Media[0]
	f, err := os.Create("/tmp/lbrun/init.img")
	if err != nil {
		t.Fatal(err)
	}
	err = srcfs.Encode(f, m.boot, m.tree, func(n tree.Node) (io.ReadCloser, error) { return m.at[n.Path].open(p.Checkout.Hold(nil)) })
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(2 << 30)
	t.Log(p.Command, digest.Digest{})
}
