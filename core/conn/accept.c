/* SPDX-License-Identifier: MIT */
/* A connection that a server takes. */
#include "core/conn/conn.h"
#include "core/plugin/registry.h"
#include "core/plugin/roles.h"
#include "core/stream/stream.h"
#include "core/transport/tls.h"
#include "core/transport/tunnel.h"
#include "core/vhost/identity.h"
#include "core/vhost/listener.h"

static const struct weft_plugin *default_of(const struct weft_vhost *vh,
	const struct weft_scheme *scheme, const struct weft_plugin *role)
{
	return weft_roles_default(vh->ctx, scheme, (const char *const *)vh->roles, role);
}

static enum weft_status choose_identity(void *user, const struct weft_hello *hello,
	struct weft_tls_ctx **tls, struct weft_tls_session_options *session, struct weft_error *err)
{
	struct weft_error why = { .status = WEFT_ERR_TLS };
	struct weft_conn *conn = user;
	struct weft_vhost *vh = NULL;

	if (conn->listener && hello->sni[0])
		vh = weft_listener_find(conn->listener, hello->sni);
	if (vh && vh != conn->vhost) {
		weft_vhost_hold_conn(weft_vhost_ref(vh));
		weft_vhost_release_conn(conn->vhost);
		conn->vhost = vh;
		conn->pipe.default_role = default_of(vh, conn->scheme, conn->listener->role);
	}
	session->allow = weft_vhost_allow(conn->vhost);
	*tls = weft_vhost_tls(conn->vhost, conn->scheme, &why);
	if (!*tls && err)
		*err = why;
	return *tls ? WEFT_OK : why.status;
}

static const struct weft_plugin *named_by(
	const struct weft_conn *conn, const unsigned char *bytes, size_t len, bool *more)
{
	return weft_roles_by_preface(
		conn->ctx, conn->scheme, (const char *const *)conn->vhost->roles, bytes, len, more);
}

bool weft_conn_recognise(struct weft_conn *conn, const unsigned char *bytes, size_t len)
{
	struct weft_error err = { .status = WEFT_OK };
	const struct weft_plugin *role;
	bool more;

	role = named_by(conn, bytes, len, &more);
	if (more && !conn->in_fin)
		return false;
	conn->sniff = false;
	if (!role || role == conn->pipe.role)
		return true;
	weft_pipe_detach(&conn->pipe, weft_conn_why(conn));
	if (weft_pipe_attach(&conn->pipe, role, &err))
		weft_conn_fail(conn, &err);
	return true;
}

enum weft_status weft_conn_accept(struct weft_vhost *vhost, struct weft_listener *listener,
	struct weft_origin *origin, const struct weft_plugin *role,
	const struct weft_scheme *scheme, struct weft_transport *transport, struct weft_error *err)
{
	struct weft_context *ctx = vhost->ctx;
	struct weft_conn *conn;
	struct weft_transport *top = transport;
	enum weft_status st;

	conn = weft_conn_create(ctx, default_of(vhost, scheme, role), scheme, false);
	if (!conn)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a connection");
	conn->vhost = weft_vhost_ref(vhost);
	weft_vhost_hold_conn(vhost);
	if (scheme->tls) {
		st = weft_transport_tls_server(ctx, transport, choose_identity, conn, &top, err);
		if (st) {
			weft_conn_reap(conn);
			return st;
		}
	}
	conn->listener = listener ? weft_listener_ref(listener) : NULL;
	conn->origin = origin;
	if (!scheme->tls)
		(void)named_by(conn, NULL, 0, &conn->sniff);
	ctx->counters.conns_accepted++;
	weft_conn_start(conn, top);
	return WEFT_OK;
}

/* Has the role under it say yes or no; the stream has its answer then. */
static enum weft_status ask_carrier(
	struct weft_stream *s, const struct weft_plugin *role, struct weft_error *err)
{
	const struct weft_plugin *carrier = s->pipe->role;

	if (!carrier->role->ops->carry)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"streams of role %s carry no others", carrier->name);
	return carrier->role->ops->carry(s->pipe->state, s, role->role->token, err);
}

static enum weft_status carry(
	struct weft_stream *s, const struct weft_route *route, struct weft_error *err)
{
	struct weft_context *ctx = s->ctx;
	struct weft_transport *tunnel;
	const struct weft_plugin *role;
	struct weft_conn *conn;
	enum weft_status st =
		weft_registry_find(ctx->registry, WEFT_PLUGIN_ROLE, route->role, &role, err);

	if (st)
		return st;
	tunnel = weft_transport_tunnel(ctx, route);
	conn = tunnel ? weft_conn_create(ctx, role, weft_pipe_conn(s->pipe)->scheme, false) : NULL;
	if (!conn) {
		weft_transport_destroy(tunnel);
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a tunnel");
	}
	conn->vhost = weft_vhost_ref(s->vhost);
	weft_vhost_hold_conn(conn->vhost);
	st = ask_carrier(s, role, err);
	if (st) {
		weft_transport_destroy(tunnel);
		weft_conn_reap(conn);
		return st;
	}
	weft_transport_tunnel_open(tunnel, s);
	weft_conn_start(conn, tunnel);
	return WEFT_OK;
}

void weft_conn_carry(struct weft_stream *s, const struct weft_route *route)
{
	const struct weft_head head = { .status = 500, .body_len = 0 };
	struct weft_error err = { .status = WEFT_OK };

	if (carry(s, route, &err) == WEFT_OK)
		return;
	weft_log(s->ctx, WEFT_LOG_INFO, "%s: no tunnel for role %s: %s",
		s->request.target ? s->request.target : "", route->role, err.text);
	if (!s->head_sent && s->state != WEFT_STREAM_DONE &&
		weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL))
		weft_stream_close(s);
}
