/* SPDX-License-Identifier: MIT */
/* The TLS transport's way out: plaintext into records, records to the layer below. */
#include "core/system/file.h"
#include "core/transport/tls_inside.h"

enum {
	BATCH = 65536,      /* plaintext that is encrypted before it is sent on */
	FILE_PIECE = 16384, /* read from a file at once: a record */
	MAX_SEGMENTS = 32,
};

enum weft_status weft_tls_flush(struct weft_transport *base, struct weft_error *err)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	struct weft_segment seg;
	enum weft_status st;
	size_t taken = 0;

	if (t->out.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
	if (weft_buffer_len(&t->out)) {
		seg = weft_segment_borrowed(weft_buffer_bytes(&t->out), weft_buffer_len(&t->out));
		st = base->below->ops->write(base->below, &seg, 1, &taken, err);
		weft_buffer_consume(&t->out, taken);
		if (st)
			return st;
		weft_buffer_finish(&t->out);
	}
	return base->below->ops->flush(base->below, err);
}

/* One batch: from segs, skipping done bytes, to as many as BATCH. Returns the plaintext bytes. */
static size_t gather(const struct weft_segment *segs, size_t count, size_t done,
	struct weft_segment *batch, size_t *batch_count)
{
	size_t sum = 0, n = 0;

	for (size_t i = 0; i < count && n < MAX_SEGMENTS && sum < BATCH; i++) {
		struct weft_segment s = segs[i];

		if (done >= s.len) {
			done -= s.len;
			continue;
		}
		if (s.kind == WEFT_SEGMENT_FILE && n)
			break;
		s.len -= done;
		s.off += done;
		s.ptr = s.ptr ? s.ptr + done : NULL;
		done = 0;
		if (s.kind == WEFT_SEGMENT_FILE && s.len > FILE_PIECE)
			s.len = FILE_PIECE;
		if (s.len > BATCH - sum)
			s.len = BATCH - sum;
		batch[n++] = s;
		sum += s.len;
		if (s.kind == WEFT_SEGMENT_FILE)
			break;
	}
	*batch_count = n;
	return sum;
}

static enum weft_status encrypt_file(
	struct weft_tls_transport *t, const struct weft_segment *seg, struct weft_error *err)
{
	struct weft_segment mem;
	unsigned char *piece;
	enum weft_status st;
	size_t cap;

	st = weft_file_piece(&t->ctx->memory, seg, &piece, &cap, err);
	if (st)
		return st;
	mem = weft_segment_borrowed(piece, seg->len);
	st = t->tls->ops->encrypt(t->session, &mem, 1, &t->out, err);
	weft_block_put(&t->ctx->memory, piece, cap);
	return st;
}

enum weft_status weft_tls_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	struct weft_segment batch[MAX_SEGMENTS];
	enum weft_status st = weft_tls_flush(base, err);
	size_t n, len;

	*taken = 0;
	while (st == WEFT_OK) {
		len = gather(segs, count, *taken, batch, &n);
		if (!len)
			break;
		st = batch[0].kind == WEFT_SEGMENT_FILE
			     ? encrypt_file(t, &batch[0], err)
			     : t->tls->ops->encrypt(t->session, batch, n, &t->out, err);
		if (st)
			return st;
		*taken += len;
		/* a record's worth of files at a time is too little for a send */
		if (batch[0].kind == WEFT_SEGMENT_FILE && weft_buffer_len(&t->out) < BATCH)
			continue;
		st = weft_tls_flush(base, err);
	}
	return st == WEFT_OK ? weft_tls_flush(base, err) : st;
}

size_t weft_tls_pending(const struct weft_transport *base)
{
	const struct weft_tls_transport *t = (const struct weft_tls_transport *)base;

	return weft_buffer_len(&t->out) + base->below->ops->pending(base->below);
}

enum weft_status weft_tls_shutdown(struct weft_transport *base, struct weft_error *err)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	enum weft_status st;

	if (!t->shut && t->session) {
		t->tls->ops->close_notify(t->session, &t->out);
		t->shut = true;
	}
	st = weft_tls_flush(base, err);
	return st ? st : base->below->ops->shutdown(base->below, err);
}
