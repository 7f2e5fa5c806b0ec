/* SPDX-License-Identifier: MIT */
/* Files that are compressed while they are sent, a piece whenever there is room. */
#include <errno.h>
#include <unistd.h>

#include "roles/http/files.h"

/* At once in a context: those who read slowly hold an encoder with up to 2 MiB for long. */
enum { PIECE = 16384, ENCODERS_MAX = 64 };

struct flow {
	const struct weft_allocator *alloc;
	const struct weft_http_encoder_ops *ops;
	void *encoder;
	unsigned *count; /* the context's */
	int fd;
	uint64_t at, size;
};

static void finish(struct flow *f)
{
	--*f->count;
	f->ops->destroy(f->encoder);
	close(f->fd);
	weft_free(f->alloc, f, sizeof(*f));
}

/* The next piece of the file into in; false: it has become shorter, or cannot be read. */
static bool read_piece(const struct flow *f, unsigned char *in, size_t *len)
{
	uint64_t left = f->size - f->at;
	ssize_t n;

	*len = left < PIECE ? (size_t)left : PIECE;
	if (!*len)
		return true;
	do
		n = pread(f->fd, in, *len, (off_t)f->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	*len = (size_t)n;
	return true;
}

/* What fits into room bytes of the outbox. EOF: that was all. */
static enum weft_status step(struct flow *f, struct weft_stream *s, size_t room)
{
	unsigned char in[PIECE], out[PIECE];
	struct weft_span span = { in, 0 };
	enum weft_status st;
	size_t len, made;

	if (!read_piece(f, in, &len))
		return WEFT_ERR_IO;
	span.len = len;
	st = f->ops->run(f->encoder, &span, f->at + len == f->size, out,
		room < sizeof(out) ? room : sizeof(out), &made);
	if (st < 0)
		return st;
	f->at += len - span.len; /* what was not taken is read again */
	if (weft_stream_write(s, out, made) != made)
		return WEFT_ERR_MEMORY;
	return st;
}

static void more(struct weft_stream *s, void *user)
{
	struct flow *f = user;
	enum weft_status st = WEFT_OK;
	size_t room;

	while (st == WEFT_OK && (room = weft_stream_room(s)))
		st = step(f, s, room);
	if (st == WEFT_EOF)
		weft_stream_finish(s);
	else if (st < 0)
		weft_stream_close(s); /* nothing less would tell the peer that it is not all */
	else
		(void)weft_stream_write(s, "", 1); /* takes nothing, and asks for on_writable */
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	finish(user);
}

static const struct weft_stream_ops flow_ops = { .on_writable = more, .on_close = closed };

static struct flow *make_flow(struct weft_files_job *job)
{
	const struct weft_allocator *alloc =
		weft_context_allocator(weft_stream_context(job->stream));
	unsigned *count = weft_files_encoding(weft_stream_context(job->stream));
	/* an encoder is a luxury: where memory runs short, the others come first */
	bool may = count && *count < ENCODERS_MAX &&
		   !weft_context_memory_low(weft_stream_context(job->stream));
	struct flow *f = may ? weft_alloc(alloc, sizeof(*f)) : NULL;

	if (f) {
		*f = (struct flow){
			.alloc = alloc,
			.ops = job->encoder,
			.count = count,
			.fd = job->fd,
			.size = (uint64_t)job->st.st_size,
		};
		f->encoder = f->ops->create(alloc, f->size);
		if (f->encoder) {
			++*count;
			return f;
		}
		weft_free(alloc, f, sizeof(*f));
	}
	return NULL;
}

bool weft_files_prepare_encoder(struct weft_files_job *job)
{
	job->flow = make_flow(job);
	return job->flow != NULL;
}

enum weft_status weft_files_send_encoded(struct weft_files_job *job)
{
	const struct weft_head head = {
		.status = 200,
		.body_len = -1,
		.fields = job->fields,
		.field_count = job->field_count,
	};
	enum weft_status st;

	if (job->head) {
		close(job->fd);
		return weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, true, NULL);
	}
	weft_stream_set_ops(job->stream, &flow_ops, job->flow);
	st = weft_stream_send_head(job->stream, &head, WEFT_HEAD_FINAL, false, NULL);
	if (st == WEFT_OK)
		more(job->stream, job->flow);
	return st;
}
