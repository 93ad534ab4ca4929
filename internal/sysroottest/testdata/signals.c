/* SPDX-License-Identifier: MIT */
/* Signals, timers and clocks. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static volatile sig_atomic_t seen[65];
static siginfo_t last;
static char other_stack[65536];
static volatile int on_other_stack;

static void handle(int signal)
{
	seen[signal]++;
	errno = ERANGE;
}

static void handle_info(int signal, siginfo_t *info, void *context)
{
	char here;

	seen[signal]++;
	last = *info;
	on_other_stack = &here > other_stack && &here < other_stack + sizeof(other_stack);
}

static void install(int signal, int flags)
{
	struct sigaction act, was;

	memset(&act, 0, sizeof(act));
	act.sa_flags = flags;
	if (flags & SA_SIGINFO)
		act.sa_sigaction = handle_info;
	else
		act.sa_handler = handle;
	CHECK(sigaction(signal, &act, NULL) == 0);
	CHECK(sigaction(signal, NULL, &was) == 0);
	CHECK((was.sa_flags & flags) == flags && was.sa_handler == act.sa_handler);
}

static void plain(void)
{
	union sigval value;

	install(SIGUSR1, 0);
	CHECK(raise(SIGUSR1) == 0 && seen[SIGUSR1] == 1);
	CHECK(kill(getpid(), SIGUSR1) == 0 && seen[SIGUSR1] == 2);
	install(SIGUSR2, SA_SIGINFO);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(last.si_signo == SIGUSR2 && last.si_pid == getpid() && last.si_code == SI_USER);
	install(SIGRTMIN, SA_SIGINFO);
	value.sival_int = 4711;
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	CHECK(last.si_code == SI_QUEUE && last.si_value.sival_int == 4711);
	install(SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
	raise(SIGUSR1);
	CHECK(seen[SIGUSR1] == 3);
}

static void pending(void)
{
	sigset_t set, old, now;
	int got;

	install(SIGUSR1, 0);
	seen[SIGUSR1] = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(seen[SIGUSR1] == 0);
	CHECK(sigpending(&now) == 0 && sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGUSR2) == 0);
	CHECK(sigsuspend(&old) == -1 && errno == EINTR && seen[SIGUSR1] == 1);
	raise(SIGUSR1);
	CHECK(sigwait(&set, &got) == 0 && got == SIGUSR1 && seen[SIGUSR1] == 1);
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
}

static void stack(void)
{
	stack_t s;

	memset(&s, 0, sizeof(s));
	s.ss_sp = other_stack;
	s.ss_size = sizeof(other_stack);
	CHECK(sigaltstack(&s, NULL) == 0);
	install(SIGUSR2, SA_SIGINFO);
	raise(SIGUSR2);
	CHECK(on_other_stack == 0);
	install(SIGUSR2, SA_SIGINFO | SA_ONSTACK);
	raise(SIGUSR2);
	CHECK(on_other_stack == 1);
}

static void timers(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 2000 } };
	struct timespec a, b, step = { 0, 3000000 }, left;
	int fds[2];
	char byte;

	CHECK(pipe(fds) == 0);
	install(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK(read(fds[0], &byte, 1) == -1 && errno == EINTR && seen[SIGALRM] == 1);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
	CHECK(nanosleep(&step, &left) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 3000000);
	CHECK(clock_gettime(CLOCK_REALTIME, &a) == 0 && a.tv_sec - time(NULL) <= 1 && time(NULL) - a.tv_sec <= 1);
	CHECK(clock_getres(CLOCK_MONOTONIC, &b) == 0 && b.tv_sec == 0 && b.tv_nsec > 0);
	errno = 0;
	CHECK(clock_gettime(99, &a) == -1 && errno == EINVAL);
	CHECK(clock() != (clock_t)-1);
}

/* How children end: by status, by a signal, by abort, by a division by zero. */
static void children(void)
{
	static const int ends[] = { 0, 17, -SIGKILL, -SIGABRT, -SIGFPE, -SIGSEGV };
	volatile int zero = 0;
	int i, status;
	pid_t child;

	for (i = 0; i < 6; i++) {
		child = fork();
		if (child == 0) {
			if (ends[i] >= 0)
				_exit(ends[i]);
			if (ends[i] == -SIGABRT)
				abort();
			if (ends[i] == -SIGFPE)
				_exit(100 / zero);
			if (ends[i] == -SIGSEGV)
				*(volatile char *)16 = 1;
			raise(-ends[i]);
			_exit(99);
		}
		CHECK(waitpid(child, &status, 0) == child);
		if (ends[i] >= 0)
			CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ends[i]);
		else
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == -ends[i]);
	}
}

int main(void)
{
	plain();
	pending();
	stack();
	timers();
	children();
	DONE;
}
