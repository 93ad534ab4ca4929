/* SPDX-License-Identifier: MIT */
/* Programs, pipes, files and folders. The program runs itself with other arguments. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

extern char **environ;
static char self[PATH_MAX];

static int ended(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs itself by every way there is; each child gives its number back. */
static void ways_to_run(void)
{
	char *argv[] = { self, "status", "11", NULL }, *env[] = { "GIVEN=yes", NULL };
	char *with_env[] = { self, "environment", NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	FILE *f;
	char line[100];

	child = fork();
	if (child == 0) {
		execl(self, self, "status", "7", (char *)NULL);
		_exit(99);
	}
	CHECK(ended(child) == 7);
	child = vfork();
	if (child == 0) {
		execv(self, argv);
		_exit(99);
	}
	CHECK(ended(child) == 11);
	CHECK(posix_spawn(&child, self, NULL, NULL, with_env, env) == 0 && ended(child) == 21);
	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CHECK(posix_spawn_file_actions_addopen(&actions, 1, "spawned", O_WRONLY | O_CREAT, 0600) == 0);
	argv[1] = "say";
	CHECK(posix_spawn(&child, self, &actions, NULL, argv, environ) == 0 && ended(child) == 0);
	f = fopen("spawned", "r");
	CHECK(f && fgets(line, 100, f) && strcmp(line, "said 11\n") == 0);
	fclose(f);
	CHECK(posix_spawn(&child, "/nonexistent", NULL, NULL, argv, environ) == ENOENT);
	CHECK(execl("/nonexistent", "x", (char *)NULL) == -1 && errno == ENOENT);
}

static void pipes(void)
{
	struct iovec parts[2] = { { "ab", 2 }, { "cde", 3 } };
	struct pollfd p;
	fd_set set;
	struct timeval none = { 0, 0 };
	int fds[2], pair[2];
	char got[10] = "";
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		execl(self, self, "say", "pipe", (char *)NULL);
		_exit(99);
	}
	close(fds[1]);
	CHECK(read(fds[0], got, 9) == 9 && memcmp(got, "said pipe", 9) == 0);
	CHECK(ended(child) == 0 && read(fds[0], got, 9) == 1 && read(fds[0], got, 9) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	p.fd = pair[0];
	p.events = POLLIN;
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(writev(pair[1], parts, 2) == 5);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	CHECK(select(pair[0] + 1, &set, NULL, NULL, &none) == 1 && FD_ISSET(pair[0], &set));
	CHECK(recv(pair[0], got, 10, 0) == 5 && memcmp(got, "abcde", 5) == 0);
	CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK(recv(pair[0], got, 10, 0) == -1 && errno == EAGAIN);
}

static int walked;

static int walk(const char *name, const struct stat *s, int kind, struct FTW *at)
{
	walked += kind == FTW_F ? 1 : 100;
	return 0;
}

static void folders(void)
{
	struct stat s;
	struct dirent **names, *e;
	glob_t g;
	DIR *d;
	int i, n = 0;
	char path[PATH_MAX], name[20];

	CHECK(mkdir("folder", 0700) == 0 && mkdir("folder", 0700) == -1 && errno == EEXIST);
	for (i = 0; i < 12; i++) {
		sprintf(name, "folder/f%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0640));
	}
	CHECK(stat("folder/f3", &s) == 0 && S_ISREG(s.st_mode) && (s.st_mode & 0777) == 0640 && s.st_size == 0);
	CHECK(truncate("folder/f3", 12345) == 0 && stat("folder/f3", &s) == 0 && s.st_size == 12345);
	d = opendir("folder");
	while ((e = readdir(d)))
		n += e->d_name[0] == 'f';
	CHECK(n == 12 && closedir(d) == 0);
	n = scandir("folder", &names, NULL, alphasort);
	CHECK(n == 14 && strcmp(names[2]->d_name, "f0") == 0 && strcmp(names[13]->d_name, "f9") == 0);
	CHECK(glob("folder/f1*", 0, NULL, &g) == 0 && g.gl_pathc == 3 && strcmp(g.gl_pathv[2], "folder/f11") == 0);
	globfree(&g);
	CHECK(nftw("folder", walk, 4, FTW_PHYS) == 0 && walked == 112);
	CHECK(symlink("f1", "folder/link") == 0 && readlink("folder/link", path, sizeof(path)) == 2);
	CHECK(lstat("folder/link", &s) == 0 && S_ISLNK(s.st_mode));
	CHECK(rename("folder/f1", "folder/renamed") == 0 && access("folder/link", F_OK) == -1);
	CHECK(realpath("folder/../folder/renamed", path) && strcmp(strrchr(path, '/'), "/renamed") == 0);
	CHECK(rmdir("folder") == -1 && errno == ENOTEMPTY);
}

static void mapped(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600), i;
	int *m;

	CHECK(ftruncate(fd, 8192) == 0);
	m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	for (i = 0; i < 2048; i++)
		m[i] = i * i;
	CHECK(msync(m, 8192, MS_SYNC) == 0 && munmap(m, 8192) == 0);
	CHECK(pread(fd, &i, 4, 4 * 1999) == 4 && i == 1999 * 1999);
	close(fd);
}

static void last_words(void)
{
	write(1, "2", 1);
}

static void first_words(void)
{
	write(1, "1", 1);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "status") == 0)
		return atoi(argv[2]);
	if (argc == 3 && strcmp(argv[1], "say") == 0)
		return printf("said %s\n", argv[2]) < 0;
	if (argc == 2 && strcmp(argv[1], "environment") == 0)
		return getenv("GIVEN") && strcmp(getenv("GIVEN"), "yes") == 0 && !environ[1] ? 21 : 1;
	if (argc == 2 && strcmp(argv[1], "end") == 0) {
		atexit(last_words);
		atexit(first_words);
		exit(0);
	}
	CHECK(realpath(argv[0], self) != NULL);
	ways_to_run();
	pipes();
	folders();
	mapped();
	CHECK(setenv("A", "1", 1) == 0 && strcmp(getenv("A"), "1") == 0);
	CHECK(setenv("A", "2", 0) == 0 && strcmp(getenv("A"), "1") == 0);
	CHECK(putenv("A=3") == 0 && strcmp(getenv("A"), "3") == 0 && unsetenv("A") == 0 && !getenv("A"));
	CHECK(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	DONE;
}
