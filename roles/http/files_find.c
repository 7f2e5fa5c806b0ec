/* SPDX-License-Identifier: MIT */
/* From a path to an open file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "roles/http/beneath.h"
#include "roles/http/files.h"

enum { KEPT = 8, LOOK_AGAIN_US = 1000000 };

/* What a context keeps: directories that its handlers serve from, and how many files are being compressed. */
struct kept {
	const struct weft_allocator *alloc;
	struct {
		char *path;
		int fd;
		uint64_t opened_us;
	} dirs[KEPT];
	unsigned next; /* to be replaced, when all are taken */
	unsigned encoding;
};

static const char key; /* of weft_context_local */

static void forget(struct kept *k, unsigned i)
{
	if (k->dirs[i].path)
		close(k->dirs[i].fd);
	weft_strfree(k->alloc, k->dirs[i].path);
	k->dirs[i].path = NULL;
}

static void drop(void *value)
{
	struct kept *k = value;

	for (unsigned i = 0; i < KEPT; i++)
		forget(k, i);
	weft_free(k->alloc, k, sizeof(*k));
}

static struct kept *kept_of(struct weft_context *ctx)
{
	struct kept *k = weft_context_local(ctx, &key);

	if (k)
		return k;
	k = weft_zalloc(weft_context_allocator(ctx), sizeof(*k));
	if (!k)
		return NULL;
	k->alloc = weft_context_allocator(ctx);
	if (weft_context_set_local(ctx, &key, k, drop)) {
		weft_free(k->alloc, k, sizeof(*k));
		return NULL;
	}
	return k;
}

unsigned *weft_files_encoding(struct weft_context *ctx)
{
	struct kept *k = kept_of(ctx);

	return k ? &k->encoding : NULL;
}

/* The place of path, or one for it. */
static unsigned place_of(struct kept *k, const char *path)
{
	unsigned free_one = KEPT;

	for (unsigned i = 0; i < KEPT; i++) {
		if (!k->dirs[i].path)
			free_one = i;
		else if (!strcmp(k->dirs[i].path, path))
			return i;
	}
	if (free_one < KEPT)
		return free_one;
	k->next = (k->next + 1) % KEPT;
	return k->next;
}

int weft_files_directory(struct weft_context *ctx, const char *path)
{
	struct kept *k = kept_of(ctx);
	uint64_t now = weft_context_now(ctx);
	unsigned i;

	if (!k) {
		errno = ENOMEM;
		return -1;
	}
	i = place_of(k, path);
	if (k->dirs[i].path && !strcmp(k->dirs[i].path, path) &&
		now - k->dirs[i].opened_us < LOOK_AGAIN_US)
		return k->dirs[i].fd;
	forget(k, i);
	k->dirs[i].fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (k->dirs[i].fd < 0)
		return -1;
	k->dirs[i].opened_us = now;
	k->dirs[i].path = weft_strndup(k->alloc, path, strlen(path));
	if (!k->dirs[i].path) {
		close(k->dirs[i].fd);
		errno = ENOMEM;
		return -1;
	}
	return k->dirs[i].fd;
}

static int open_path(struct weft_files_job *job)
{
	job->fd = weft_http_open_beneath(job->dir, job->path + 1);
	if (job->fd < 0)
		return errno;
	return fstat(job->fd, &job->st) ? errno : 0;
}

/* The index, or the directory itself where that is listed. */
static int open_directory(struct weft_files_job *job)
{
	const char *index = job->files->index ? job->files->index : "index.html";
	size_t used = strlen(job->path), len = strlen(index);
	int e = ENOENT;

	if (len && used + len >= sizeof(job->path))
		return ENAMETOOLONG;
	if (len) {
		memcpy(job->path + used, index, len + 1);
		e = open_path(job);
		if (!e && S_ISREG(job->st.st_mode))
			return 0;
		if (!e)
			e = ENOENT;
		if (job->fd >= 0)
			close(job->fd);
		job->fd = -1;
		job->path[used] = 0;
	}
	if (e != ENOENT || !job->files->listing)
		return e;
	job->path[used - 1] = 0; /* without its slash, which only a directory may have */
	e = open_path(job);
	job->path[used - 1] = '/';
	return !e && !S_ISDIR(job->st.st_mode) ? ENOENT : e;
}

int weft_files_find(struct weft_files_job *job)
{
	size_t len = strlen(job->path);

	return job->path[len - 1] == '/' ? open_directory(job) : open_path(job);
}
