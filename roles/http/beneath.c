/* SPDX-License-Identifier: MIT */
/*
 * The kernel confines the walk where it can (openat2). Elsewhere each step is taken by hand and no
 * symbolic link is followed at all. The platform's differences are in this file alone.
 */
#include "roles/http/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

/* O_NONBLOCK: a FIFO in the directory must not hold the loop. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

#ifdef SYS_openat2
static int confined(int dir, const char *path)
{
	struct open_how how = {
		.flags = OPEN_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}
#else
static int confined(int dir, const char *path)
{
	(void)dir;
	(void)path;
	errno = ENOSYS;
	return -1;
}
#endif

/* Takes dir over. */
static int by_steps(int dir, const char *path)
{
	char name[256];

	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = !path[len];
		int next, saved;

		if (!len || len >= sizeof(name) || (len <= 2 && !strncmp(path, "..", len))) {
			close(dir);
			errno = len >= sizeof(name) ? ENAMETOOLONG : EXDEV;
			return -1;
		}
		memcpy(name, path, len);
		name[len] = 0;
		next = openat(dir, name, OPEN_FLAGS | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
		saved = errno;
		close(dir);
		errno = saved;
		if (next < 0 || last)
			return next;
		dir = next;
		path += len + 1;
	}
}

int weft_http_open_beneath(const char *directory, const char *path)
{
	int dir = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	int fd, saved;

	if (dir < 0)
		return -1;
	fd = confined(dir, *path ? path : ".");
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return *path ? by_steps(dir, path) : dir;
	saved = errno;
	close(dir);
	errno = saved;
	return fd;
}
