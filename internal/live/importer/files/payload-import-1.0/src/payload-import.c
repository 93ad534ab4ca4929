/* SPDX-License-Identifier: MIT */

/*
 * payload-import copies the files of a payload from a disk into a folder.
 *
 *   payload-import DEST               scans all disks for a payload
 *   payload-import --device DEV DEST  takes this disk, or plain file
 *   payload-import --probe DEV        only looks whether there is one
 *
 * It ends with 0 where all is well, 1 after an error, 2 where no payload was
 * found.
 *
 * A payload is the magic LBPAYLD1, a count, and for each file the length of
 * its name, the length of its content, its name, its content. Numbers have
 * the lowest byte first, and all of them 4 bytes, or all of them 8. The half
 * of an 8-byte count that is always 0 stands where the length of the first
 * name, which is never 0, stands with 4 bytes: that tells them apart.
 *
 * C89, and of the C library only what Mes and musl have both. There is no
 * arithmetic on more than 32 bits. Nothing is believed of what a payload says
 * before it is checked, and no size decides how much memory is taken.
 */

#define _XOPEN_SOURCE 500

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define DONE 0
#define FAILED 1
#define NONE 2

#define MAGIC "LBPAYLD1"
#define MAGIC_SIZE 8
#define MAX_FILES 200000
#define MAX_NAME 1024
#define MAX_PATH 4096
#define BUFFER 65536
#define BLOCK_DEVICE 0060600 /* S_IFBLK, and mode 600 */

/* A number of 64 bits, in halves of which each is below 2 to the 32. */
struct wide {
	unsigned long high;
	unsigned long low;
};

/* What is read, and how far. */
static int input;
static unsigned char buffer[BUFFER];
static int filled;
static int used;

static char path[MAX_PATH + 1];
static char name[MAX_NAME + 1];
static char list[BUFFER];

static void say(char *text)
{
	write(2, text, strlen(text));
}

static void say_number(unsigned long n)
{
	char digits[24];
	int at;

	at = 23;
	digits[at] = 0;
	do {
		at = at - 1;
		digits[at] = '0' + n % 10;
		n = n / 10;
	} while (n > 0);
	say(digits + at);
}

/* fail says what is wrong with what, and gives the status for it. */
static int fail(char *what, char *why)
{
	say("payload-import: ");
	say(what);
	say(": ");
	say(why);
	say("\n");
	return FAILED;
}

/* start begins to read from a file. */
static void start(int fd)
{
	input = fd;
	filled = 0;
	used = 0;
}

/* more fills the buffer where it is used up. It gives 0 at the end. */
static int more(void)
{
	int n;

	if (used < filled) {
		return 1;
	}
	n = read(input, buffer, BUFFER);
	if (n <= 0) {
		return 0;
	}
	filled = n;
	used = 0;
	return 1;
}

/* take reads so many bytes. It gives 0 where they are not there. */
static int take(unsigned char *to, int size)
{
	while (size > 0) {
		if (!more()) {
			return 0;
		}
		*to = buffer[used];
		to = to + 1;
		used = used + 1;
		size = size - 1;
	}
	return 1;
}

static int take_half(unsigned long *n)
{
	unsigned char b[4];

	if (!take(b, 4)) {
		return 0;
	}
	*n = (unsigned long) b[0] | (unsigned long) b[1] << 8
		| (unsigned long) b[2] << 16 | (unsigned long) b[3] << 24;
	return 1;
}

/* take_wide reads a number of 4 or 8 bytes. */
static int take_wide(int width, struct wide *n)
{
	n->high = 0;
	if (!take_half(&n->low)) {
		return 0;
	}
	return width == 4 || take_half(&n->high);
}

static int take_magic(void)
{
	unsigned char b[MAGIC_SIZE];

	return take(b, MAGIC_SIZE) && memcmp(b, MAGIC, MAGIC_SIZE) == 0;
}

/* take_name reads a name. It gives why it cannot be used, or 0. */
static char *take_name(unsigned long length)
{
	unsigned long i;

	if (length == 0 || length > MAX_NAME) {
		return "a name that is empty or too long";
	}
	if (!take((unsigned char *) name, (int) length)) {
		return "the payload ends in a name";
	}
	name[length] = 0;
	for (i = 0; i < length; i = i + 1) {
		if (name[i] == '/' || name[i] == '\\' || name[i] == 0) {
			return "a name with a slash, a backslash or NUL";
		}
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return "a name that means a folder";
	}
	return 0;
}

/* put writes so many bytes. It gives 0 where that fails. */
static int put(int fd, unsigned char *from, int size)
{
	int n;

	while (size > 0) {
		n = write(fd, (char *) from, size);
		if (n <= 0) {
			return 0;
		}
		from = from + n;
		size = size - n;
	}
	return 1;
}

/* copy writes the next bytes of the payload to a file. It gives why that
 * failed, or 0. */
static char *copy(int fd, struct wide left)
{
	unsigned long n;

	while (left.high > 0 || left.low > 0) {
		if (!more()) {
			return "the payload ends in its content";
		}
		n = filled - used;
		if (left.high == 0 && n > left.low) {
			n = left.low;
		}
		if (!put(fd, buffer + used, (int) n)) {
			return "it cannot be written";
		}
		used = used + (int) n;
		if (left.low < n) {
			left.high = left.high - 1;
			left.low = 0xffffffff - (n - left.low) + 1;
		} else {
			left.low = left.low - n;
		}
	}
	return 0;
}

/* import_file makes one file. What is written of it in vain is deleted. */
static int import_file(char *dest, struct wide size)
{
	char *why;
	int fd;

	if (strlen(dest) + 1 + strlen(name) >= MAX_PATH) {
		return fail(name, "its path is too long");
	}
	strcpy(path, dest);
	strcat(path, "/");
	strcat(path, name);
	unlink(path); /* a link would lead elsewhere */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0) {
		return fail(path, "it cannot be made");
	}
	why = copy(fd, size);
	if (close(fd) != 0 && why == 0) {
		why = "it cannot be written";
	}
	if (why != 0) {
		unlink(path);
		return fail(path, why);
	}
	return DONE;
}

/* make_folder makes a folder and those above it, where they are missing. */
static void make_folder(char *dest)
{
	int i;

	if (strlen(dest) >= MAX_PATH) {
		return;
	}
	for (i = 0; dest[i] != 0; i = i + 1) {
		path[i] = dest[i];
		path[i + 1] = 0;
		if (dest[i + 1] == '/' || dest[i + 1] == 0) {
			mkdir(path, 0755);
		}
	}
}

/* import copies all files of a payload that is open, behind its magic. */
static int import(char *dest)
{
	struct wide length;
	struct wide size;
	unsigned long count;
	unsigned long i;
	char *why;
	int width;

	if (!take_half(&count)) {
		return fail("header", "the payload ends in it");
	}
	if (count > MAX_FILES) {
		return fail("header", "more files than there can be");
	}
	make_folder(dest);
	width = 0;
	for (i = 0; i < count; i = i + 1) {
		length.high = 0;
		if (width == 0) {
			if (!take_half(&length.low)) {
				return fail("header", "the payload ends in it");
			}
			width = 4;
			if (length.low == 0) {
				width = 8;
			}
		}
		if ((i > 0 || width == 8) && !take_wide(width, &length)) {
			return fail(name, "the payload ends behind it");
		}
		if (!take_wide(width, &size)) {
			return fail(name, "the payload ends behind it");
		}
		if (length.high > 0) {
			length.low = 0;
		}
		why = take_name(length.low);
		if (why != 0) {
			return fail("file", why);
		}
		if (import_file(dest, size) != DONE) {
			return FAILED;
		}
		say("payload-import: ");
		say_number(i + 1);
		say(" of ");
		say_number(count);
		say(" ");
		say(name);
		say("\n");
	}
	return DONE;
}

/* open_payload opens a disk and reads its magic. It gives 0, with the disk
 * closed again, where there is none. */
static int open_payload(char *device)
{
	int fd;

	fd = open(device, O_RDONLY, 0);
	if (fd < 0) {
		return 0;
	}
	start(fd);
	if (!take_magic()) {
		close(fd);
		return 0;
	}
	return 1;
}

/* try_disk opens a disk by its name and numbers if it has a payload. A node
 * that is missing is made, and where there is no such disk deleted again. A
 * major number of 0 is one that is not known. */
static int try_disk(char *disk, unsigned long major, unsigned long minor)
{
	static char device[64];
	int fd;

	strcpy(device, "/dev/");
	strcat(device, disk);
	if (access(device, 0) != 0) {
		if (major == 0) {
			return 0;
		}
		mkdir("/dev", 0755);
		if (mknod(device, BLOCK_DEVICE,
			(minor & 0xff) | major << 8 | (minor & 0xfff00) << 12) != 0) {
			return 0;
		}
		fd = open(device, O_RDONLY, 0);
		if (fd < 0) {
			unlink(device);
			return 0;
		}
		close(fd);
	}
	if (!open_payload(device)) {
		return 0;
	}
	say("payload-import: found on ");
	say(device);
	say("\n");
	return 1;
}

/* scan_known tries the disks that have fixed names, the first of each kind
 * last: most often it is the one that was booted from. The numbers are those
 * of devices.txt of Linux, which Fiwix has as well. */
static int scan_known(void)
{
	char disk[4];
	int i;
	int n;

	disk[3] = 0;
	disk[1] = 'd';
	for (i = 1; i <= 26; i = i + 1) {
		n = i % 26;
		disk[2] = 'a' + n;
		disk[0] = 'h';
		if (try_disk(disk, n < 2 ? 3 : n < 4 ? 22 : 0, n % 2 * 64)) {
			return 1;
		}
		disk[0] = 's';
		if (try_disk(disk, n < 16 ? 8 : 65, n % 16 * 16)) {
			return 1;
		}
		disk[0] = 'v';
		if (try_disk(disk, 0, 0)) {
			return 1;
		}
	}
	return 0;
}

static int starts(char *text, char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* is_disk tells whether a name of the kernel's list is that of a whole disk
 * that can be plugged in. */
static int is_disk(char *disk)
{
	int last;

	last = strlen(disk) - 1;
	if (last < 0 || last > 31) {
		return 0;
	}
	if (starts(disk, "ram") || starts(disk, "zram") || starts(disk, "loop")
		|| starts(disk, "fd") || starts(disk, "sr") || starts(disk, "md")
		|| starts(disk, "dm-") || starts(disk, "nbd")) {
		return 0;
	}
	if (starts(disk, "nvme") || starts(disk, "mmcblk")) {
		return strchr(disk, 'p') == 0; /* of a partition */
	}
	return disk[last] < '0' || disk[last] > '9';
}

/* number reads a number of a line and the blanks in front of it, and gives
 * where it ends. */
static char *number(char *at, unsigned long *n)
{
	while (*at == ' ' || *at == '\t') {
		at = at + 1;
	}
	*n = 0;
	while (*at >= '0' && *at <= '9') {
		*n = *n * 10 + (*at - '0');
		at = at + 1;
	}
	return at;
}

/* read_list reads the kernel's list of disks: "major minor blocks name" on
 * each line. It is empty where there is no /proc. */
static void read_list(void)
{
	int fd;
	int n;
	int size;

	size = 0;
	fd = open("/proc/partitions", O_RDONLY, 0);
	if (fd >= 0) {
		do {
			n = read(fd, list + size, BUFFER - 1 - size);
			if (n > 0) {
				size = size + n;
			}
		} while (n > 0);
		close(fd);
	}
	list[size] = 0;
}

/* scan_list tries all disks of the kernel's list. */
static int scan_list(void)
{
	unsigned long major;
	unsigned long minor;
	unsigned long blocks;
	char *at;
	char *disk;

	read_list();
	at = list;
	while (*at != 0) {
		at = number(at, &major);
		at = number(at, &minor);
		at = number(at, &blocks);
		while (*at == ' ') {
			at = at + 1;
		}
		disk = at;
		while (*at != 0 && *at != '\n') {
			at = at + 1;
		}
		if (*at == '\n') {
			*at = 0;
			at = at + 1;
		}
		if (blocks > 0 && is_disk(disk) && try_disk(disk, major, minor)) {
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--probe") == 0) {
		return open_payload(argv[2]) ? DONE : NONE;
	}
	if (argc == 4 && strcmp(argv[1], "--device") == 0) {
		if (!open_payload(argv[2])) {
			fail(argv[2], "there is no payload");
			return NONE;
		}
		return import(argv[3]);
	}
	if (argc != 2 || argv[1][0] == '-' || argv[1][0] == 0) {
		return fail("usage", "payload-import DEST, "
			"--device DEV DEST, or --probe DEV");
	}
	if (!scan_list() && !scan_known()) {
		fail("disks", "there is no payload on any");
		return NONE;
	}
	return import(argv[1]);
}
