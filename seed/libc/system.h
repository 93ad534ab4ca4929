/* SPDX-License-Identifier: MIT */
/*
 * The system calls, written in assembly: seed/SYSCALLS lists what a program
 * of the chain may use. Each gives what the kernel gives, a negated error
 * number included.
 */
#ifndef SYSTEM_H
#define SYSTEM_H
long sys_openat(long directory, const char *name, long flags, long mode);
long sys_close(long fd);
long sys_read(long fd, void *to, long n);
long sys_write(long fd, const void *from, long n);
long sys_lseek(long fd, long offset, long from);
long sys_unlinkat(long directory, const char *name, long flags);
void sys_exit(long status);
#define AT_FDCWD (-100)
#endif
