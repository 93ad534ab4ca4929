// SPDX-License-Identifier: MIT

package scheme1test

import "testing"

func BenchmarkPrograms(b *testing.B) {
	for _, c := range []struct{ name, text, want string }{
		{"fib", "(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (write (fib 30))", "832040"},
		{"loop", "(write (let loop ((i 0)) (if (< i 10000000) (loop (+ i 1)) i)))", "10000000"},
		{"call", "(define (f i) (if (< i 10000000) (f (+ i 1)) i)) (write (f 0))", "10000000"},
		{"deep", "(define (f n) (if (= n 0) 0 (+ 1 (f (- n 1))))) (write (f 1000000))", "1000000"},
		{"prelude", prelude(b), ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			interpreter := plain.scheme1(b)
			for b.Loop() {
				if got := run(b, interpreter, c.text); got.Out != c.want || got.Status != 0 {
					b.Fatalf("%s gave %+v; want the output %q", c.name, got, c.want)
				}
			}
		})
	}
}
