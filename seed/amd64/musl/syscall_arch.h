/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of musl's file of this name, whose inline assembly binds
 * arguments to registers in a way that tcc does not know. The functions are in
 * syscall.S.
 */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

hidden long __syscall0(long n), __syscall1(long n, long a),
	__syscall2(long n, long a, long b),
	__syscall3(long n, long a, long b, long c),
	__syscall4(long n, long a, long b, long c, long d),
	__syscall5(long n, long a, long b, long c, long d, long e),
	__syscall6(long n, long a, long b, long c, long d, long e, long f);

#define VDSO_USEFUL
#define VDSO_CGT_SYM "__vdso_clock_gettime"
#define VDSO_CGT_VER "LINUX_2.6"
#define VDSO_GETCPU_SYM "__vdso_getcpu"
#define VDSO_GETCPU_VER "LINUX_2.6"

#define IPC_64 0
