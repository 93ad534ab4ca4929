// SPDX-License-Identifier: MIT

package seedlang

import (
	"math"
	"strings"
)

// value is that of a SUM or, in M1pp, of an expression.
func (e *expander) value(text string, at origin) (int64, error) {
	if !strings.HasPrefix(text, "(") {
		return e.sum(text, at)
	}
	if e.lang != M1pp {
		return 0, at.errorf("%q: M0 has no expressions", clip(text))
	}
	v, rest, err := e.operand(text, at)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = at.errorf("%q: text after the expression", clip(text))
	}
	return v, err
}

// sum adds terms joined by + or -; each may have a - of its own.
func (e *expander) sum(text string, at origin) (int64, error) {
	var total int64
	negative := false
	for rest := text; ; {
		if strings.HasPrefix(rest, "-") {
			negative = !negative
			rest = rest[1:]
		}
		n := strings.IndexAny(rest, "+-")
		if n < 0 {
			n = len(rest)
		}
		v, err := e.term(rest[:n], text, at)
		if err != nil {
			return 0, err
		}
		if negative {
			v = -v
		}
		total += v
		if n == len(rest) {
			return total, nil
		}
		negative = rest[n] == '-'
		rest = rest[n+1:]
	}
}

func (e *expander) term(term, text string, at origin) (int64, error) {
	if term == "" {
		return 0, at.errorf("%q is not a sum: a term is missing", clip(text))
	}
	if term[0] >= '0' && term[0] <= '9' {
		n, err := ParseNumber(term)
		if err != nil {
			return 0, at.errorf("%q: %v", clip(text), err)
		}
		return int64(n), nil
	}
	v, ok := e.consts[term]
	if !ok {
		return 0, at.errorf("constant %q is not defined", clip(term))
	}
	return v, nil
}

// operand reads a SUM or an expression from the front of a text and gives what is left. The lexer bounds the depth of
// what stands in a source; arguments put together by macros are bounded by the length of a word.
func (e *expander) operand(text string, at origin) (v int64, rest string, err error) {
	text = strings.TrimLeft(text, blanks)
	if !strings.HasPrefix(text, "(") {
		n := strings.IndexAny(text, "()"+blanks)
		if n < 0 {
			return 0, "", at.errorf("the expression does not end")
		}
		v, err = e.sum(text[:n], at)
		return v, text[n:], err
	}
	rest = strings.TrimLeft(text[1:], blanks)
	n := strings.IndexAny(rest, "()"+blanks)
	if n < 0 {
		return 0, "", at.errorf("the expression %s does not end", clip(text))
	}
	op, rest := rest[:n], rest[n:]
	a, rest, err := e.operand(rest, at)
	if err != nil {
		return 0, "", err
	}
	b, rest, err := e.operand(rest, at)
	if err != nil {
		return 0, "", err
	}
	rest = strings.TrimLeft(rest, blanks)
	if !strings.HasPrefix(rest, ")") {
		return 0, "", at.errorf("want a closing parenthesis after two operands: %s", clip(text))
	}
	v, err = operate(op, a, b, at)
	return v, rest[1:], err
}

// operate applies an operator of M1pp to signed 64-bit values that wrap.
func operate(op string, a, b int64, at origin) (int64, error) {
	switch op {
	case "/", "%":
		if b == 0 {
			return 0, at.errorf("(%s %d 0): division by zero", op, a)
		}
		if a == math.MinInt64 && b == -1 {
			return 0, at.errorf("(%s %d -1): the quotient does not fit", op, a)
		}
	case "<<", ">>":
		if b < 0 || b > 63 {
			return 0, at.errorf("(%s %d %d): want a shift of 0 to 63", op, a, b)
		}
	}
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		return a / b, nil
	case "%":
		return a % b, nil
	case "&":
		return a & b, nil
	case "|":
		return a | b, nil
	case "^":
		return a ^ b, nil
	case "<<":
		return a << b, nil
	case ">>":
		return a >> b, nil
	}
	return compare(op, a, b, at)
}

func compare(op string, a, b int64, at origin) (int64, error) {
	var yes bool
	switch op {
	case "=":
		yes = a == b
	case "!=":
		yes = a != b
	case "<":
		yes = a < b
	case "<=":
		yes = a <= b
	case ">":
		yes = a > b
	case ">=":
		yes = a >= b
	default:
		return 0, at.errorf("%q is not an operator", clip(op))
	}
	if yes {
		return 1, nil
	}
	return 0, nil
}
