/* SPDX-License-Identifier: MIT */
/* The TLS transport's way out: plaintext into records, records to the layer below. */
#include "core/system/file.h"
#include "core/transport/tls_inside.h"

enum {
	RECORD = 16384, /* plaintext in one, at most; also what is read from a file at once */
	RECORDS = 4,    /* are encrypted before they are sent on */
	MAX_SEGMENTS = 32,
};

/* Encrypted and not sent yet. Each is in a block: no memory grows, and none is taken in the steady state. */
struct records {
	struct weft_buffer made[RECORDS];
	size_t caps[RECORDS]; /* of the blocks, as they came */
	size_t count;
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

/* One record: from segs, skipping done bytes. Returns the plaintext bytes. */
static size_t gather(const struct weft_segment *segs, size_t count, size_t done,
	struct weft_segment *record, size_t *record_count)
{
	size_t sum = 0, n = 0;

	for (size_t i = 0; i < count && n < MAX_SEGMENTS && sum < RECORD; i++) {
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
		if (s.len > RECORD - sum)
			s.len = RECORD - sum;
		record[n++] = s;
		sum += s.len;
		if (s.kind == WEFT_SEGMENT_FILE)
			break;
	}
	*record_count = n;
	return sum;
}

static enum weft_status encrypt(struct weft_tls_transport *t, const struct weft_segment *segs,
	size_t count, struct weft_buffer *to, struct weft_error *err)
{
	struct weft_segment mem;
	unsigned char *piece;
	enum weft_status st;
	size_t cap;

	if (segs->kind != WEFT_SEGMENT_FILE)
		return t->tls->ops->encrypt(t->session, segs, count, to, err);
	st = weft_file_piece(&t->ctx->memory, segs, &piece, &cap, err);
	if (st)
		return st;
	mem = weft_segment_borrowed(piece, segs->len);
	st = t->tls->ops->encrypt(t->session, &mem, 1, to, err);
	weft_block_put(&t->ctx->memory, piece, cap);
	return st;
}

/* What stands behind done in segs, as far as there is room. A failure may have made a record, too: an alert. */
static enum weft_status make_records(struct weft_tls_transport *t, struct records *r,
	const struct weft_segment *segs, size_t count, size_t *done, struct weft_error *err)
{
	struct weft_segment record[MAX_SEGMENTS];
	struct weft_buffer *to;
	enum weft_status st;
	size_t n, len;

	for (r->count = 0; r->count < RECORDS; *done += len) {
		len = gather(segs, count, *done, record, &n);
		if (!len)
			break;
		to = &r->made[r->count];
		weft_buffer_init(to, &t->ctx->memory.alloc);
		to->ptr = weft_block_get(&t->ctx->memory, RECORD + 1, &r->caps[r->count]);
		if (!to->ptr)
			return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
		to->cap = r->caps[r->count++];
		st = encrypt(t, record, n, to, err);
		if (st == WEFT_OK && to->failed)
			st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
		if (st)
			return st;
	}
	return WEFT_OK;
}

/* What the layer below did not take moves to out, in a block just as long. */
static enum weft_status keep_rest(
	struct weft_tls_transport *t, const struct records *r, struct weft_error *err)
{
	size_t len = 0;

	for (size_t i = 0; i < r->count; i++)
		len += weft_buffer_len(&r->made[i]);
	if (!len)
		return WEFT_OK;
	t->out.ptr = weft_alloc(&t->ctx->memory.alloc, len);
	t->out.failed = !t->out.ptr;
	if (t->out.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
	t->out.cap = len;
	for (size_t i = 0; i < r->count; i++)
		weft_buffer_append(
			&t->out, weft_buffer_bytes(&r->made[i]), weft_buffer_len(&r->made[i]));
	return WEFT_OK;
}

static void drop_record(struct weft_memory *m, struct weft_buffer *made, size_t cap)
{
	if (made->cap == cap) {
		weft_block_put(m, made->ptr, cap);
		return;
	}
	/* a ticket went before, and took the room */
	weft_block_forget(m, cap);
	weft_buffer_finish(made);
}

static enum weft_status send_records(
	struct weft_tls_transport *t, struct records *r, struct weft_error *err)
{
	struct weft_transport *below = t->base.below;
	struct weft_segment segs[RECORDS];
	enum weft_status st = WEFT_OK, kept;
	size_t taken = 0, n;

	for (size_t i = 0; i < r->count; i++)
		segs[i] = weft_segment_borrowed(
			weft_buffer_bytes(&r->made[i]), weft_buffer_len(&r->made[i]));
	if (r->count)
		st = below->ops->write(below, segs, r->count, &taken, err);
	for (size_t i = 0; i < r->count; i++) {
		n = taken < segs[i].len ? taken : segs[i].len;
		weft_buffer_consume(&r->made[i], n);
		taken -= n;
	}
	kept = st < 0 ? WEFT_OK : keep_rest(t, r, err);
	for (size_t i = 0; i < r->count; i++)
		drop_record(&t->ctx->memory, &r->made[i], r->caps[i]);
	return kept ? kept : st;
}

enum weft_status weft_tls_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	enum weft_status st = weft_tls_flush(base, err), made;
	struct records records;

	*taken = 0;
	while (st == WEFT_OK) {
		made = make_records(t, &records, segs, count, taken, err);
		st = send_records(t, &records, made ? NULL : err);
		if (made)
			return made;
		if (!records.count)
			break;
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
