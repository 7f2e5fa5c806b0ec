/* SPDX-License-Identifier: MIT */
/* Requests: which vhost and which handler they are for. */
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/transport/tunnel.h"
#include "core/vhost/listener.h"
#include "core/vhost/vhost.h"

struct weft_stream *weft_role_incoming(struct weft_pipe *pipe)
{
	struct weft_context *ctx = weft_pipe_conn(pipe)->ctx;
	struct weft_stream *s;

	if (weft_pipe_conn(pipe)->client)
		return NULL;
	s = weft_stream_create(ctx, false);
	if (!s)
		return NULL;
	s->state = WEFT_STREAM_BOUND;
	s->pipe = pipe;
	weft_list_append(&pipe->streams, &s->pipe_node);
	ctx->counters.streams_incoming++;
	if (++weft_pipe_conn(pipe)->served > ctx->counters.streams_per_conn_max)
		ctx->counters.streams_per_conn_max = weft_pipe_conn(pipe)->served;
	return s;
}

static void answer_for_it(struct weft_stream *s, unsigned status)
{
	struct weft_head head = { .status = status, .body_len = 0 };

	if (weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL))
		weft_stream_close(s);
}

/*
 * Whether a connection that shook hands with one vhost may be served by another: RFC 9110 section 15.5.20.
 * Not if its client checked the first one's name; nor if the other asks clients who they are, which this
 * one was not asked, or not by the same trust.
 */
static bool may_turn_to(const struct weft_conn *conn, const struct weft_vhost *vh)
{
	struct weft_conn_info info = { .id = 0 };

	if (vh->client_auth != WEFT_CLIENT_AUTH_NONE &&
		(vh->client_auth != conn->vhost->client_auth ||
			!weft_trust_equal(vh->trust, conn->vhost->trust)))
		return false;
	conn->top->ops->info(conn->top, &info);
	return !info.sni[0];
}

/* Which vhost a request is for: by its authority among those of the listener. NULL: a misdirected one. */
static struct weft_vhost *vhost_of(struct weft_stream *s)
{
	struct weft_conn *conn = weft_pipe_conn(s->pipe);
	struct weft_vhost *vh = NULL;

	if (conn->listener && s->request.authority &&
		!weft_listener_only(conn->listener, conn->vhost))
		vh = weft_listener_find(conn->listener, s->request.authority);
	if (!vh || vh == conn->vhost)
		return conn->vhost->dying ? NULL : conn->vhost;
	return conn->scheme->tls && !may_turn_to(conn, vh) ? NULL : vh;
}

void weft_stream_serve(struct weft_stream *s)
{
	struct weft_vhost *vh = vhost_of(s);
	const struct weft_route *route;
	enum weft_status st;
	bool inside;

	/* somebody's log must tell of a misdirected one, too */
	s->vhost = weft_vhost_ref(vh ? vh : weft_pipe_conn(s->pipe)->vhost);
	weft_access_begin(s);
	if (!vh) {
		answer_for_it(s, 421);
		return;
	}
	route = weft_transport_tunnel_route(weft_pipe_conn(s->pipe)->top);
	inside = route != NULL;
	if (!route)
		route = weft_vhost_route(vh, s->request.target ? s->request.target : "");
	if (!route) {
		answer_for_it(s, 404);
		return;
	}
	if (!weft_stream_body_fits(s, route->body_max ? route->body_max : vh->body_max))
		return;
	if (route->role && !inside) {
		weft_conn_carry(s, route);
		return;
	}
	st = route->on_request(s, route->user);
	if (st >= 0 || s->state == WEFT_STREAM_DONE)
		return;
	weft_log(s->ctx, WEFT_LOG_WARN, "%s: a handler failed: %s",
		s->request.target ? s->request.target : vh->name, weft_status_name(st));
	if (s->head_sent)
		weft_stream_close(s);
	else
		answer_for_it(s, 500);
}
