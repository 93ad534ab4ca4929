/* SPDX-License-Identifier: MIT */
/* setjmp, sigsetjmp, and what registers keep across them. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include "check.h"

static jmp_buf here;
static sigjmp_buf there;

static void dive(int depth, int value)
{
	volatile char stack[100];

	stack[depth % 100] = depth;
	if (depth == 0)
		longjmp(here, value);
	dive(depth - 1, value);
	CHECK(stack[depth % 100] == depth); /* never comes here */
	CHECK(0);
}

static void values(void)
{
	static const int wanted[] = { 7, -1, 1, 1000000 };
	volatile int i;
	int got;

	for (i = 0; i < 4; i++) {
		got = setjmp(here);
		if (got == 0)
			dive(50 + i, wanted[i]);
		CHECK(got == wanted[i]);
	}
	got = setjmp(here);
	if (got == 0)
		longjmp(here, 0);
	CHECK(got == 1);
}

static int blocked(int signal)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, signal);
}

static void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock_all(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void masks(void)
{
	if (sigsetjmp(there, 1) == 0) {
		block(SIGUSR1);
		CHECK(blocked(SIGUSR1) == 1);
		siglongjmp(there, 1);
	}
	CHECK(blocked(SIGUSR1) == 0);
	if (sigsetjmp(there, 0) == 0) {
		block(SIGUSR1);
		siglongjmp(there, 5);
	}
	CHECK(blocked(SIGUSR1) == 1);
	unblock_all();
	switch (sigsetjmp(there, 1)) {
	case 0:
		siglongjmp(there, 42);
	case 42:
		break;
	default:
		CHECK(0);
	}
}

static void on_fault(int signal)
{
	siglongjmp(there, signal);
}

/* Out of the handler of a real fault, more than once: the mask has to come back. */
static void faults(void)
{
	struct sigaction act = { 0 };
	volatile int i, caught = 0;

	act.sa_handler = on_fault;
	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	for (i = 0; i < 3; i++) {
		if (sigsetjmp(there, 1) == SIGSEGV)
			caught++;
		else
			*(volatile int *)8 = 1;
		CHECK(blocked(SIGSEGV) == 0);
	}
	CHECK(caught == 3);
	signal(SIGSEGV, SIG_DFL);
}

static int sum_to(int n, jmp_buf out)
{
	if (n == 0)
		longjmp(out, 9);
	return n + sum_to(n - 1, out);
}

/* Jumps in jumps, each to its own place. */
static void nested(void)
{
	jmp_buf outer, inner;
	volatile int step = 0;

	if (setjmp(outer) == 0) {
		if (setjmp(inner) == 0)
			sum_to(10, inner);
		step++;
		sum_to(20, outer);
	} else {
		step += 10;
	}
	CHECK(step == 11);
}

int main(void)
{
	values();
	masks();
	faults();
	nested();
	DONE;
}
