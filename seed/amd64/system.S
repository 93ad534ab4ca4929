/* SPDX-License-Identifier: MIT */
/* What seed/libc/system.h and setjmp.h declare, for amd64. */
	.text
	.globl sys_read
sys_read:
	movl $0, %eax
	jmp call_kernel
	.globl sys_write
sys_write:
	movl $1, %eax
	jmp call_kernel
	.globl sys_close
sys_close:
	movl $3, %eax
	jmp call_kernel
	.globl sys_lseek
sys_lseek:
	movl $8, %eax
	jmp call_kernel
	.globl sys_exit
sys_exit:
	movl $231, %eax
	jmp call_kernel
	.globl sys_openat
sys_openat:
	movl $257, %eax
	jmp call_kernel
	.globl sys_unlinkat
sys_unlinkat:
	movl $263, %eax
/* The kernel wants the fourth argument in r10. */
call_kernel:
	movq %rcx, %r10
	syscall
	ret

/* What a call keeps: rbx, rbp, r12 to r15, the stack, the way back. */
	.globl setjmp
setjmp:
	movq %rbx, (%rdi)
	movq %rbp, 8(%rdi)
	movq %r12, 16(%rdi)
	movq %r13, 24(%rdi)
	movq %r14, 32(%rdi)
	movq %r15, 40(%rdi)
	leaq 8(%rsp), %rdx
	movq %rdx, 48(%rdi)
	movq (%rsp), %rdx
	movq %rdx, 56(%rdi)
	xorl %eax, %eax
	ret
	.globl longjmp
longjmp:
	movl %esi, %eax
	testl %eax, %eax
	jne 1f
	incl %eax
1:
	movq (%rdi), %rbx
	movq 8(%rdi), %rbp
	movq 16(%rdi), %r12
	movq 24(%rdi), %r13
	movq 32(%rdi), %r14
	movq 40(%rdi), %r15
	movq 48(%rdi), %rsp
	jmp *56(%rdi)
