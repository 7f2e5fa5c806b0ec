/* SPDX-License-Identifier: MIT */
/* What a context has, for those who want to look: connections and queues. */
#include "core/client/entry.h"
#include "core/conn/conn.h"
#include "core/system/context.h"
#include "core/vhost/vhost.h"
#include "weft/stream.h"

static const char *phase_of(const struct weft_conn *conn)
{
	static const char *const names[] = {
		[WEFT_CONN_DIALING] = "connecting",
		[WEFT_CONN_SHAKING] = "handshake",
		[WEFT_CONN_OPEN] = "open",
		[WEFT_CONN_CLOSING] = "closing",
		[WEFT_CONN_LINGERING] = "lingering",
		[WEFT_CONN_DEAD] = "closing",
	};

	return names[conn->state];
}

static const char *place_of(const struct weft_conn *conn)
{
	const struct weft_pool_entry *e = conn->client ? weft_client_conn(conn)->entry : NULL;

	return e ? e->key.host : "";
}

void weft_conn_view_peer(const struct weft_conn_view *view, struct weft_address *peer)
{
	const struct weft_conn *conn = view->conn;
	struct weft_conn_info info = { .id = conn->id };

	if (conn->top && !conn->peer)
		conn->top->ops->info(conn->top, &info);
	*peer = conn->peer ? *conn->peer : info.peer;
}

void weft_context_conns(const struct weft_context *ctx,
	bool (*see)(const struct weft_conn_view *conn, void *user), void *user)
{
	weft_list_each(node, &ctx->conns)
	{
		const struct weft_conn *conn = weft_container_of(node, struct weft_conn, node);
		struct weft_conn_view s = {
			.id = conn->id,
			.role = conn->pipe.role ? conn->pipe.role->name : "",
			.phase = phase_of(conn),
			.vhost = conn->vhost ? conn->vhost->name : "",
			.place = place_of(conn),
			.served = conn->served,
			.out_bytes = conn->pipe.out.len,
			.conn = conn,
			.client = conn->client,
			.blocked = conn->blocked,
		};

		weft_list_each(stream, &conn->pipe.streams) s.streams++;
		if (!see(&s, user))
			return;
	}
}

void weft_context_queues(const struct weft_context *ctx,
	bool (*see)(const struct weft_queue_view *queue, void *user), void *user)
{
	weft_list_each(node, &ctx->entries)
	{
		const struct weft_pool_entry *e =
			weft_container_of(node, struct weft_pool_entry, node);
		const struct weft_queue_view s = {
			.host = e->key.host,
			.port = e->key.port,
			.waiting = e->queued,
			.conns = e->conn_count,
			.connecting = e->connecting,
		};

		if (!see(&s, user))
			return;
	}
}
