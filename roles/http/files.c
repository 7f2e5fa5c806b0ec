/* SPDX-License-Identifier: MIT */
/* The handler that serves files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roles/http/beneath.h"
#include "roles/http/target.h"
#include "weft/http.h"

enum { PATH_BYTES = 2048 };

/* A descriptor that is closed with the last segment that refers to it. */
struct open_file {
	struct weft_owner owner;
	const struct weft_allocator *alloc;
	unsigned refs;
	int fd;
};

static void file_ref(struct weft_owner *owner)
{
	((struct open_file *)owner)->refs++;
}

static void file_release(struct weft_owner *owner)
{
	struct open_file *f = (struct open_file *)owner;

	if (--f->refs)
		return;
	close(f->fd);
	weft_free(f->alloc, f, sizeof(*f));
}

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
	struct weft_field fields[] = {
		weft_field("allow", "GET, HEAD"),
	};
	struct weft_head head = {
		.status = 405, .body_len = 0, .fields = fields, .field_count = 1
	};

	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL);
}

/* "/docs" to "/docs/", so that relative links in its index.html work. */
static enum weft_status redirect_to_slash(struct weft_stream *s, const char *target)
{
	size_t path = strcspn(target, "?");
	char location[PATH_BYTES + 2];
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

/* Takes fd over. */
static enum weft_status send_file(
	struct weft_stream *s, int fd, const struct stat *st, const char *path)
{
	const struct weft_allocator *alloc = weft_context_allocator(weft_stream_context(s));
	struct weft_segment seg = {
		.kind = WEFT_SEGMENT_FILE, .fd = fd, .len = (size_t)st->st_size
	};
	struct weft_field fields[2] = { weft_field("content-type", weft_http_type(path)) };
	struct weft_head head = {
		.status = 200, .body_len = st->st_size, .fields = fields, .field_count = 2
	};
	bool bare = !st->st_size || !strcmp(weft_stream_request(s)->method, "HEAD");
	struct open_file *f = weft_alloc(alloc, sizeof(*f));
	enum weft_status status;
	char modified[30];

	if (!f) {
		close(fd);
		return WEFT_ERR_MEMORY;
	}
	*f = (struct open_file){
		.owner = { .ref = file_ref, .release = file_release },
		.alloc = alloc,
		.refs = 1,
		.fd = fd,
	};
	seg.owner = &f->owner;
	weft_http_date(st->st_mtime, modified);
	fields[1] = weft_field("last-modified", modified);
	status = weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, bare, NULL);
	if (status || bare) {
		file_release(&f->owner);
		return status;
	}
	status = weft_stream_write_segment(s, &seg);
	if (status) {
		file_release(&f->owner);
		weft_stream_close(s);
		return status;
	}
	weft_stream_finish(s);
	return WEFT_OK;
}

static int open_index(const char *directory, char *path, size_t path_len)
{
	size_t used = strlen(path);

	if (used + sizeof("index.html") > path_len) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path + used, "index.html", sizeof("index.html"));
	return weft_http_open_beneath(directory, path + 1);
}

/* The file that path names, or the index of the directory; st describes it. -1 with errno. */
static int find_file(const char *directory, char *path, size_t path_len, struct stat *st)
{
	size_t len = strlen(path);
	bool as_directory = path[len - 1] == '/';
	int fd = as_directory ? open_index(directory, path, path_len)
			      : weft_http_open_beneath(directory, path + 1);

	if (fd < 0)
		return -1;
	if (fstat(fd, st) || (as_directory && !S_ISREG(st->st_mode))) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

enum weft_status weft_http_files(struct weft_stream *s, void *directory)
{
	const struct weft_head *request = weft_stream_request(s);
	const char *method = request->method ? request->method : "";
	char path[PATH_BYTES];
	struct stat st;
	int fd;

	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return method_not_allowed(s);
	if (!weft_http_decode_path(request->target, path, sizeof(path)))
		return weft_http_error(s, 404);
	fd = find_file(directory, path, sizeof(path), &st);
	if (fd < 0)
		return weft_http_error(s, status_of(errno));
	if (S_ISREG(st.st_mode))
		return send_file(s, fd, &st, path);
	close(fd);
	if (S_ISDIR(st.st_mode))
		return redirect_to_slash(s, request->target);
	return weft_http_error(s, 403);
}
