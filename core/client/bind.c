/* SPDX-License-Identifier: MIT */
/* A stream meets its connection: what is told of it, what it brings along, and the role's op. */
#include <string.h>

#include "core/client/entry.h"
#include "core/transport/proxy.h"

static void tell_up(struct weft_stream *s, const struct weft_client_conn *c)
{
	uint64_t name_us = c->resolved_us > c->begun_us ? c->resolved_us - c->begun_us : 0;
	uint32_t connect_ms = weft_story_ms(c->dialed_us - c->resolved_us);

	if (!c->dialed_us) /* the application brought it */
		return;
	weft_pool_tell(s,
		(struct weft_told){
			.event = WEFT_STORY_CONN_UP,
			.number = weft_story_steps(c->vhost_ms, weft_story_ms(name_us), connect_ms),
			.a = c->tls_ms,
			.b = c->tls_version | (c->tls_resumed ? (uint32_t)WEFT_STORY_RESUMED : 0) |
			     (c->entry->key.proxy[0] ? (uint32_t)WEFT_STORY_PROXY : 0),
		});
}

/* Before it is bound: how, and what for the counters. */
static void note_bound(struct weft_client_conn *c, struct weft_stream *s)
{
	struct weft_counters *counters = &s->ctx->counters;
	uint64_t now = weft_loop_now(&s->ctx->loop);
	struct weft_told told = {
		.event = WEFT_STORY_BOUND_NEW,
		.a = weft_story_ms(now - s->queued_us),
		.number = c->conn.id,
	};

	if (++c->conn.served > counters->streams_per_conn_max)
		counters->streams_per_conn_max = c->conn.served;
	s->warm = c->conn.served > 1 && !c->busy;
	if (c->entry != s->entry) {
		told.event = WEFT_STORY_BOUND_COALESCED;
		counters->streams_coalesced++;
	} else if (c->conn.served == 1) {
		tell_up(s, c);
	} else if (s->warm) {
		told.event = WEFT_STORY_BOUND_REUSED;
		told.b = weft_story_ms(now - c->idle_since_us);
	} else {
		told.event = WEFT_STORY_BOUND_SHARED;
		weft_list_each(node, &c->conn.pipe.streams) told.b++;
	}
	counters->conns_reused += c->conn.served > 1;
	weft_pool_tell(s, told);
}

/* What the protocol calls it. */
static void tell_number(struct weft_stream *s, const char *role)
{
	struct weft_told told = { .event = WEFT_STORY_JOINED, .number = s->role_number };
	char name[8] = "";

	strncpy(name, role, sizeof(name) - 1);
	memcpy(&told.a, name, sizeof(told.a));
	memcpy(&told.b, name + sizeof(told.a), sizeof(told.b));
	weft_pool_tell(s, told);
}

/* The connection's own times are those of its streams. */
static void take_limits(struct weft_client_conn *c, const struct weft_stream *s)
{
	uint32_t flush_ms = weft_stream_limits(s)->flush_ms;

	if (!c->busy || flush_ms < c->limits.flush_ms)
		c->limits.flush_ms = flush_ms;
	/* of several at once the one that wants more */
	if (!c->busy || s->keep_warm_ms > c->keep_warm_ms)
		c->keep_warm_ms = s->keep_warm_ms;
	c->lets_go = s->lets_go && (!c->busy || c->lets_go);
}

void weft_pool_bind(struct weft_pool_entry *e, struct weft_stream *s, struct weft_conn *conn)
{
	const struct weft_role_ops *ops = conn->pipe.role->role->ops;
	struct weft_client_conn *c = weft_client_conn(conn);
	struct weft_error err = { .status = WEFT_OK };

	weft_pool_dequeue(e, s);
	e->failures = 0;
	s->state = WEFT_STREAM_BOUND;
	s->pipe = &conn->pipe;
	s->role_data = NULL;
	s->role_number = 0;
	s->tries++;
	note_bound(c, s);
	take_limits(c, s);
	weft_pool_take_hold(c, s);
	conn->wrote &= c->busy;
	c->busy = true;
	weft_list_append(&conn->pipe.streams, &s->pipe_node);
	if (ops->open(conn->pipe.state, s, &err)) {
		weft_list_remove(&s->pipe_node);
		s->pipe = NULL;
		weft_stream_over(s, &err);
		weft_pool_capacity_changed(conn);
		return;
	}
	if (s->role_number)
		tell_number(s, conn->pipe.role->name);
	if (s->has_trailer && s->pipe && ops->head)
		(void)ops->head(conn->pipe.state, s, &s->trailer, WEFT_HEAD_TRAILER, true, NULL);
	if (s->pipe && (s->out.len || s->finished))
		ops->ready(conn->pipe.state, s);
}
