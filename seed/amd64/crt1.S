/* SPDX-License-Identifier: MIT */
/* Where a C program starts on amd64: argc and argv lie on the stack. */
	.text
	.globl _start
_start:
	popq %rdi
	movq %rsp, %rsi
	andq $-16, %rsp
	call main
	movl %eax, %edi
	call exit
