/* SPDX-License-Identifier: MIT */
/* Text, numbers without a point, files, sorting, dates. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <iconv.h>
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <regex.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>
#include "check.h"

/* The format gives the text, and its length. */
static int gives(const char *want, const char *format, ...)
{
	char got[400];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(got, sizeof(got), format, ap);
	va_end(ap);
	if (strcmp(got, want) != 0)
		printf("got %s\n", got);
	return strcmp(got, want) == 0 && n == strlen(want);
}

static void printing(void)
{
	char small[4];
	int n = 0;

	CHECK(gives("  42|42   |00042|+42|-42", "%4d|%-5d|%05d|%+d|%d", 42, 42, 42, 42, -42));
	CHECK(gives("ff FF 0xff 377 0377", "%x %X %#x %o %#o", 255, 255, 255, 255, 255));
	CHECK(gives("-9223372036854775808 18446744073709551615", "%lld %llu", LLONG_MIN, ULLONG_MAX));
	CHECK(gives("-1 255 -1 65535", "%hhd %hhu %hd %hu", 255, 255, 65535, 65535));
	CHECK(gives("abc|  abc|abc  |ab", "%s|%5s|%-5s|%.2s", "abc", "abc", "abc", "abc"));
	CHECK(gives("   7|7   |007", "%*d|%-*d|%.*d", 4, 7, 4, 7, 3, 7));
	CHECK(gives("b a", "%2$s %1$s", "a", "b"));
	CHECK(gives("x%y z", "x%%y %c", 'z'));
	CHECK(gives("12345678901 0x123456789abcdef0", "%jd %#" PRIx64, (intmax_t)12345678901, (uint64_t)0x123456789abcdef0));
	CHECK(gives("", "%.0d", 0));
	CHECK(snprintf(small, 4, "%d", 123456) == 6 && strcmp(small, "123") == 0);
	CHECK(sprintf((char[20]){ 0 }, "ab%ncd", &n) == 4 && n == 2);
	CHECK(gives("1 2 3 4 5 6 7 8 9 10", "%d %d %d %d %d %d %d %d %d %d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

static void scanning(void)
{
	int a, b, n;
	unsigned x;
	long long l;
	char word[20], set[20], c;

	CHECK(sscanf(" 12 -34 ff word", "%d %d %x %19s%n", &a, &b, &x, word, &n) == 4);
	CHECK(a == 12 && b == -34 && x == 255 && strcmp(word, "word") == 0 && n == 15);
	CHECK(sscanf("9223372036854775807,aabbc", "%lld,%[ab]%c", &l, set, &c) == 3);
	CHECK(l == LLONG_MAX && strcmp(set, "aabb") == 0 && c == 'c');
	CHECK(sscanf("0x1f 010 99", "%i %i %*d", &a, &b) == 2 && a == 31 && b == 8);
	CHECK(sscanf("", "%d", &a) == EOF && sscanf("x", "%d", &a) == 0);
	CHECK(sscanf("12345", "%2d%3d", &a, &b) == 2 && a == 12 && b == 345);
}

static void numbers(void)
{
	char *end;

	CHECK(strtol("  -123abc", &end, 10) == -123 && strcmp(end, "abc") == 0);
	CHECK(strtol("0x7fffffffffffffff", NULL, 0) == LONG_MAX);
	errno = 0;
	CHECK(strtol("9223372036854775808", NULL, 10) == LONG_MAX && errno == ERANGE);
	errno = 0;
	CHECK(strtol("-9223372036854775809", NULL, 10) == LONG_MIN && errno == ERANGE);
	errno = 0;
	CHECK(strtoul("18446744073709551615", NULL, 10) == ULONG_MAX && errno == 0);
	CHECK(strtoul("18446744073709551616", NULL, 10) == ULONG_MAX && errno == ERANGE);
	CHECK(strtol("zz", NULL, 36) == 35 * 36 + 35 && strtol("z", &end, 10) == 0 && *end == 'z');
	CHECK(atoi("-17x") == -17 && atoll("1234567890123") == 1234567890123);
	CHECK(div(-7, 2).quot == -3 && div(-7, 2).rem == -1 && lldiv(7, -2).rem == 1);
}

static void strings(void)
{
	char a[64] = "one,two;;three", *rest = NULL, *copy;

	CHECK(strcmp(strtok_r(a, ",;", &rest), "one") == 0 && strcmp(strtok_r(NULL, ",;", &rest), "two") == 0);
	CHECK(strcmp(strtok_r(NULL, ",;", &rest), "three") == 0 && strtok_r(NULL, ",;", &rest) == NULL);
	CHECK(strcmp(strstr("abcabcabd", "abcabd"), "abcabd") == 0 && strstr("abc", "x") == NULL);
	CHECK(strspn("aabbc", "ab") == 4 && strcspn("aabbc", "c") == 4 && *strpbrk("xyz", "zy") == 'y');
	CHECK(strcmp(strrchr("a/b/c", '/'), "/c") == 0 && memchr("abc", 'd', 3) == NULL);
	CHECK(strncmp("abcd", "abce", 3) == 0 && strcasecmp("HeLLo", "hEllO") == 0 && strcmp("a", "b") < 0);
	copy = strdup("copy");
	CHECK(strcmp(strcat(strcpy(a, copy), "right"), "copyright") == 0 && strlen(a) == 9);
	CHECK(memmem("abcdef", 6, "cd", 2) != NULL && strnlen("abc", 2) == 2);
	CHECK(strcmp(strerror(ENOENT), "No such file or directory") == 0);
	CHECK(isalpha('x') && !isalpha('1') && isxdigit('f') && toupper('q') == 'Q' && isspace('\v') && ispunct('!'));
	free(copy);
}

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

struct record {
	char name[13]; /* an odd size */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorted, and still the same numbers: the sum and the exclusive or stay. */
static void sorting(void)
{
	static int v[5000];
	static struct record r[300];
	static const int ranges[] = { 1, 3, 1000, 0x7fffffff };
	int i, j, n, bad = 0, key;
	long sum;

	for (j = 0; j < 4; j++)
		for (n = 0; n < 5000; n = n * 3 + 1) {
			for (sum = i = 0; i < n; i++)
				sum += v[i] = chance() % ranges[j];
			qsort(v, n, sizeof(int), by_value);
			for (i = 0; i < n; i++)
				sum -= v[i];
			bad += sum != 0;
			for (i = 1; i < n; i++)
				bad += v[i - 1] > v[i];
		}
	CHECK(bad == 0);
	for (i = 0; i < 300; i++)
		sprintf(r[i].name, "r%011llu", chance() % 100000000000);
	qsort(r, 300, sizeof(struct record), by_name);
	for (i = 1; i < 300; i++)
		bad += strcmp(r[i - 1].name, r[i].name) > 0 || strlen(r[i].name) != 12;
	CHECK(bad == 0);
	for (i = 0; i < 1000; i++)
		v[i] = 3 * i;
	for (i = 0; i < 3000; i++) {
		int *p;

		key = i;
		p = bsearch(&key, v, 1000, sizeof(int), by_value);
		bad += i % 3 ? p != NULL : p != &v[i / 3];
	}
	CHECK(bad == 0);
}

static void files(void)
{
	FILE *f = tmpfile();
	char line[100], *grown = NULL;
	size_t room = 0;
	int i;

	CHECK(f != NULL);
	for (i = 0; i < 1000; i++)
		fprintf(f, "line %d\n", i);
	rewind(f);
	for (i = 0; i < 1000 && fgets(line, 100, f); i++)
		if (atoi(line + 5) != i)
			break;
	CHECK(i == 1000 && fgets(line, 100, f) == NULL && feof(f));
	CHECK(fseek(f, -4, SEEK_END) == 0 && fscanf(f, "%d", &i) == 1 && i == 999);
	CHECK(fseek(f, 5, SEEK_SET) == 0 && ftell(f) == 5 && getc(f) == '0' && ungetc('x', f) == 'x' && getc(f) == 'x');
	CHECK(fseek(f, 0, SEEK_SET) == 0 && fwrite("LINE", 1, 4, f) == 4 && fflush(f) == 0);
	rewind(f);
	CHECK(getline(&grown, &room, f) == 7 && strcmp(grown, "LINE 0\n") == 0);
	CHECK(setvbuf(f, NULL, _IONBF, 0) == 0 && fclose(f) == 0);
	free(grown);
	f = fmemopen(line, 100, "w");
	CHECK(f && fprintf(f, "%s", "in memory") == 9 && fclose(f) == 0 && strcmp(line, "in memory") == 0);
	f = open_memstream(&grown, &room);
	for (i = 0; i < 3000; i++)
		putc('a' + i % 26, f);
	CHECK(fclose(f) == 0 && room == 3000 && grown[2999] == 'a' + 2999 % 26);
	free(grown);
	errno = 0;
	CHECK(fopen("/nonexistent/file", "r") == NULL && errno == ENOENT);
}

static void wide(void)
{
	wchar_t w[20];
	char b[20], out[20], *in = "\xc3\xa4", *to = out;
	size_t left = 2, room = 20;
	iconv_t cd;

	CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	CHECK(mbstowcs(w, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 20) == 4);
	CHECK(w[0] == 'a' && w[1] == 0xe4 && w[2] == 0x20ac && w[3] == 0x1f600);
	CHECK(wcstombs(b, w, 20) == 10 && strcmp(b, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == 0);
	CHECK(mbstowcs(w, "\xc3(", 20) == (size_t)-1);
	CHECK(towupper(0xe4) == 0xc4 && iswalpha(0xe4) && wcslen(L"abc") == 3 && wcscmp(L"a", L"b") < 0);
	CHECK(swprintf(w, 20, L"%d %ls", 42, L"x") == 4 && wcscmp(w, L"42 x") == 0 && wcstol(L"77", NULL, 8) == 63);
	cd = iconv_open("UTF-16BE", "UTF-8");
	CHECK(cd != (iconv_t)-1 && iconv(cd, &in, &left, &to, &room) == 0);
	CHECK(left == 0 && room == 18 && memcmp(out, "\0\xe4", 2) == 0);
	iconv_close(cd);
}

static void patterns(void)
{
	regex_t re;
	regmatch_t m[3];
	char *args[] = { "program", "-a", "-b", "value", "--long=7", "rest", NULL };
	struct option longs[] = { { "long", required_argument, NULL, 'l' }, { 0 } };
	int c, seen = 0;

	CHECK(regcomp(&re, "^([a-z]+)-([0-9]{2,4})$", REG_EXTENDED) == 0);
	CHECK(regexec(&re, "abc-1234", 3, m, 0) == 0 && m[1].rm_eo == 3 && m[2].rm_so == 4 && m[2].rm_eo == 8);
	CHECK(regexec(&re, "abc-12345", 3, m, 0) == REG_NOMATCH);
	regfree(&re);
	CHECK(regcomp(&re, "(", REG_EXTENDED) != 0);
	CHECK(fnmatch("*.[ch]", "file.c", 0) == 0 && fnmatch("*.[ch]", "file.o", 0) == FNM_NOMATCH);
	while ((c = getopt_long(6, args, "ab:", longs, NULL)) != -1)
		seen += c == 'a' ? 1 : c == 'b' ? 10 * !strcmp(optarg, "value") : c == 'l' ? 100 * !strcmp(optarg, "7") : 1000;
	CHECK(seen == 111 && optind == 5);
}

static void dates(void)
{
	time_t t = 1234567890, leap = 951782400; /* 2009-02-13 23:31:30, 2000-02-29 00:00:00 */
	struct tm tm;
	char text[100];

	CHECK(gmtime_r(&t, &tm) && tm.tm_year == 109 && tm.tm_mon == 1 && tm.tm_mday == 13 && tm.tm_hour == 23);
	CHECK(tm.tm_wday == 5 && tm.tm_yday == 43 && timegm(&tm) == t);
	CHECK(strftime(text, 100, "%Y-%m-%d %H:%M:%S %a %j", &tm) == 27 && !strcmp(text, "2009-02-13 23:31:30 Fri 044"));
	CHECK(strptime("2000-02-29 00:00:00", "%Y-%m-%d %H:%M:%S", &tm) && timegm(&tm) == leap);
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	CHECK(localtime_r(&t, &tm) && tm.tm_hour == 18 && tm.tm_isdst == 0);
	t = 1246406400; /* 2009-07-01 00:00:00 */
	CHECK(localtime_r(&t, &tm) && tm.tm_hour == 20 && tm.tm_mday == 30 && tm.tm_isdst == 1 && mktime(&tm) == t);
}

static void tables(void)
{
	ENTRY e = { "key", "value" }, *found;

	CHECK(hcreate(30) != 0 && hsearch(e, ENTER) != NULL);
	e.data = NULL;
	found = hsearch(e, FIND);
	CHECK(found && strcmp(found->data, "value") == 0);
	hdestroy();
}

int main(void)
{
	printing();
	scanning();
	numbers();
	strings();
	sorting();
	files();
	wide();
	patterns();
	dates();
	tables();
	DONE;
}
