/* SPDX-License-Identifier: MIT */
#ifndef STDDEF_H
#define STDDEF_H
#define NULL ((void *)0)
typedef unsigned long size_t;
typedef long ssize_t;
typedef long ptrdiff_t;
typedef int wchar_t;
#define offsetof(type, field) ((size_t)&((type *)0)->field)
#endif
