/* SPDX-License-Identifier: MIT */
/* A file, or a stretch of it, on its way out. */
#include <errno.h>
#include <unistd.h>

#include "roles/http/files.h"

/* Up to here a file goes out with its head, in one write; beyond, it is not read at all (sendfile). */
enum { SMALL = 16384 };

static void file_ref(struct weft_owner *owner)
{
	((struct weft_file *)owner)->refs++;
}

static void file_release(struct weft_owner *owner)
{
	struct weft_file *f = (struct weft_file *)owner;

	if (--f->refs)
		return;
	close(f->fd);
	weft_free(f->alloc, f, sizeof(*f));
}

struct weft_file *weft_file_make(const struct weft_allocator *alloc, int fd)
{
	struct weft_file *f = weft_alloc(alloc, sizeof(*f));

	if (!f) {
		close(fd);
		return NULL;
	}
	*f = (struct weft_file){
		.owner = { .ref = file_ref, .release = file_release },
		.alloc = alloc,
		.refs = 1,
		.fd = fd,
	};
	return f;
}

static enum weft_status send_head(
	struct weft_files_job *job, unsigned status, uint64_t len, bool bare)
{
	const struct weft_head head = {
		.status = status,
		.body_len = (int64_t)len,
		.fields = job->fields,
		.field_count = job->field_count,
	};

	return weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, bare, NULL);
}

/* Read before the head is sent, so that a file that became shorter can still be answered for. */
static enum weft_status send_small(
	struct weft_files_job *job, unsigned status, uint64_t off, size_t len)
{
	unsigned char bytes[SMALL];
	enum weft_status st = WEFT_OK;
	size_t have = 0;
	ssize_t n = 1;

	while (have < len && n > 0) {
		n = pread(job->fd, bytes + have, len - have, (off_t)(off + have));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			have += (size_t)n;
	}
	close(job->fd);
	if (have < len)
		return WEFT_ERR_IO;
	st = send_head(job, status, len, false);
	if (st)
		return st;
	/* there was room: what is missing then was not for want of it */
	if (weft_stream_write(job->stream, bytes, len) != len) {
		weft_stream_close(job->stream);
		return WEFT_ERR_MEMORY;
	}
	weft_stream_finish(job->stream);
	return WEFT_OK;
}

enum weft_status weft_files_send(
	struct weft_files_job *job, unsigned status, uint64_t off, uint64_t len)
{
	const struct weft_allocator *alloc =
		weft_context_allocator(weft_stream_context(job->stream));
	struct weft_segment seg = { .kind = WEFT_SEGMENT_FILE, .fd = job->fd, .off = off };
	struct weft_file *f;
	enum weft_status st;

	if (job->head || !len) {
		close(job->fd);
		return send_head(job, status, len, true);
	}
	if (len <= SMALL && len <= weft_stream_room(job->stream))
		return send_small(job, status, off, (size_t)len);
	f = weft_file_make(alloc, job->fd);
	if (!f)
		return WEFT_ERR_MEMORY;
	seg.len = (size_t)len;
	seg.owner = &f->owner;
	st = send_head(job, status, len, false);
	if (st == WEFT_OK) {
		st = weft_stream_write_segment(job->stream, &seg);
		if (st == WEFT_OK) {
			weft_stream_finish(job->stream);
			return WEFT_OK;
		}
		weft_stream_close(job->stream); /* the head promised a body */
	}
	weft_file_release(f);
	return st;
}
