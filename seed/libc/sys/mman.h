/* SPDX-License-Identifier: MIT */
#ifndef SYS_MMAN_H
#define SYS_MMAN_H
#include <stddef.h>
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
int mprotect(void *start, size_t n, int access);
#endif
