/* SPDX-License-Identifier: MIT */
#ifndef UNISTD_H
#define UNISTD_H
#include <stddef.h>
ssize_t read(int fd, void *to, size_t n);
ssize_t write(int fd, const void *from, size_t n);
long lseek(int fd, long offset, int from);
int close(int fd);
int unlink(const char *name);
char *getcwd(char *to, size_t size);
int execvp(const char *file, char *const argv[]);
#endif
