// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// BenchmarkJob measures what the machine costs.
func BenchmarkJob(b *testing.B) { machinetest.Bench(b, newMachine(b, TransportAuto)) }

// untilShown is how long it takes from the start of a job to a word on the guest's console.
func untilShown(b *testing.B, m *Machine, job machine.Job, blobs store.Blobs, word string) time.Duration {
	b.Helper()
	begin, took := time.Now(), time.Duration(0)
	_, _ = m.Run(b.Context(), job, blobs, func(e machine.Event) { // without an agent it is an error
		if took == 0 && bytes.Contains(e.Console, []byte(word)) {
			took = time.Since(begin)
		}
	})
	if took == 0 {
		b.Fatalf("the console does not show %q", word)
	}
	return took
}

// BenchmarkStart compares the time to the first instruction of an agent with that to a program of an initramfs that holds
// nothing else: it says a word and ends. The latter has the same kernel and machine, and is the least that is possible.
func BenchmarkStart(b *testing.B) {
	blobs := &store.Mem{}
	job := machinetest.Nothing(b, blobs, 1, machine.CallsAny)
	m, bare := newMachine(b, TransportAuto), newMachine(b, TransportAuto)
	program := initOf(
		0xbf, 1, 0, 0, 0, // mov edi, 1
		0xbe, 0x00, 0x00, 0x40, 0x00, // mov esi, 0x400000
		0xba, 4, 0, 0, 0, // mov edx, 4
		0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
		0x0f, 0x05, // syscall
		0xb8, 231, 0, 0, 0, // mov eax, 231 (exit_group)
		0x0f, 0x05, // syscall
	)
	withInit(b, bare, program)
	untilShown(b, m, job, blobs, "rung: ") // what is made once is made
	var agent, least time.Duration
	for b.Loop() {
		agent += untilShown(b, m, job, blobs, "rung: ")
		least += untilShown(b, bare, job, blobs, "\x7fELF")
	}
	b.ReportMetric(float64(agent.Milliseconds())/float64(b.N), "agent-ms")
	b.ReportMetric(float64(least.Milliseconds())/float64(b.N), "least-ms")
}

// BenchmarkExports measures how fast exports come out of a guest: the difference between a job that has them and one
// that makes and keeps them.
func BenchmarkExports(b *testing.B) {
	for _, bench := range []struct {
		transport string
		size      int64
	}{{TransportVirtio, 100 << 20}, {TransportUART, 512 << 10}} {
		b.Run(bench.transport, func(b *testing.B) {
			m := newMachine(b, bench.transport)
			var all time.Duration
			for b.Loop() {
				all += exporting(b, m, bench.size)
			}
			b.ReportMetric(float64(bench.size)*float64(b.N)/1e6/all.Seconds(), "MB/s")
		})
	}
}

// exporting is how long it takes from the end of the last step of a job to its result.
func exporting(b *testing.B, m *Machine, size int64) time.Duration {
	b.Helper()
	blobs := &store.Mem{}
	job := machinetest.Job(b, blobs, nil, fmt.Sprintf("fill out %d", size))
	job.Exports, job.Limits.Output = []string{"out"}, 2*size
	var ended time.Time
	r, err := m.Run(b.Context(), job, blobs, func(e machine.Event) {
		if e.Result != nil {
			ended = time.Now()
		}
	})
	took := time.Since(ended)
	if err != nil || r.Failure != nil {
		b.Fatalf("Run = %+v, %v", r.Failure, err)
	}
	if n, ok := r.Outputs.Lookup("out"); !ok || n.Kind != tree.File || n.Content.Size() != size {
		b.Fatalf("output = %+v; want %d bytes", n, size)
	}
	return took
}
