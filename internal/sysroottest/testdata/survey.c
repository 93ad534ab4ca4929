/* SPDX-License-Identifier: MIT */
/*
 * A program as people write them, with floats, threads and files: stations
 * report temperatures into a file; threads read parts of it side by side and
 * gather figures for each station; a report is written, as text and as a
 * binary file, and the binary file is read again by another way. The same
 * numbers come out wherever it runs, in whatever order the threads do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATIONS 26
#define REPORTS 20000
#define READERS 4
#define BUCKETS 67
#define BARS 12

struct station {
	char name[24];
	long count;
	double least, most;
	int64_t sum;     /* of tenths of a degree: no order of adding changes it */
	int64_t squares;
	long bars[BARS];
	struct station *next;
};

struct table {
	struct station *buckets[BUCKETS];
	pthread_mutex_t lock;
	long lines, bad;
};

struct part {
	const char *name;
	long from, to;
	struct table *table;
};

static jmp_buf on_error;
static char error_text[200];

static void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error_text, sizeof(error_text), format, ap);
	va_end(ap);
	longjmp(on_error, 1);
}

/* A small generator, so that every run has the same weather. */
static uint32_t state = 2463534242u;

static double chance(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state / 4294967296.0;
}

/* The sum of twelve is as good as a normal distribution here. */
static double normal(double mean, double deviation)
{
	double sum = -6;
	int i;

	for (i = 0; i < 12; i++)
		sum += chance();
	return mean + deviation * sum;
}

static void station_name(char *to, int number)
{
	static const char *const ends[] = { "berg", "dal", "furt", "heim", "au" };

	sprintf(to, "%c%s%s", 'A' + number, number % 3 ? "er" : "in", ends[number % 5]);
}

static void write_reports(const char *name)
{
	FILE *f = fopen(name, "w");
	char station[24];
	int i, n;

	if (!f)
		fail("%s: %s", name, strerror(errno));
	for (i = 0; i < REPORTS; i++) {
		n = chance() * STATIONS;
		station_name(station, n);
		if (i % 4999 == 4998)
			fprintf(f, "%s;no temperature\n", station);
		else
			fprintf(f, "%s;%.1f\n", station, normal(25 - 1.5 * n, 2 + n % 7));
	}
	if (fclose(f))
		fail("%s: %s", name, strerror(errno));
}

static unsigned hash(const char *s)
{
	unsigned h = 5381;

	while (*s)
		h = h * 33 + (unsigned char)*s++;
	return h % BUCKETS;
}

static struct station *find(struct table *t, const char *name)
{
	struct station **at = &t->buckets[hash(name)];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		strcpy((*at)->name, name);
		(*at)->least = INFINITY;
		(*at)->most = -INFINITY;
	}
	return *at;
}

static void count(struct table *t, const char *name, double degrees)
{
	struct station *s;
	int64_t tenths = llround(degrees * 10);
	int bar = floor((degrees + 40) / 100 * BARS);

	pthread_mutex_lock(&t->lock);
	s = find(t, name);
	s->count++;
	s->sum += tenths;
	s->squares += tenths * tenths;
	s->least = fmin(s->least, degrees);
	s->most = fmax(s->most, degrees);
	if (bar >= 0 && bar < BARS)
		s->bars[bar]++;
	t->lines++;
	pthread_mutex_unlock(&t->lock);
}

/* Reads the lines that begin in a part of the file. */
static void *read_part(void *argument)
{
	struct part *p = argument;
	FILE *f = fopen(p->name, "r");
	char line[100], *point, *end;
	double degrees;

	if (!f)
		return "cannot open the reports";
	if (p->from > 0) {
		fseek(f, p->from - 1, SEEK_SET);
		fgets(line, sizeof(line), f);
	}
	while (ftell(f) < p->to && fgets(line, sizeof(line), f)) {
		point = strchr(line, ';');
		if (!point)
			return "a line without a semicolon";
		*point++ = 0;
		degrees = strtod(point, &end);
		if (end == point || *end != '\n') {
			pthread_mutex_lock(&p->table->lock);
			p->table->bad++;
			pthread_mutex_unlock(&p->table->lock);
			continue;
		}
		count(p->table, line, degrees);
	}
	fclose(f);
	return NULL;
}

static void read_reports(struct table *t, const char *name)
{
	pthread_t threads[READERS];
	struct part parts[READERS];
	struct stat s;
	void *problem;
	int i;

	if (stat(name, &s))
		fail("%s: %s", name, strerror(errno));
	for (i = 0; i < READERS; i++) {
		parts[i] = (struct part){ name, s.st_size * i / READERS, s.st_size * (i + 1) / READERS, t };
		if (pthread_create(&threads[i], NULL, read_part, &parts[i]))
			fail("cannot start a thread");
	}
	for (i = 0; i < READERS; i++) {
		pthread_join(threads[i], &problem);
		if (problem)
			fail("%s: %s", name, (char *)problem);
	}
}

static int by_mean(const void *a, const void *b)
{
	const struct station *x = *(struct station *const *)a, *y = *(struct station *const *)b;
	double p = (double)x->sum / x->count, q = (double)y->sum / y->count;

	return p > q ? -1 : p < q;
}

static int collect(struct table *t, struct station **all)
{
	struct station *s;
	int i, n = 0;

	for (i = 0; i < BUCKETS; i++)
		for (s = t->buckets[i]; s; s = s->next)
			all[n++] = s;
	qsort(all, n, sizeof(*all), by_mean);
	return n;
}

static void print_report(struct station **all, int n)
{
	long double total = 0;
	double mean, variance;
	int i, j;

	printf("%-12s %5s %7s %7s %7s %8s\n", "station", "n", "least", "mean", "most", "spread");
	for (i = 0; i < n; i++) {
		mean = all[i]->sum / 10.0 / all[i]->count;
		variance = all[i]->squares / 100.0 / all[i]->count - mean * mean;
		total += mean;
		printf("%-12s %5ld %7.1f %7.3f %7.1f %8.4e ", all[i]->name, all[i]->count, all[i]->least, mean,
			all[i]->most, sqrt(variance));
		for (j = 0; j < BARS; j++)
			putchar(" .:-=+*#%@"[(int)fmin(9, ceil(9.0 * all[i]->bars[j] / all[i]->count))]);
		putchar('\n');
	}
	printf("mean of means %.15Lg, of %d\n", total / n, n);
}

/* The figures as records of their own, and again through a mapping. */
static void check_binary(const char *name, struct station **all, int n)
{
	struct { float mean; double most; } record, *mapped;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), i;
	double sum = 0, again = 0;

	if (fd < 0)
		fail("%s: %s", name, strerror(errno));
	for (i = 0; i < n; i++) {
		memset(&record, 0, sizeof(record));
		record.mean = all[i]->sum / 10.0 / all[i]->count;
		record.most = all[i]->most;
		sum += record.mean * record.most;
		if (write(fd, &record, sizeof(record)) != sizeof(record))
			fail("%s: %s", name, strerror(errno));
	}
	mapped = mmap(NULL, n * sizeof(record), PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		fail("%s: %s", name, strerror(errno));
	for (i = 0; i < n; i++)
		again += mapped[i].mean * mapped[i].most;
	printf("records %a %s\n", sum, sum == again ? "and the same again" : "BUT NOT THE SAME AGAIN");
	munmap(mapped, n * sizeof(record));
	close(fd);
}

int main(int argc, char **argv)
{
	static struct table table = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static struct station *all[STATIONS];
	int n;

	if (setjmp(on_error)) {
		fprintf(stderr, "survey: %s\n", error_text);
		return 1;
	}
	write_reports("reports");
	read_reports(&table, "reports");
	n = collect(&table, all);
	print_report(all, n);
	printf("%ld lines, %ld without a temperature\n", table.lines, table.bad);
	check_binary("records", all, n);
	if (unlink("reports") || unlink("records"))
		fail("cleaning up: %s", strerror(errno));
	read_reports(&table, argc > 1 ? argv[1] : "reports");
	return 2;
}
