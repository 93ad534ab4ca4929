// SPDX-License-Identifier: MIT

package scheme1test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEnd is about how programs end: status, output and message.
func TestEnd(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       result
	}{
		{"empty", "", result{}},
		{"comment without end of line", "; nothing", result{}},
		{"output is flushed", `(display "text")`, result{Out: "text"}},
		{"exit", `(display "text") (exit 3) (display "more")`, result{Out: "text", Status: 3}},
		{"exit without status", "(exit)", result{}},
		{"exit true", "(exit #t)", result{}},
		{"exit false", "(exit #f)", result{Status: 1}},
		{"exit 256", "(exit 256)", result{}},
		{"exit with a wrong status", "(exit 'a)", failure(1, "exit: not an integer: a")},
		{"error", "\n\n(error \"message\" 1 \"two\" 'three)\n(display 1)", failure(3, `message: 1 "two" three`)},
		{"error without irritants", `(error "message")`, failure(1, "message")},
		{"line of the form", "(car\n'())\n(cdr\n'())", failure(1, "car: not a pair: ()")},
		{"line of a later form", "(car\n'(1))\n;\n(cdr\n'())", failure(4, "cdr: not a pair: ()")},
		{"line within a function", "(define (f x)\n  (car x))\n\n(f 1)", failure(4, "car: not a pair: 1")},
		{"raise", "(raise 'boom)", failure(1, "uncaught: boom")},
		{"raise-continuable", "(raise-continuable '(1 \"2\"))", failure(1, `uncaught: (1 "2")`)},
		{"handler returns", "(with-exception-handler (lambda (c) 1) (lambda () (raise 'x)))", failure(1, "handler returned: x")},
		{"output before an error", "(display 1) (newline) (car 1)",
			result{Out: "1\n", Err: "scheme1: t.scm:1: car: not a pair: 1\n", Status: 1}},
		{"unbound variable", "\nnowhere", failure(2, "unbound variable: nowhere")},
		{"parenthesis missing", "(a\n(b\n", failure(3, "unexpected end of file")},
		{"parenthesis too many", "1\n2)\n", failure(2, "unexpected text")},
		{"string without end", "1\n\"abc\n", failure(3, "unexpected end of file")},
		{"bad character", "\n#\\what", failure(2, "unexpected text")},
		{"bad syntax", "\n(if)", failure(2, "bad syntax: (if)")},
		{"bad body", "(lambda ())", failure(1, "bad syntax: (lambda ())")},
		{"byte in a text", "#u8(1 256)", failure(1, "not a byte: 256")},
		{"improper vector", "#(1 . 2)", failure(1, "not a list: (1 . 2)")},
		{"macro that is none", "(define-macro m 5)", failure(1, "not a procedure: 5")},
		{"too large a size", "(make-vector 1000000000 0)", failure(1, "make-vector: not a size: 1000000000")},
		{"number out of range", "1152921504606846976", failure(1, "number out of range")},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			got := run(t, plain.scheme1(t), c.text)
			got.memory = 0
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("want (-) and got (+) differ:\n%s", diff)
			}
		})
	}
}

// TestLimits is about a scheme1 with little memory.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       result
	}{
		{"stack", "(define (f) (+ 1 (f)))\n(f)", failure(2, "stack overflow")},
		{"stack in the reader", strings.Repeat("(", 1<<16), failure(1, "stack overflow")},
		{"stack in the compiler", "(define (f n x) (if (= n 0) x (f (- n 1) (list '+ 1 x))))\n(define form (f 30000 1))\n(eval form)",
			failure(3, "stack overflow")},
		{"stack in the printer", "(define (f n l) (if (= n 0) l (f (- n 1) (list l))))\n(write (f 100000 '()) (open-output-string))",
			failure(2, "stack overflow")},
		{"stack in equal?", "(define (f n l) (if (= n 0) l (f (- n 1) (list l))))\n(equal? (f 100000 '()) (f 100000 '()))",
			failure(2, "stack overflow")},
		{"stack, caught", `(define (f) (+ 1 (f)))
			(define (g) (call/cc (lambda (k) (with-exception-handler (lambda (e) (k (error-object-message e))) f))))
			(display (list (g) (g)))`, result{Out: "(stack overflow stack overflow)"}},
		{"heap", "(define (f l) (f (cons 1 l)))\n(f '())", failure(2, "out of memory")},
		{"heap at once", "(make-vector 2000000 0)", failure(1, "out of memory")},
		{"heap by a string", "(define (f s) (f (string-append s s)))\n(f \"12345678\")", failure(2, "out of memory")},
		{"heap by a port", "(define (f) (write 'abc p) (f))\n(define p (open-output-string))\n(f)", failure(3, "out of memory")},
		{"heap by closures", "(define (f k) (f (lambda () k)))\n(f 1)", failure(2, "out of memory")},
		{"heap by a table", "(define h (make-hash-table))\n(let f ((i 0)) (hash-table-set! h i i) (f (+ i 1)))",
			failure(2, "out of memory")},
		{"output before it", "(display 1)\n(make-vector 2000000 0)",
			result{Out: "1", Err: "scheme1: t.scm:2: out of memory\n", Status: 1}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			got := run(t, small.scheme1(t), c.text)
			got.memory = 0
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("want (-) and got (+) differ:\n%s", diff)
			}
		})
	}
}

// failure is the end of a program with an error on a line.
func failure(line int, message string) result {
	return result{Err: fmt.Sprintf("scheme1: t.scm:%d: %s\n", line, message), Status: 1}
}

func TestEndWithoutProgram(t *testing.T) {
	for _, c := range []struct {
		args []string
		want result
	}{
		{nil, result{Err: "scheme1: usage: scheme1 FILE.scm ARGUMENT...\n", Status: 1}},
		{[]string{"missing.scm"}, result{Err: "scheme1: missing.scm: cannot open: \"missing.scm\"\n", Status: 1}},
		{[]string{"."}, result{Err: "scheme1: .: cannot read\n", Status: 1}},
	} {
		got := runIn(t, t.TempDir(), plain.scheme1(t), c.args...)
		got.memory = 0
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("scheme1 %q: want (-) and got (+) differ:\n%s", c.args, diff)
		}
	}
}

// TestMemory runs programs that must not need more memory the longer they run. Each allocates more than the limit in
// all; the limit leaves room for what the kernel counts of the process that started the program.
func TestMemory(t *testing.T) {
	const limit = 256 << 10 // KiB
	for _, c := range []struct{ name, text, want string }{
		{"tail-calls", "(define (f n) (if (= n 0) 'done (f (- n 1)))) (write (f 20000000))", "done"},
		{"loop", "(write (let loop ((i 0)) (if (< i 100000000) (loop (+ i 1)) i)))", "100000000"},
		{"garbage", "(define (f n) (if (= n 0) 'done (begin (make-vector 100 n) (f (- n 1))))) (write (f 500000))", "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, plain.scheme1(t), c.text)
			if got.Out != c.want || got.Err != "" || got.Status != 0 {
				t.Errorf("%s gave %+v; want the output %q", c.text, got, c.want)
			}
			if got.memory > limit {
				t.Errorf("%s needed %d KiB; want at most %d", c.text, got.memory, limit)
			}
		})
	}
}
