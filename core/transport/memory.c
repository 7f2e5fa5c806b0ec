/* SPDX-License-Identifier: MIT */
/* Two connected ends in memory, for tests and for talking to oneself. Each end's reports come from a
 * timer of no delay, so from the loop, as a socket's would. */
#include <string.h>

#include "core/system/context.h"
#include "core/system/file.h"
#include "weft/buffer.h"
#include "weft/plugin/transport.h"

enum { DEFAULT_CAPACITY = 65536 };

struct memory_end;

/* Freed with the second of its ends. */
struct memory_pair {
	struct weft_context *ctx;
	size_t capacity;
	struct memory_end *ends[2];
};

struct memory_end {
	struct weft_transport base;
	struct memory_pair *pair;
	unsigned side;
	struct weft_buffer in;   /* written by the other end */
	struct weft_buffer read; /* handed out by the last read */
	struct weft_transport_owner owner;
	struct weft_timer timer;
	unsigned interest;
	bool in_fin, in_reset; /* behind what `in` has */
	bool fin, abort;
	bool write_wait;
};

static struct memory_end *other(const struct memory_end *e)
{
	return e->pair->ends[!e->side];
}

static void memory_report(struct weft_timer *timer, void *user);

/* Has the end look at what is true for it, at the next turn. */
static void poke(struct memory_end *e)
{
	if (e && e->owner.ready)
		weft_loop_timer(&e->pair->ctx->loop, &e->timer, 0, memory_report, e);
}

static unsigned readable(const struct memory_end *e)
{
	return weft_buffer_len(&e->in) || e->in_fin || e->in_reset;
}

static void memory_report(struct weft_timer *timer, void *user)
{
	struct memory_end *e = user;
	struct memory_end *o = other(e);
	unsigned events = 0;

	(void)timer;
	if (readable(e) && (e->interest & WEFT_EVENT_READ))
		events |= WEFT_EVENT_READ;
	if ((e->interest & WEFT_EVENT_WRITE || e->write_wait) &&
		(!o || weft_buffer_len(&o->in) < e->pair->capacity)) {
		e->write_wait = false;
		events |= WEFT_EVENT_WRITE;
	}
	if (events)
		e->owner.ready(e->owner.user, events);
}

static enum weft_status memory_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	struct memory_end *e = (struct memory_end *)base;

	(void)err;
	e->owner = *owner;
	e->interest = WEFT_EVENT_READ;
	poke(e);
	return WEFT_OK;
}

static enum weft_status memory_advance(struct weft_transport *base, struct weft_error *err)
{
	(void)base;
	(void)err;
	return WEFT_OK;
}

static enum weft_status memory_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct memory_end *e = (struct memory_end *)base;
	size_t fragment = e->pair->ctx->fragment_bytes;
	size_t len = weft_buffer_len(&e->in);

	if (e->in_reset)
		return weft_error_set(err, WEFT_ERR_RESET, 0, "the other end was reset");
	if (!len)
		return e->in_fin ? WEFT_EOF : WEFT_AGAIN;
	if (fragment && len > fragment)
		len = fragment;
	weft_buffer_consume(&e->read, weft_buffer_len(&e->read));
	weft_buffer_append(&e->read, weft_buffer_bytes(&e->in), len);
	if (e->read.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to read into");
	weft_buffer_consume(&e->in, len);
	got->ptr = weft_buffer_bytes(&e->read);
	got->len = len;
	if (other(e) && other(e)->write_wait)
		poke(other(e));
	return WEFT_OK;
}

/* The first n bytes of a segment on their way to the end that reads them. */
static enum weft_status deliver(
	struct memory_end *o, const struct weft_segment *seg, size_t n, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;
	unsigned char *at;

	if (!n)
		return WEFT_OK;
	at = weft_buffer_reserve(&o->in, n);
	if (!at)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to write into");
	if (seg->kind == WEFT_SEGMENT_FILE)
		st = weft_file_read(seg->fd, seg->off, at, n, err);
	else
		memcpy(at, seg->ptr, n);
	if (st == WEFT_OK)
		weft_buffer_commit(&o->in, n);
	return st;
}

static enum weft_status memory_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct memory_end *e = (struct memory_end *)base;
	struct memory_end *o = other(e);
	enum weft_status st;
	size_t room, n;

	*taken = 0;
	if (!o || e->in_reset)
		return weft_error_set(err, WEFT_ERR_RESET, 0, "the other end is gone");
	for (size_t i = 0; i < count; i++) {
		room = e->pair->capacity - weft_buffer_len(&o->in);
		n = segs[i].len < room ? segs[i].len : room;
		st = deliver(o, &segs[i], n, err);
		if (st)
			return st;
		*taken += n;
		e->pair->ctx->sent_serial += n > 0;
		poke(o);
		if (n < segs[i].len) {
			e->write_wait = true;
			return WEFT_AGAIN;
		}
	}
	return WEFT_OK;
}

static enum weft_status memory_flush(struct weft_transport *base, struct weft_error *err)
{
	(void)base;
	(void)err;
	return WEFT_OK;
}

static size_t memory_pending(const struct weft_transport *base)
{
	(void)base;
	return 0;
}

static bool memory_buffered(const struct weft_transport *base)
{
	return readable((const struct memory_end *)base);
}

static void memory_interest(struct weft_transport *base, unsigned events)
{
	struct memory_end *e = (struct memory_end *)base;

	if (events & ~e->interest)
		poke(e);
	e->interest = events;
}

static enum weft_status memory_shutdown(struct weft_transport *base, struct weft_error *err)
{
	struct memory_end *e = (struct memory_end *)base;

	(void)err;
	e->fin = true;
	if (other(e)) {
		other(e)->in_fin = true;
		poke(other(e));
	}
	return WEFT_OK;
}

static void memory_abort(struct weft_transport *base)
{
	((struct memory_end *)base)->abort = true;
}

static void memory_info(const struct weft_transport *base, struct weft_conn_info *info)
{
	(void)base;
	(void)info;
}

static void memory_destroy(struct weft_transport *base)
{
	struct memory_end *e = (struct memory_end *)base;
	struct memory_pair *pair = e->pair;
	struct memory_end *o = other(e);
	const struct weft_allocator *alloc = &pair->ctx->memory.alloc;

	weft_loop_timer_cancel(&pair->ctx->loop, &e->timer);
	pair->ends[e->side] = NULL;
	if (o) {
		/* as TCP has it: whoever leaves bytes unread resets, an end that was not read does not count */
		if (e->abort || weft_buffer_len(&e->in))
			o->in_reset = true;
		o->in_fin = true;
		poke(o);
	}
	weft_buffer_finish(&e->in);
	weft_buffer_finish(&e->read);
	weft_free(alloc, e, sizeof(*e));
	if (!o)
		weft_free(alloc, pair, sizeof(*pair));
}

static const struct weft_transport_ops memory_ops = {
	.size = sizeof(memory_ops),
	.name = "memory",
	.start = memory_start,
	.advance = memory_advance,
	.read = memory_read,
	.write = memory_write,
	.flush = memory_flush,
	.pending = memory_pending,
	.buffered = memory_buffered,
	.interest = memory_interest,
	.shutdown = memory_shutdown,
	.abort = memory_abort,
	.info = memory_info,
	.destroy = memory_destroy,
};

enum weft_status weft_transport_memory_pair(struct weft_context *ctx, size_t capacity_bytes,
	struct weft_transport *ends[2], struct weft_error *err)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct memory_pair *pair = weft_zalloc(alloc, sizeof(*pair));

	if (!pair)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a memory transport");
	pair->ctx = ctx;
	pair->capacity = capacity_bytes ? capacity_bytes : DEFAULT_CAPACITY;
	for (unsigned i = 0; i < 2; i++) {
		struct memory_end *e = weft_zalloc(alloc, sizeof(*e));

		if (!e) {
			weft_free(alloc, pair->ends[0], sizeof(*e));
			weft_free(alloc, pair, sizeof(*pair));
			return weft_error_set(
				err, WEFT_ERR_MEMORY, 0, "no memory for a memory transport");
		}
		e->base.ops = &memory_ops;
		e->pair = pair;
		e->side = i;
		weft_buffer_init(&e->in, alloc);
		weft_buffer_init(&e->read, alloc);
		pair->ends[i] = e;
	}
	ends[0] = &pair->ends[0]->base;
	ends[1] = &pair->ends[1]->base;
	return WEFT_OK;
}

void weft_transport_destroy(struct weft_transport *transport)
{
	while (transport) {
		struct weft_transport *below = transport->below;

		transport->ops->destroy(transport);
		transport = below;
	}
}
