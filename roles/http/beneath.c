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
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, TRIES = 16 };

#ifdef SYS_openat2
static int confined(int dir, const char *path)
{
	struct open_how how = {
		.flags = OPEN_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 0;

	/* while something is renamed the kernel cannot tell whether ".." stays inside */
	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && ++tries < TRIES);
	return fd;
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

static int by_steps(int top, const char *path)
{
	char name[256];
	int dir = top;

	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = !path[len], good = len && (len > 2 || strncmp(path, "..", len));
		int next = -1, saved;

		if (good && len < sizeof(name)) {
			memcpy(name, path, len);
			name[len] = 0;
			next = openat(
				dir, name, OPEN_FLAGS | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
		} else {
			errno = good ? ENAMETOOLONG : EXDEV;
		}
		saved = errno;
		if (dir != top)
			close(dir);
		errno = saved;
		if (next < 0 || last)
			return next;
		dir = next;
		path += len + 1;
	}
}

int weft_http_open_beneath(int directory, const char *path)
{
	int fd = confined(directory, *path ? path : ".");

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	return *path ? by_steps(directory, path) : openat(directory, ".", OPEN_FLAGS);
}
