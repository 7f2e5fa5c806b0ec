/* SPDX-License-Identifier: MIT */
/* The handler that serves files: which answer a request gets. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "roles/http/files.h"
#include "roles/http/target.h"
#include "weft/http.h"

static unsigned status_of(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV: /* a link that leaves the directory */
	case ELOOP:
	case ENXIO: /* a socket, a device without a driver */
		return 403;
	default:
		return 500;
	}
}

static enum weft_status method_not_allowed(struct weft_stream *s)
{
	struct weft_field allow = weft_field("allow", "GET, HEAD");
	struct weft_head head = {
		.status = 405, .body_len = 0, .fields = &allow, .field_count = 1
	};

	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL);
}

/* "/docs" to "/docs/", so that relative links in its index work. */
static enum weft_status redirect_to_slash(struct weft_stream *s, const char *target)
{
	size_t path = strcspn(target, "?");
	char location[WEFT_FILES_PATH + 2];
	struct weft_field field;
	struct weft_head head = {
		.status = 301, .body_len = 0, .fields = &field, .field_count = 1
	};

	if (strlen(target) + 2 > sizeof(location))
		return weft_http_error(s, 404);
	snprintf(location, sizeof(location), "%.*s/%s", (int)path, target, target + path);
	field = weft_field("location", location);
	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL);
}

static void describe(struct weft_files_job *job)
{
	const struct stat *st = &job->st;

	job->v.now = weft_context_wall(weft_stream_context(job->stream));
	/* a file of tomorrow has not been modified after today: RFC 9110 section 8.8.2.1 */
	job->v.modified = st->st_mtime < job->v.now ? st->st_mtime : job->v.now;
	/* what an encoder makes may differ from one build to the next: weak */
	weft_http_etag(job->v.etag, job->encoder != NULL, (uint64_t)st->st_ino,
		(uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec,
		weft_http_codings[job->coding].variant);
	weft_http_date(job->v.modified, job->modified);
}

/* The fields that 304 has, too: RFC 9110 section 15.4.5. */
static void validator_fields(struct weft_files_job *job, bool varies)
{
	weft_files_field(job, "etag", job->v.etag);
	weft_files_field(job, "last-modified", job->modified);
	if (varies)
		weft_files_field(job, "vary", "accept-encoding");
	for (const struct weft_files_cache *c = job->files->cache; c && c->pattern; c++) {
		if (fnmatch(c->pattern, job->path, 0))
			continue;
		weft_files_field(job, "cache-control", c->value);
		break;
	}
}

static void content_fields(struct weft_files_job *job)
{
	if (job->coding != WEFT_HTTP_IDENTITY)
		weft_files_field(job, "content-encoding", weft_http_codings[job->coding].name);
	if (!job->encoder)
		weft_files_field(job, "accept-ranges", "bytes");
}

static enum weft_status unsatisfiable(struct weft_files_job *job)
{
	struct weft_field field;
	char range[32];
	struct weft_head head = {
		.status = 416, .body_len = 0, .fields = &field, .field_count = 1
	};

	close(job->fd);
	snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)job->st.st_size);
	field = weft_field("content-range", range);
	return weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, true, NULL);
}

static enum weft_status send_range(struct weft_files_job *job, const struct weft_http_range *r)
{
	char range[80];

	snprintf(range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)r->first,
		(unsigned long long)(r->first + r->len - 1), (unsigned long long)job->st.st_size);
	weft_files_field(job, "content-range", range);
	return weft_files_send(job, 206, r->first, r->len);
}

static enum weft_status send_whole_or_part(struct weft_files_job *job)
{
	const struct weft_field *range = weft_head_find(job->request, "range");
	struct weft_http_range ranges[WEFT_HTTP_RANGES_MAX];
	uint64_t size = (uint64_t)job->st.st_size;
	size_t count;

	/* only GET has ranges: RFC 9110 section 14.2 */
	if (range && !job->head && weft_http_if_range(job->request, &job->v)) {
		switch (weft_http_ranges(range->value, range->value_len, size, ranges, &count)) {
		case WEFT_HTTP_RANGES_SOME:
			return count == 1 ? send_range(job, ranges)
					  : weft_files_send_parts(job, ranges, count);
		case WEFT_HTTP_RANGES_UNSATISFIABLE:
			return unsatisfiable(job);
		default:
			break;
		}
	}
	return weft_files_send(job, 200, 0, size);
}

static enum weft_status not_modified(struct weft_files_job *job)
{
	/* without the content's type: only what a cache needs */
	const struct weft_head head = {
		.status = 304,
		.body_len = -1,
		.fields = job->fields + 1,
		.field_count = job->field_count - 1,
	};

	close(job->fd);
	return weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, true, NULL);
}

static enum weft_status not_acceptable(struct weft_files_job *job)
{
	struct weft_field vary = weft_field("vary", "accept-encoding");
	struct weft_head head = { .status = 406, .body_len = 0, .fields = &vary, .field_count = 1 };

	close(job->fd);
	return weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, true, NULL);
}

static void begin_fields(struct weft_files_job *job, bool varies)
{
	describe(job);
	job->field_count = 0;
	weft_files_field(job, "content-type", job->type);
	validator_fields(job, varies);
}

static enum weft_status serve_file(struct weft_files_job *job)
{
	bool varies;

	job->type = weft_http_type(job->path);
	varies = weft_files_varies(job);
	if (!weft_files_negotiate(job))
		return not_acceptable(job);
	begin_fields(job, varies);
	switch (weft_http_preconditions(job->request, &job->v)) {
	case WEFT_HTTP_NOT_MODIFIED:
		return not_modified(job);
	case WEFT_HTTP_PRECONDITION_FAILED:
		close(job->fd);
		return weft_http_error(job->stream, 412);
	default:
		break;
	}
	if (job->encoder && !job->head && !weft_files_prepare_encoder(job)) {
		/* as it is, it takes no memory */
		job->encoder = NULL;
		job->coding = WEFT_HTTP_IDENTITY;
		begin_fields(job, varies);
	}
	content_fields(job);
	return job->encoder ? weft_files_send_encoded(job) : send_whole_or_part(job);
}

static enum weft_status serve(struct weft_files_job *job)
{
	int e;

	job->dir = weft_files_directory(weft_stream_context(job->stream), job->files->directory);
	e = job->dir < 0 ? errno : weft_files_find(job);
	if (e) {
		if (job->fd >= 0)
			close(job->fd);
		return weft_http_error(job->stream, status_of(e));
	}
	if (S_ISREG(job->st.st_mode))
		return serve_file(job);
	if (S_ISDIR(job->st.st_mode) && job->path[strlen(job->path) - 1] == '/')
		return weft_files_list(job);
	close(job->fd);
	if (S_ISDIR(job->st.st_mode))
		return redirect_to_slash(job->stream, job->request->target);
	return weft_http_error(job->stream, 403);
}

enum weft_status weft_http_serve_files(struct weft_stream *s, void *files)
{
	struct weft_files_job job = {
		.stream = s, .files = files, .request = weft_stream_request(s), .fd = -1
	};
	const char *method = job.request->method ? job.request->method : "";

	job.head = !strcmp(method, "HEAD");
	if (!job.head && strcmp(method, "GET"))
		return method_not_allowed(s);
	if (!weft_http_decode_path(job.request->target, job.path, sizeof(job.path)))
		return weft_http_error(s, 404);
	return serve(&job);
}

enum weft_status weft_http_files(struct weft_stream *s, void *directory)
{
	struct weft_files files = { .directory = directory };

	return weft_http_serve_files(s, &files);
}
