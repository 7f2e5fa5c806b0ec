/* SPDX-License-Identifier: MIT */
/* Bytes through a connection: from the transports into the role, and from the pipe's queue out. */
#include "core/client/pool.h"
#include "core/conn/conn.h"

enum {
	READS_PER_TURN = 16, /* so that one busy connection does not starve the others */
	WRITE_SEGMENTS = 32,
	WRITES_PER_TURN = 16,
};

static void no_memory(struct weft_conn *conn)
{
	struct weft_error err;

	weft_error_set(&err, WEFT_ERR_MEMORY, 0, "no memory to keep input");
	weft_conn_fail(conn, &err);
}

void weft_conn_drop_inbox(struct weft_conn *conn)
{
	struct weft_buffer *inbox = conn->inbox;

	if (!inbox)
		return;
	conn->inbox = NULL;
	weft_buffer_finish(inbox);
	weft_free(&conn->ctx->memory.alloc, inbox, sizeof(*inbox));
}

/* Adds to what waits for the role. false: no memory, which ends the connection. */
static bool keep(struct weft_conn *conn, const unsigned char *bytes, size_t len)
{
	const struct weft_allocator *alloc = &conn->ctx->memory.alloc;

	if (!len)
		return true;
	if (!conn->inbox) {
		conn->inbox = weft_alloc(alloc, sizeof(*conn->inbox));
		if (conn->inbox)
			weft_buffer_init(conn->inbox, alloc);
	}
	if (conn->inbox)
		weft_buffer_append(conn->inbox, bytes, len);
	if (conn->inbox && !conn->inbox->failed)
		return true;
	no_memory(conn);
	return false;
}

/* What the role left of input, in the inbox or behind it. */
static void settle(struct weft_conn *conn, const unsigned char *left, size_t left_len, size_t used)
{
	const struct weft_role *role = conn->pipe.role ? conn->pipe.role->role : NULL;
	struct weft_error err;
	size_t len;

	if (!conn->inbox && !keep(conn, left, left_len))
		return;
	if (!conn->inbox)
		return;
	weft_buffer_consume(conn->inbox, used);
	len = weft_buffer_len(conn->inbox);
	if (!len) {
		weft_conn_drop_inbox(conn);
	} else if (role && !conn->blocked && len > role->input_limit) {
		weft_error_set(&err, WEFT_ERR_LIMIT, 0,
			"%zu bytes of input that the role cannot use, more than %zu", len,
			role->input_limit);
		weft_conn_fail(conn, &err);
	}
}

/* Gives the role what it has not used yet, and keeps what it leaves. */
static void feed(struct weft_conn *conn, const unsigned char *bytes, size_t len)
{
	const struct weft_role *role;
	bool kept = conn->inbox != NULL;
	struct weft_error err;
	enum weft_status st;
	size_t used = 0;

	weft_error_clear(&err);
	if (kept) {
		if (!keep(conn, bytes, len))
			return;
		bytes = weft_buffer_bytes(conn->inbox);
		len = weft_buffer_len(conn->inbox);
	}
	/* roles reckon with it, even where there is nothing */
	if (!bytes)
		bytes = (const unsigned char *)"";
	if (conn->sniff && !weft_conn_recognise(conn, bytes, len)) {
		settle(conn, bytes, len, 0);
		return;
	}
	role = conn->pipe.role ? conn->pipe.role->role : NULL;
	if (!role)
		return; /* there was no memory for it */
	st = role->ops->input(conn->pipe.state, 0, bytes, len, conn->in_fin, &used, &err);
	if (st < 0) {
		if (err.status == WEFT_OK)
			weft_error_set(&err, st, 0, "the role refused input");
		weft_conn_fail(conn, &err);
		return;
	}
	conn->blocked = st == WEFT_BLOCKED;
	conn->fin_told = conn->in_fin && !conn->blocked;
	settle(conn, bytes + used, len - used, kept ? used : 0);
}

static bool may_read(const struct weft_conn *conn)
{
	if (conn->state == WEFT_CONN_LINGERING)
		return !conn->in_fin;
	return conn->state == WEFT_CONN_OPEN && !conn->blocked && !conn->ending && !conn->in_fin;
}

/* One read. AGAIN: nothing more for now. */
static enum weft_status read_once(struct weft_conn *conn)
{
	struct weft_span got = { NULL, 0 };
	struct weft_error err;
	enum weft_status st;

	weft_error_clear(&err);
	st = conn->top->ops->read(conn->top, &got, &err);
	if (st == WEFT_AGAIN)
		return st;
	if (st == WEFT_OK || st == WEFT_EOF) {
		conn->in_fin = st == WEFT_EOF;
		if (conn->state == WEFT_CONN_OPEN && (got.len || conn->in_fin))
			feed(conn, got.ptr, st == WEFT_OK ? got.len : 0);
		return st;
	}
	if (err.status == WEFT_OK)
		weft_error_set(&err, st, 0, "reading failed");
	if (st == WEFT_ERR_TRUNCATED || conn->state == WEFT_CONN_LINGERING)
		conn->in_fin = true; /* the way out may still be open */
	if (conn->state == WEFT_CONN_LINGERING)
		return WEFT_EOF;
	if (st == WEFT_ERR_PROTOCOL || st == WEFT_ERR_TLS || st == WEFT_ERR_TRUNCATED)
		weft_conn_fail(conn, &err);
	else
		weft_conn_kill(conn, &err);
	return st;
}

/* Nobody else tells the pool, which binds nothing to an idle connection that is not read to its end. */
static void set_unread(struct weft_conn *conn, bool unread)
{
	bool changed = conn->unread != unread;

	conn->unread = unread;
	if (unread)
		weft_turn_queue(conn->ctx, &conn->ctx->queues.input, &conn->input_node);
	else if (changed && conn->client)
		weft_pool_capacity_changed(conn);
}

void weft_conn_read(struct weft_conn *conn)
{
	enum weft_status st = WEFT_OK;
	unsigned reads = 0;

	while (st == WEFT_OK && may_read(conn) && reads++ < READS_PER_TURN)
		st = read_once(conn);
	if (conn->state == WEFT_CONN_DEAD)
		return;
	if (conn->state == WEFT_CONN_LINGERING && conn->in_fin) {
		weft_conn_end(conn);
		return;
	}
	if (conn->top->ops->settle)
		conn->top->ops->settle(conn->top);
	weft_conn_update_interest(conn);
	set_unread(conn, st == WEFT_OK && may_read(conn) && conn->top->ops->buffered(conn->top));
}

void weft_conn_input(struct weft_conn *conn)
{
	if (conn->state == WEFT_CONN_OPEN && !conn->blocked && !conn->ending &&
		(conn->inbox || (conn->in_fin && !conn->fin_told)))
		feed(conn, NULL, 0);
	if (conn->state == WEFT_CONN_OPEN || conn->state == WEFT_CONN_LINGERING)
		weft_conn_read(conn);
}

/* What was queued may be encrypted and still wait: only the ground knows what has left. */
static void note_sent(struct weft_conn *conn, uint64_t serial_before)
{
	if (conn->ctx->sent_serial == serial_before)
		return;
	conn->wrote = true;
	conn->sent_ms = (uint32_t)(weft_loop_now(&conn->ctx->loop) / 1000);
}

enum weft_status weft_conn_write_out(struct weft_conn *conn, struct weft_error *err)
{
	struct weft_transport *top = conn->top;
	struct weft_segment segs[WRITE_SEGMENTS];
	enum weft_status st = WEFT_OK;
	size_t count, taken;
	size_t before = conn->pipe.out.len + top->ops->pending(top), after;
	uint64_t serial = conn->ctx->sent_serial;
	unsigned writes = 0;

	while (conn->pipe.out.len && st == WEFT_OK) {
		if (writes++ == WRITES_PER_TURN) {
			weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
			note_sent(conn, serial);
			return WEFT_AGAIN;
		}
		count = WRITE_SEGMENTS;
		weft_segq_peek(&conn->pipe.out, SIZE_MAX, segs, &count);
		taken = 0;
		st = top->ops->write(top, segs, count, &taken, err);
		weft_segq_consume(&conn->pipe.out, taken);
	}
	if (st == WEFT_OK)
		st = top->ops->flush(top, err);
	note_sent(conn, serial);
	/* behind the flush: what the layers held took room as well, and nobody else tells that it is gone */
	if (conn->starved && weft_pipe_room(&conn->pipe))
		weft_pipe_want_output(&conn->pipe);
	/* what TLS adds makes a little more of it: never mind */
	after = conn->pipe.out.len + top->ops->pending(top);
	if (after < before)
		conn->flushed = weft_add_capped(conn->flushed, before - after);
	return st;
}
