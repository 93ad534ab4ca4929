// SPDX-License-Identifier: MIT

package qemu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/arch/x86/x86asm"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/need"
)

// program writes a program of the shell.
func program(t *testing.T, text string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(at, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestProbeComesToItsEnd(t *testing.T) {
	need.Arch(t, "amd64")
	if err := probe(t.Context(), need.Tool(t, "qemu-system-x86_64"), accelTCG, time.Minute); err != nil {
		t.Errorf("probe(tcg) = %v; want nil", err)
	}
}

func TestProbeSaysWhatIsWrong(t *testing.T) {
	tests := []struct{ text, want string }{
		{"exit 0", "ended QEMU with exit status 0"},
		{"echo no such accelerator >&2; exit 1", "ended QEMU with exit status 1: no such accelerator"},
		{"exec sleep 1000", "did not come to its end in 50ms"},
		{"sleep 1000 & wait", "did not come to its end in 50ms"},
	}
	for _, tt := range tests {
		begin := time.Now()
		err := probe(t.Context(), program(t, tt.text), accelKVM, 50*time.Millisecond)
		if tt.text == "exit 0" || strings.HasPrefix(tt.text, "echo") { // a machine with other work may need more
			err = probe(t.Context(), program(t, tt.text), accelKVM, time.Minute)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("probe(%s) = %v; want an error with %q", tt.text, err, tt.want)
		}
		if took := time.Since(begin); took > endTime+20*time.Second {
			t.Errorf("probe(%s) took %v", tt.text, took)
		}
	}
	if err := probe(t.Context(), "/no/such/program", accelKVM, time.Second); err == nil {
		t.Error("probe(no program) = nil; want an error")
	}
}

// TestProbeImageHasItsTablesWhereItSays reads the code with a disassembler: a far jump has to lead to where code of its
// width starts, and lgdt to the table.
func TestProbeImageHasItsTablesWhereItSays(t *testing.T) {
	image := probeImage()
	if len(image) != probeSize {
		t.Fatalf("%d bytes; want %d", len(image), probeSize)
	}
	starts := []int{0, 0x18, 0x7f, probeGDTAt}
	for i, mode := range []int{16, 32, 64} {
		at := starts[i]
		for at < starts[i+1] && image[at] != 0 {
			inst, err := x86asm.Decode(image[at:], mode)
			if err != nil {
				t.Fatalf("at %#x, %d bits: %v", at, mode, err)
			}
			at += inst.Len
		}
		if i < 2 && at != starts[i+1] {
			t.Errorf("%d bits: the last instruction ends at %#x; want %#x", mode, at, starts[i+1])
		}
	}
}

func TestChooseAccel(t *testing.T) {
	ctx := t.Context()
	if a, err := chooseAccel(ctx, accelTCG, "/no/such/program", "", ""); err != nil || a != (accel{accelTCG, "asked for"}) {
		t.Errorf("chooseAccel(tcg) = %+v, %v; want tcg, as asked for", a, err)
	}
	if _, err := chooseAccel(ctx, "xen", "/no/such/program", "", ""); fault.KindOf(err) != fault.Usage {
		t.Errorf("chooseAccel(xen) = %v; want a fault of kind usage", err)
	}
	given, err := chooseAccel(ctx, accelKVM, "/no/such/program", "", "")
	found, findErr := chooseAccel(ctx, "", "/no/such/program", "", "")
	if findErr != nil || found.name != accelTCG {
		t.Errorf("chooseAccel(QEMU does not start) = %+v, %v; want tcg", found, findErr)
	}
	if canOpenKVM() == nil {
		if err != nil || given.name != accelKVM {
			t.Errorf("chooseAccel(kvm) = %+v, %v; want kvm without a try", given, err)
		}
		if want := "KVM is there and does not work: starting /no/such/program"; !strings.HasPrefix(found.why, want) {
			t.Errorf("chooseAccel(QEMU does not start) says %q; want %q", found.why, want)
		}
		return
	}
	if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
		t.Errorf("chooseAccel(kvm) = %v; want a fault of kind unavailable with a hint", err)
	}
	if want := "there is no KVM: /dev/kvm: "; !strings.HasPrefix(found.why, want) {
		t.Errorf("chooseAccel says %q; want %q", found.why, want)
	}
}

func TestChooseAccelEndsWithItsContext(t *testing.T) {
	if canOpenKVM() != nil {
		need.Unmet(t, "/dev/kvm")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	folder := t.TempDir()
	_, err := chooseAccel(ctx, "", program(t, "exec sleep 1000"), "7", folder)
	if fault.KindOf(err) != fault.Interrupted {
		t.Errorf("chooseAccel = %v; want a fault of kind interrupted", err)
	}
	if _, known := recall(folder, answer{}); known {
		t.Error("an answer was kept that nobody has found out")
	}
}

func TestAnswerIsKeptForOneStartOfTheHost(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "here")
	now := answer{Boot: "b1", QEMU: "7.2"}
	if _, ok := recall(folder, now); ok {
		t.Error("recall from an empty folder = ok")
	}
	kept := now
	kept.Broken = "too slow"
	remember(folder, kept)
	if got, ok := recall(folder, now); !ok || got != kept {
		t.Errorf("recall = %+v, %v; want %+v", got, ok, kept)
	}
	for _, other := range []answer{{Boot: "b2", QEMU: "7.2"}, {Boot: "b1", QEMU: "8.0"}} {
		if _, ok := recall(folder, other); ok {
			t.Errorf("recall(%+v) = ok; want to ask again", other)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want one file", entries, err)
	}
	if err := os.WriteFile(filepath.Join(folder, answerFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := recall(folder, now); ok {
		t.Error("recall of a damaged file = ok; want to ask again")
	}
	remember("/dev/null/folder", kept) // and no harm is done
	if got := kept.accel(); got.name != accelTCG || got.why != "KVM is there and does not work: too slow" {
		t.Errorf("accel of a KVM that is too slow = %+v", got)
	}
	if got := now.accel(); got.name != accelKVM {
		t.Errorf("accel of a KVM that works = %+v", got)
	}
}
