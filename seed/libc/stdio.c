/* SPDX-License-Identifier: MIT */
/* Files with a buffer. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER 65536

/* buffer[at..end) is read and waiting; or buffer[0..end) is to be written. */
struct FILE {
	int fd;
	int writing; /* what the buffer is used for now */
	int at;
	int end;
	char *buffer;
};

static char buffer_out[BUFFER];
static FILE file_in = { 0 };
static FILE file_out = { 1, 1, 0, 0, buffer_out };
static FILE file_err = { 2, 1 };
FILE *stdin = &file_in;
FILE *stdout = &file_out;
FILE *stderr = &file_err;

FILE *fdopen(int fd, const char *mode)
{
	FILE *f = malloc(sizeof(FILE));

	if (f == NULL)
		return NULL;
	memset(f, 0, sizeof(FILE));
	f->fd = fd;
	f->writing = *mode != 'r';
	f->buffer = malloc(BUFFER);
	return f;
}

FILE *fopen(const char *name, const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR
		: *mode == 'r' ? O_RDONLY : O_WRONLY;
	int fd;

	if (*mode == 'w')
		flags |= O_CREAT | O_TRUNC;
	if (*mode == 'a')
		flags |= O_CREAT | O_APPEND;
	fd = open(name, flags, 438);
	if (fd < 0)
		return NULL;
	return fdopen(fd, mode);
}

/* Writes all of it, or fails. */
static int write_all(int fd, const char *from, size_t n)
{
	ssize_t done;

	while (n) {
		done = write(fd, from, n);
		if (done <= 0)
			return EOF;
		from += done;
		n -= done;
	}
	return 0;
}

int fflush(FILE *f)
{
	int r = 0;

	if (f->writing && f->end) {
		r = write_all(f->fd, f->buffer, f->end);
		f->end = 0;
	}
	return r;
}

int fclose(FILE *f)
{
	int r = fflush(f);

	if (close(f->fd) < 0)
		r = EOF;
	free(f->buffer);
	free(f);
	return r;
}

/* Leaves the kernel's place in the file where the caller believes it is. */
static void settle(FILE *f)
{
	if (f->writing)
		fflush(f);
	else if (f->at < f->end)
		lseek(f->fd, f->at - f->end, SEEK_CUR);
	f->at = f->end = 0;
}

int fseek(FILE *f, long offset, int from)
{
	settle(f);
	return lseek(f->fd, offset, from) < 0 ? -1 : 0;
}

long ftell(FILE *f)
{
	settle(f);
	return lseek(f->fd, 0, SEEK_CUR);
}

size_t fread(void *to, size_t size, size_t n, FILE *f)
{
	size_t want = size * n;
	size_t got = 0;
	size_t part;
	ssize_t r;

	if (f->writing)
		settle(f);
	f->writing = 0;
	if (f->buffer == NULL)
		f->buffer = malloc(BUFFER);
	while (got < want) {
		if (f->at == f->end) {
			r = read(f->fd, f->buffer, BUFFER);
			if (r <= 0)
				break;
			f->at = 0;
			f->end = r;
		}
		part = f->end - f->at;
		if (part > want - got)
			part = want - got;
		memcpy((char *)to + got, f->buffer + f->at, part);
		f->at += part;
		got += part;
	}
	return size ? got / size : 0;
}

size_t fwrite(const void *from, size_t size, size_t n, FILE *f)
{
	size_t bytes = size * n;

	if (!f->writing)
		settle(f);
	f->writing = 1;
	if (bytes > BUFFER - f->end && fflush(f) < 0)
		return 0;
	if (f->buffer == NULL || bytes > BUFFER)
		return write_all(f->fd, from, bytes) < 0 ? 0 : n;
	memcpy(f->buffer + f->end, from, bytes);
	f->end += bytes;
	return n;
}

int fputc(int c, FILE *f)
{
	char byte = c;

	return fwrite(&byte, 1, 1, f) == 1 ? (unsigned char)c : EOF;
}

int fputs(const char *s, FILE *f)
{
	size_t n = strlen(s);

	return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int puts(const char *s)
{
	return fputs(s, stdout) < 0 ? EOF : fputc('\n', stdout);
}
