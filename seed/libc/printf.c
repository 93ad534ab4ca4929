/* SPDX-License-Identifier: MIT */
/*
 * Text from values. Of printf's conversions there are d i u x X o c s p and %;
 * floating-point numbers, which tcc prints only to tell how fast it was, come
 * out as "?".
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the text goes; counts on where there is no room. */
struct sink {
	char *to;
	size_t room;
	size_t n;
};

static void put(struct sink *s, int c)
{
	if (s->n < s->room)
		s->to[s->n] = c;
	s->n++;
}

static void pad(struct sink *s, int c, int n)
{
	while (n > 0) {
		put(s, c);
		n--;
	}
}

/* A conversion: what stands between % and its letter. */
struct form {
	int left, zero, plus, other; /* flags - 0 + # */
	int width, precision; /* precision -1: none */
};

/* The text of n bytes, behind a sign or 0x, in a field. */
static void field(struct sink *s, struct form *f, char *front, char *text,
	int n, int zeros)
{
	int fill = f->width - (int)strlen(front) - zeros - n;

	if (!f->left && !f->zero)
		pad(s, ' ', fill);
	while (*front)
		put(s, *front++);
	if (!f->left && f->zero)
		pad(s, '0', fill);
	pad(s, '0', zeros);
	while (n > 0) {
		put(s, *text++);
		n--;
	}
	if (f->left)
		pad(s, ' ', fill);
}

static void number(struct sink *s, struct form *f, char *front,
	unsigned long v, int base, char *digits)
{
	char text[24];
	int at = 24;
	int n;

	while (v) {
		text[--at] = digits[v % base];
		v /= base;
	}
	n = 24 - at;
	if (f->precision < 0)
		f->precision = 1;
	else
		f->zero = 0;
	field(s, f, front, text + at, n,
		f->precision > n ? f->precision - n : 0);
}

/* An argument of the size that h, l, ll and z say: -2 to 2 for hh to ll. */
static unsigned long argument(va_list *ap, int size, int is_signed)
{
	unsigned long v = size > 0 ? va_arg(*ap, unsigned long)
		: (unsigned long)(long)va_arg(*ap, int);

	if (size == -1)
		return is_signed ? (unsigned long)(short)v : (unsigned short)v;
	if (size == -2)
		return is_signed ? (unsigned long)(signed char)v
			: (unsigned char)v;
	if (size == 0 && !is_signed)
		return (unsigned int)v;
	return v;
}

static const char *flags_of(const char *p, struct form *f)
{
	memset(f, 0, sizeof(*f));
	f->precision = -1;
	while (1) {
		if (*p == '-')
			f->left = 1;
		else if (*p == '0')
			f->zero = 1;
		else if (*p == '+')
			f->plus = 1;
		else if (*p == '#')
			f->other = 1;
		else
			return p;
		p++;
	}
}

static const char *count(const char *p, int *n, va_list *ap)
{
	if (*p == '*') {
		*n = va_arg(*ap, int);
		return p + 1;
	}
	*n = 0;
	while (*p >= '0' && *p <= '9')
		*n = *n * 10 + *p++ - '0';
	return p;
}

static void string(struct sink *s, struct form *f, char *text)
{
	int n = 0;

	if (text == NULL)
		text = "(null)";
	while (n != f->precision && text[n])
		n++;
	f->zero = 0;
	field(s, f, "", text, n, 0);
}

static void convert(struct sink *s, struct form *f, int letter, int size,
	va_list *ap)
{
	unsigned long v;
	char c;

	if (letter == 'd' || letter == 'i') {
		v = argument(ap, size, 1);
		if ((long)v < 0)
			number(s, f, "-", -v, 10, "0123456789");
		else
			number(s, f, f->plus ? "+" : "", v, 10, "0123456789");
	} else if (letter == 'u') {
		number(s, f, "", argument(ap, size, 0), 10, "0123456789");
	} else if (letter == 'o') {
		number(s, f, "", argument(ap, size, 0), 8, "01234567");
	} else if (letter == 'x' || letter == 'p') {
		v = argument(ap, letter == 'p' ? 1 : size, 0);
		number(s, f, letter == 'p' || (f->other && v) ? "0x" : "", v,
			16, "0123456789abcdef");
	} else if (letter == 'X') {
		v = argument(ap, size, 0);
		number(s, f, f->other && v ? "0X" : "", v, 16,
			"0123456789ABCDEF");
	} else if (letter == 'c') {
		c = va_arg(*ap, int);
		f->zero = 0;
		field(s, f, "", &c, 1, 0);
	} else if (letter == 's') {
		string(s, f, va_arg(*ap, char *));
	} else if (letter == 'e' || letter == 'f' || letter == 'g') {
		va_arg(*ap, double);
		string(s, f, "?");
	} else {
		put(s, letter);
	}
}

/* Writes the text for a format, without the zero behind it. */
static void format_to(struct sink *s, const char *p, va_list *ap)
{
	struct form f;
	int size;

	while (*p) {
		if (*p != '%') {
			put(s, *p++);
			continue;
		}
		p = flags_of(p + 1, &f);
		p = count(p, &f.width, ap);
		if (f.width < 0) {
			f.left = 1;
			f.width = -f.width;
		}
		if (*p == '.')
			p = count(p + 1, &f.precision, ap);
		size = 0;
		while (*p == 'l' || *p == 'h' || *p == 'z' || *p == 'j') {
			size += *p == 'h' ? -1 : 1;
			p++;
		}
		if (*p == 0)
			return;
		convert(s, &f, *p++, size, ap);
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list ap)
{
	struct sink s;
	va_list copy;

	s.to = to;
	s.room = size;
	s.n = 0;
	va_copy(copy, ap);
	format_to(&s, format, &copy);
	va_end(copy);
	if (size)
		to[s.n < size ? s.n : size - 1] = 0;
	return s.n;
}

int vfprintf(FILE *f, const char *format, va_list ap)
{
	char text[4096];
	int n = vsnprintf(text, sizeof(text), format, ap);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	return fwrite(text, 1, n, f) == (size_t)n ? n : EOF;
}

int fprintf(FILE *f, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vfprintf(f, format, ap);
	va_end(ap);
	return n;
}

int printf(const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vfprintf(stdout, format, ap);
	va_end(ap);
	return n;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(to, size, format, ap);
	va_end(ap);
	return n;
}

int sprintf(char *to, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(to, 0x7FFFFFFF, format, ap);
	va_end(ap);
	return n;
}

/* Knows %d and letters that must be there, which is what tcc asks of it. */
int sscanf(const char *s, const char *format, ...)
{
	va_list ap;
	int done = 0;
	int *to;

	va_start(ap, format);
	while (*format) {
		if (*format != '%') {
			if (*s++ != *format++)
				break;
			continue;
		}
		format += 2;
		if (*s < '0' || *s > '9')
			break;
		to = va_arg(ap, int *);
		*to = 0;
		while (*s >= '0' && *s <= '9')
			*to = *to * 10 + *s++ - '0';
		done++;
	}
	va_end(ap);
	return done;
}
