/* SPDX-License-Identifier: MIT */
/*
 * musl's system calls with 0 to 6 arguments are one body: what a caller did
 * not pass goes to a register that the kernel does not look at.
 */
	.text
	.global __syscall0
	.global __syscall1
	.global __syscall2
	.global __syscall3
	.global __syscall4
	.global __syscall5
	.global __syscall6
	.hidden __syscall0
	.hidden __syscall1
	.hidden __syscall2
	.hidden __syscall3
	.hidden __syscall4
	.hidden __syscall5
	.hidden __syscall6
__syscall0:
__syscall1:
__syscall2:
__syscall3:
__syscall4:
__syscall5:
__syscall6:
	mov %rdi,%rax
	mov %rsi,%rdi
	mov %rdx,%rsi
	mov %rcx,%rdx
	mov %r8,%r10
	mov %r9,%r8
	mov 8(%rsp),%r9
	syscall
	ret
