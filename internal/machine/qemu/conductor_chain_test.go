// SPDX-License-Identifier: MIT

package qemu

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/seed"
)

// newConducted is a machine with the kernel that tests boot, without KVM.
func newConducted(t testing.TB, scheme Scheme) *SchemeMachine {
	t.Helper()
	need.Arch(t, arch)
	return NewScheme(Options{
		Options: agent.Options{Now: time.Now}, Program: need.Tool(t, "qemu-system-x86_64"), Kernel: need.Kernel(t), Accel: accelTCG,
	}, scheme)
}

// TestConductedChainHasItsAnswers climbs the stages below scheme1, one program a boot. Run compares each export with its
// answer.
func TestConductedChainHasItsAnswers(t *testing.T) {
	plan, err := chain.Load("seed", seed.Files(), arch)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = plan.Through("boot2"); err != nil {
		t.Fatal(err)
	}
	blobs := &store.Mem{}
	m := newConducted(t, func(machine.Job) (digest.Digest, bool) { return digest.Digest{}, false })
	book, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := chain.Run(t.Context(), plan, chain.Options{
		Blobs: blobs, Actions: blobs, Ledger: book, Machine: m, Jobs: 2, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Stages {
		t.Logf("%s: %v", s.Stage.Name, s.Wall)
	}
}
