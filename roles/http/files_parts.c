/* SPDX-License-Identifier: MIT */
/* Several ranges in one answer: multipart/byteranges, RFC 9110 section 14.6. */
#include <stdio.h>
#include <string.h>

#include "roles/http/files.h"

enum { TEXT_MAX = 320, BOUNDARY_MAX = 40 };

/* All texts stand in one block, which the segments refer to. */
struct parts {
	struct weft_owner owner;
	const struct weft_allocator *alloc;
	unsigned refs;
	struct weft_file *file;
	size_t count, at; /* at: the next segment, of 2 * count + 1: text, stretch, text ... end */
	struct weft_http_range ranges[WEFT_HTTP_RANGES_MAX];
	size_t text_at[WEFT_HTTP_RANGES_MAX + 2];
	size_t size;
	char text[];
};

static void parts_ref(struct weft_owner *owner)
{
	((struct parts *)owner)->refs++;
}

static void parts_release(struct weft_owner *owner)
{
	struct parts *p = (struct parts *)owner;

	if (--p->refs)
		return;
	if (p->file)
		weft_file_release(p->file);
	weft_free(p->alloc, p, sizeof(*p) + p->size);
}

static void next_segment(const struct parts *p, struct weft_segment *seg)
{
	size_t i = p->at / 2;

	*seg = (struct weft_segment){ .kind = WEFT_SEGMENT_FILE, .fd = p->file->fd };
	if (p->at % 2) {
		seg->off = p->ranges[i].first;
		seg->len = (size_t)p->ranges[i].len;
		seg->owner = &p->file->owner;
	} else {
		*seg = weft_segment_static(
			p->text + p->text_at[i], p->text_at[i + 1] - p->text_at[i]);
		seg->owner = (struct weft_owner *)&p->owner;
	}
}

static void more(struct weft_stream *s, void *user)
{
	struct parts *p = user;
	struct weft_segment seg;
	enum weft_status st = WEFT_OK;

	while (p->at < 2 * p->count + 1) {
		next_segment(p, &seg);
		weft_segment_ref(&seg); /* passes to the stream, if it takes it */
		st = weft_stream_write_segment(s, &seg);
		if (st)
			weft_segment_release(&seg);
		if (st < 0)
			weft_stream_close(s);
		if (st)
			return;
		p->at++;
	}
	weft_stream_finish(s);
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	parts_release(user);
}

static const struct weft_stream_ops parts_ops = { .on_writable = more, .on_close = closed };

/* A boundary must not be in the parts. This one would have to be guessed to the microsecond. */
static void make_boundary(const struct weft_files_job *job, char out[BOUNDARY_MAX])
{
	uint64_t x = weft_context_now(weft_stream_context(job->stream)) ^
		     (uint64_t)job->st.st_mtim.tv_nsec << 32 ^ (uint64_t)job->st.st_ino;
	uint64_t y = (uint64_t)(uintptr_t)job->stream + (uint64_t)job->st.st_size;

	/* splitmix64: neighbours look nothing like each other */
	for (int i = 0; i < 2; i++) {
		uint64_t z = (x += 0x9e3779b97f4a7c15u);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		y ^= z ^ z >> 31;
		x ^= y;
	}
	snprintf(out, BOUNDARY_MAX, "weft-%016llx%016llx", (unsigned long long)x,
		(unsigned long long)y);
}

static uint64_t write_texts(struct parts *p, const struct weft_files_job *job, const char *boundary)
{
	uint64_t total = 0;
	size_t at = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct weft_http_range *r = &p->ranges[i];

		p->text_at[i] = at;
		at += (size_t)snprintf(p->text + at, p->size - at,
			"%s--%s\r\ncontent-type: %s\r\ncontent-range: bytes %llu-%llu/%llu\r\n\r\n",
			i ? "\r\n" : "", boundary, job->type, (unsigned long long)r->first,
			(unsigned long long)(r->first + r->len - 1),
			(unsigned long long)job->st.st_size);
		total += r->len;
	}
	p->text_at[p->count] = at;
	at += (size_t)snprintf(p->text + at, p->size - at, "\r\n--%s--\r\n", boundary);
	p->text_at[p->count + 1] = at;
	return total + at;
}

static struct parts *make_parts(
	struct weft_files_job *job, const struct weft_http_range *ranges, size_t count)
{
	const struct weft_allocator *alloc =
		weft_context_allocator(weft_stream_context(job->stream));
	size_t size = (count + 1) * TEXT_MAX;
	struct weft_file *file = weft_file_make(alloc, job->fd);
	struct parts *p = file ? weft_alloc(alloc, sizeof(*p) + size) : NULL;

	if (!p) {
		if (file)
			weft_file_release(file);
		return NULL;
	}
	*p = (struct parts){
		.owner = { .ref = parts_ref, .release = parts_release },
		.alloc = alloc,
		.refs = 1,
		.file = file,
		.count = count,
		.size = size,
	};
	memcpy(p->ranges, ranges, count * sizeof(*ranges));
	return p;
}

enum weft_status weft_files_send_parts(
	struct weft_files_job *job, const struct weft_http_range *ranges, size_t count)
{
	struct parts *p = make_parts(job, ranges, count);
	char boundary[BOUNDARY_MAX], type[BOUNDARY_MAX + 48];
	struct weft_head head = { .status = 206, .fields = job->fields };
	enum weft_status st;

	if (!p)
		return WEFT_ERR_MEMORY;
	make_boundary(job, boundary);
	head.body_len = (int64_t)write_texts(p, job, boundary);
	snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
	/* the parts have the type of the whole */
	job->fields[0] = weft_field("content-type", type);
	head.field_count = job->field_count;
	weft_stream_set_ops(job->stream, &parts_ops, p);
	st = weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, false, NULL);
	if (st == WEFT_OK)
		more(job->stream, p);
	return st;
}
