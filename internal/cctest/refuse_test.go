// SPDX-License-Identifier: MIT

package cctest

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRefuses gives cc what is not C, or C that it does not support: there is a message, and no program.
func TestRefuses(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ name, text, want string }{
		{"old style function", "int f(a) int a; { return a; }", "1: functions in the old style are not supported"},
		{"designator", "int a[3] = { [1] = 2 };", "1: designators are not supported"},
		{"member designator", "struct { int a; } s = { .a = 2 };", "1: designators are not supported"},
		{"compound literal", "int *p;\nvoid f(void) { p = (int[]){ 1 }; }", "2: compound literals are not supported"},
		{"statement expression", "int f(void) { return ({ 1; }); }", "1: statements in expressions are not supported"},
		{"computed goto", "void f(void *p) { goto *p; }", "1: computed gotos are not supported"},
		{"assembly", "void f(void) { asm(\"nop\"); }", "1: assembly is not supported"},
		{"variable length", "void f(int n) { int a[n]; }", "1: this is not an integer constant"},
		{"attribute", "struct s { char c; int i; } __attribute__((packed));", "1: the attribute packed is not supported"},
		{"large array", "char a[50000][50000];", "1: an array that is too large"},
		{"wide string", "int *s = L\"abc\";", "1: wide characters are not supported"},
		{"two characters", "int i = 'ab';", "1: a character constant of 2 characters"},
		{"large number", "long l = 0x10000000000000000;", "1: a number of more than 64 bits: 0x10000000000000000"},
		{"bad number", "int i = 12ab;", "1: a bad number: 12ab"},
		{"undeclared", "int f(void)\n{\n  return x;\n}", "3: x has not been declared"},
		{"undeclared function", "int f(void) { return g(1); }", "1: g has not been declared"},
		{"no semicolon", "int f(void) { return 1 }", "1: ; is missing before }"},
		{"no expression", "int i = ;", "1: an expression is missing before ;"},
		{"no brace", "int f(void) {", "3: an expression is missing before the end of the file"},
		{"too few arguments", "int g(int, int); int f(void) { return g(1); }", "1: too few arguments"},
		{"too many arguments", "int g(int); int f(void) { return g(1, 2); }", "1: too many arguments"},
		{"call of an object", "int g; int f(void) { return g(1); }", "1: a call of something else"},
		{"no member", "struct s { int a; } s; int i; void f(void) { i = s.b; }", "1: there is no member b"},
		{"incomplete struct", "struct s *p; int f(void) { return p->a; }", "1: this struct has not been defined"},
		{"size of incomplete", "struct s; int i = sizeof(struct s);", "1: the size of this type is not known"},
		{"other struct", "struct { int a; } s; struct { int a; } t; void f(void) { s = t; }", "1: a struct of another type"},
		{"struct and number", "struct { int a; } s; int f(void) { return s + 1; }", "1: not a number"},
		{"assignment to a value", "void f(int a) { a + 1 = 2; }", "1: an assignment to something without a place"},
		{"assignment to an array", "char a[3]; void f(void) { a = 0; }", "1: an assignment to an array or a function"},
		{"address of a bit-field", "struct { int a : 3; } s; int *p; void f(void) { p = &s.a; }", "1: the address of a bit-field"},
		{"sum of pointers", "char *f(char *p) { return p + p; }", "1: a sum of two pointers"},
		{"star of a number", "int f(int a) { return *a; }", "1: * of no pointer"},
		{"void value", "void g(void); int f(void) { return g(); }", "1: there is no value here"},
		{"not constant", "int g; int i = g;", "1: an initialiser that is not constant"},
		{"too many initialisers", "int a[2] = { 1, 2, 3 };", "1: too many initialisers"},
		{"long string", "char a[2] = \"abc\";", "1: a string that is too long"},
		{"value for a flexible array", "struct { int n; char d[]; } s = { 1, \"ab\" };", "1: a value for an array without a length"},
		{"equal cases", "void f(int i) { switch (i) { case 1: case 0: case 1:; } }", "1: two equal cases in a switch"},
		{"case outside", "void f(void) { case 1:; }", "1: case without a switch"},
		{"break outside", "void f(void) { break; }", "1: break out of place"},
		{"no label", "void f(void) { goto end; }", "1: there is no label end"},
		{"two labels", "void f(void) { a: ; a: ; }", "1: the label a is there twice"},
		{"two definitions", "int i = 1; int i = 2;", "1: i has been defined before"},
		{"two functions", "void f(void) { }\nvoid f(void) { }", "2: f has been defined before"},
		{"other declaration", "int f(int); long f(int);", "1: f has been declared as something else"},
		{"two types", "int f; int int g;", "1: a type is missing before g"},
		{"enumerator", "enum { A = 0x80000000 };", "1: an enumerator out of range"},
		{"directive", "\n#include_next <a>", "2: #include_next is not supported"},
		{"pragma", "#pragma pack(1)", "1: #pragma is not supported"},
		{"missing file", "#include \"none.h\"", "1: there is no file none.h"},
		{"error", "#if 1\n#error no  way\n#endif", "2: #error no  way"},
		{"no endif", "\n#if 1\nint i;", "2: this #if has no #endif"},
		{"no endif, skipped", "\n#if 0\nint i;", "2: this #if has no #endif"},
		{"else without if", "#else", "1: #else without an #if"},
		{"macro arguments", "#define A(x, y) x\nint i = A(1);", "2: A: the number of arguments is wrong"},
		{"macro without end", "#define A(x) x\nint i = A(1;", "2: A: the arguments have no end"},
		{"bad paste", "#define A(x) x ## +\nint i = A(1);", "2: ## makes no token of 1+"},
		{"comment", "int i;\n/* no end", "2: a comment has no end"},
		{"string without end", "char *s = \"abc;\n", "1: a quoted text has no end"},
		{"character", "int i = 1 @ 2;", "1: a character that C does not have"},
		{"word over lines", "int ab\\\ncd;", "1: a word that goes on in the next line"},
		{"condition", "#if 1 +\n#endif", "1: an expression is missing before the end of the file"},
		{"not defined", "extern int i; int main(void) { return i; } void exit(int n) { }", "1: i is not defined anywhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench{t, b.dir}
			b.write("t.c", []byte(c.text+"\n"))
			_, stderr, status := b.run("scheme1", "cc.scm", "t.c", "refused.P1")
			if want := "t.c:" + c.want + "\n"; status != 1 || stderr != want {
				t.Errorf("cc gave %d and %q; want 1 and %q", status, stderr, want)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "refused.P1")); err == nil {
				t.Errorf("cc wrote a program")
			}
		})
	}
}
