/* SPDX-License-Identifier: MIT */

/* The first program of a guest: loads the modules /modules/0, 1 and so on, runs payload-import until it finds a disk,
 * and prints each file that came of it, with its size and a sum over all of its bytes. */

#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/external/distfiles"

static void load_modules(void)
{
	char path[32];
	int fd, i;

	for (i = 0;; i++) {
		sprintf(path, "/modules/%d", i);
		if ((fd = open(path, O_RDONLY)) < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) != 0)
			perror(path);
		close(fd);
	}
}

static int import(void)
{
	char *argv[] = {"/payload-import", FOLDER, 0}, *env[] = {0};
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execve(argv[0], argv, env);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* show prints a file with the sum that is called FNV-1a, of 64 bits. */
static void show(char *name)
{
	static unsigned char buffer[1 << 16];
	char path[2048];
	unsigned long sum = 0xcbf29ce484222325, size = 0;
	int fd, n, i;

	sprintf(path, FOLDER "/%s", name);
	fd = open(path, O_RDONLY);
	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		for (i = 0; i < n; i++, size++)
			sum = (sum ^ buffer[i]) * 0x100000001b3;
	printf("file %lu %016lx %s\n", size, sum, name);
	close(fd);
}

int main(void)
{
	struct timespec moment = {0, 50 * 1000 * 1000};
	struct dirent *entry;
	int status, tries;
	DIR *folder;

	load_modules();
	mount("proc", "/proc", "proc", 0, 0); /* fails where this guest has no folder for it */
	for (tries = 0; (status = import()) == 2 && tries < 100; tries++)
		nanosleep(&moment, 0);
	printf("payload-import ended with %d\n", status);
	if ((folder = opendir(FOLDER)))
		while ((entry = readdir(folder)))
			if (entry->d_name[0] != '.')
				show(entry->d_name);
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
	return 0;
}
