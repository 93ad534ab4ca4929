// SPDX-License-Identifier: MIT

package manifest

// condition reads the predicate that a line may end with.
func (p *parser) condition(d *Directive) bool {
	open, ok := p.take()
	if !ok {
		return true
	}
	if open.text != "(" {
		return p.stop(open.column, "%q after the arguments of %s: the guest wants logic to begin with ( and ends\n"+
			"put a predicate in ( ) with single spaces, and text after a #", open.text, p.tokens[0].text)
	}
	if d.If, ok = p.logic(open); !ok {
		return false
	}
	for junk, more := p.take(); more; junk, more = p.take() {
		if junk.text != "" {
			p.error(junk.column, "%q after the ) is not read by the guest\n"+
				"join predicates with && or || inside one pair of brackets", junk.text)
			break
		}
	}
	return true
}

// logic reads a predicate after its opening bracket, up to and with the closing one.
func (p *parser) logic(open token) (*Predicate, bool) {
	first, ok := p.comparison(open)
	if !ok {
		return nil, false
	}
	and := false
	for q := first; q.Rest != nil; q = q.Rest {
		if q.Join == "||" && and {
			p.warn(q.Pos.Column, "&& and then ||: the guest reads %s\nsay it in an order that needs no brackets", first)
			break
		}
		and = and || q.Join == "&&"
	}
	return first, true
}

// comparison reads one comparison and what it is joined to.
func (p *parser) comparison(before token) (*Predicate, bool) {
	name, ok := p.take()
	if !ok {
		return nil, p.stop(name.column, "nothing after %s: the guest crashes\n"+
			"write NAME == VALUE and close the bracket", before.text)
	}
	q := &Predicate{Pos: p.at(name.column), Name: name.text}
	op, ok := p.take()
	switch {
	case !ok:
		return nil, p.unclosed(op.column)
	case op.text == ")":
		p.lone(name)
		return q, true
	case op.text != "==" && op.text != "!=":
		return nil, p.stop(op.column, "%q after %s: the guest expects == or != and ends\n"+
			"write NAME == VALUE; brackets do not nest", op.text, name.text)
	}
	value, ok := p.take()
	if !ok {
		return nil, p.stop(value.column, "%s is compared with nothing: the guest crashes\n"+
			"write a value and close the bracket", name.text)
	}
	q.Op, q.Value = op.text, value.text
	p.operands(name, value)
	return q, p.join(q)
}

// join reads what follows a comparison.
func (p *parser) join(q *Predicate) bool {
	join, ok := p.take()
	switch {
	case !ok:
		return p.unclosed(join.column)
	case join.text == ")":
		return true
	case join.text == "||" || join.text == "&&":
		q.Join = join.text
		q.Rest, ok = p.comparison(join)
		return ok
	}
	return p.stop(join.column, "%q after a comparison: the guest expects || or && and ends\n"+
		"join with || or &&, or close the bracket after a space", join.text)
}

func (p *parser) unclosed(column int) bool {
	return p.stop(column, "the predicate has no ): the guest crashes\nclose it with a space and )")
}

// lone checks a name that stands alone.
func (p *parser) lone(name token) {
	if name.text != "True" && name.text != "False" {
		p.error(name.column, "%s alone is not the variable's value: the guest takes the name itself, which is not True\n"+
			"write %[1]s == True", name.text)
	}
}

// operands checks both sides of a comparison.
func (p *parser) operands(name, value token) {
	if !identifier(name.text) {
		p.error(name.column, "%q is compared, and is no name of a variable\n"+
			"write the variable first, and brackets not nested", name.text)
	}
	switch value.text {
	case "":
		p.warn(value.column, "two spaces in a row: %s is compared with the empty value\n"+
			"use one space if a value was meant", name.text)
	case ")", "(", "||", "&&", "==", "!=":
		p.error(value.column, "%s is compared with %q itself\nwrite a value there", name.text, value.text)
	}
}

// String is the predicate without outer brackets, with brackets where the guest's reading differs from the usual one.
func (q *Predicate) String() string {
	s := q.Name
	if q.Op != "" {
		s += " " + q.Op + " " + q.Value
	}
	switch {
	case q.Rest == nil:
		return s
	case q.Join == "&&" && q.Rest.mixed():
		return s + " && (" + q.Rest.String() + ")"
	}
	return s + " " + q.Join + " " + q.Rest.String()
}

// mixed tells whether there is an || in the chain.
func (q *Predicate) mixed() bool {
	for ; q.Rest != nil; q = q.Rest {
		if q.Join == "||" {
			return true
		}
	}
	return false
}

// Result is what the guest computes: "True" or "False", or the name of a predicate that is one name alone.
func (q *Predicate) Result(c Config) string {
	if q.Op == "" {
		return q.Name
	}
	holds := (c.Get(q.Name) == q.Value) == (q.Op == "==")
	switch q.Join {
	case "||":
		holds = q.Rest.Holds(c) || holds
	case "&&":
		holds = q.Rest.Holds(c) && holds
	}
	if holds {
		return "True"
	}
	return "False"
}

// Holds tells whether the result is True. A predicate that is nil holds.
func (q *Predicate) Holds(c Config) bool { return q == nil || q.Result(c) == "True" }
