/* SPDX-License-Identifier: MIT */
/* Which representation of a file is sent: as it is, compressed before, compressed now. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "roles/http/beneath.h"
#include "roles/http/files.h"

enum { MIN_DEFAULT = 1024, MAX_DEFAULT = 16 << 20 };

static const char *const usual_types[] = { "text/", "application/json", "application/xml",
	"application/javascript", "application/manifest+json", "application/wasm",
	"application/yaml", "image/svg+xml", "image/bmp", "image/vnd.microsoft.icon", "font/ttf",
	"font/otf", NULL };
/* what compression would not make smaller */
static const char *const packed_types[] = { "image/avif", "image/gif", "image/jpeg", "image/png",
	"image/webp", "audio/", "video/", "font/woff", "font/woff2", "application/gzip",
	"application/zip", NULL };

/* A word of the list that ends with a slash stands for all behind it. */
static bool type_in(const char *type, const char *const *list)
{
	size_t len = strcspn(type, "; ");

	for (; *list; list++) {
		size_t n = strlen(*list);
		bool all = n && (*list)[n - 1] == '/';

		if ((all ? len > n : len == n) && !strncasecmp(type, *list, n))
			return true;
	}
	return false;
}

static bool may_encode(const struct weft_files_job *job)
{
	const struct weft_files *f = job->files;
	uint64_t size = (uint64_t)job->st.st_size;

	return !f->no_compress && size >= (f->compress_min ? f->compress_min : MIN_DEFAULT) &&
	       size <= (f->compress_max ? f->compress_max : (uint64_t)MAX_DEFAULT) &&
	       type_in(job->type, f->compress_types ? f->compress_types : usual_types);
}

bool weft_files_varies(const struct weft_files_job *job)
{
	if (!job->files->no_precompressed && !type_in(job->type, packed_types))
		return true;
	return may_encode(job) &&
	       (weft_http_encoder(WEFT_HTTP_GZIP) || weft_http_encoder(WEFT_HTTP_BROTLI));
}

/* NAME.gz instead of NAME, unless it is of an older NAME. */
static bool take_sibling(struct weft_files_job *job, enum weft_http_coding coding)
{
	size_t len = strlen(job->path), n = strlen(weft_http_codings[coding].suffix);
	struct stat st;
	int fd;

	if (job->files->no_precompressed || len + n >= sizeof(job->path) ||
		type_in(job->type, packed_types))
		return false;
	memcpy(job->path + len, weft_http_codings[coding].suffix, n + 1);
	fd = weft_http_open_beneath(job->dir, job->path + 1);
	job->path[len] = 0;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_mtime < job->st.st_mtime) {
		close(fd);
		return false;
	}
	close(job->fd);
	job->fd = fd;
	job->st = st;
	return true;
}

/* The best coding that `has` makes the job's, or identity: what is heavier than that is tried first. */
static enum weft_http_coding first_that(struct weft_files_job *job,
	const unsigned q[WEFT_HTTP_CODINGS],
	bool (*has)(struct weft_files_job *job, enum weft_http_coding coding))
{
	enum weft_http_coding coding;
	unsigned tried = 0;

	for (;;) {
		coding = weft_http_best_coding(q, tried);
		if (coding >= WEFT_HTTP_IDENTITY || has(job, coding))
			return coding;
		tried |= 1u << coding;
	}
}

static bool take_encoder(struct weft_files_job *job, enum weft_http_coding coding)
{
	if (!may_encode(job))
		return false;
	/* a range is of what is there, not of what is made on the way: but better the whole than nothing */
	if (job->identity_ok && !job->head && weft_head_find(job->request, "range"))
		return false;
	job->encoder = weft_http_encoder(coding);
	return job->encoder != NULL;
}

bool weft_files_negotiate(struct weft_files_job *job)
{
	unsigned q[WEFT_HTTP_CODINGS];

	weft_http_accepted(job->request, q);
	job->identity_ok = q[WEFT_HTTP_IDENTITY] > 0;
	/* what is there already costs nothing */
	job->coding = first_that(job, q, take_sibling);
	if (job->coding >= WEFT_HTTP_IDENTITY)
		job->coding = first_that(job, q, take_encoder);
	return job->coding != WEFT_HTTP_CODINGS;
}
