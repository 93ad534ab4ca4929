/* SPDX-License-Identifier: MIT */
/*
 * Where a sysroot is: the folder above the one that this program lies in. The
 * kernel tells a program by which name it was started, even where a shell
 * found it through PATH, and needs no /proc for it.
 */
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define LINKS 40 /* as many as the kernel follows */

/* Follows one link, in place: 0 where the name is none, or is too long. */
static int follow(char name[PATH_MAX])
{
	char target[PATH_MAX], *last = strrchr(name, '/');
	ssize_t n = readlink(name, target, PATH_MAX - 1);
	size_t kept;

	if (n < 0)
		return 0;
	target[n] = 0;
	kept = *target == '/' || !last ? 0 : last + 1 - name;
	if (kept + n > PATH_MAX - 4)
		return 0;
	strcpy(name + kept, target);
	return 1;
}

const char *tcc_home(void)
{
	static char name[PATH_MAX];
	const char *started = (const char *)getauxval(AT_EXECFN);
	char *last;
	int i;

	if (*name)
		return name;
	if (!started || strlen(started) > PATH_MAX - 4)
		return strcpy(name, "..");
	strcpy(name, started);
	for (i = 0; i < LINKS && follow(name); i++)
		;
	last = strrchr(name, '/');
	strcpy(last ? last + 1 : name, "..");
	return name;
}
