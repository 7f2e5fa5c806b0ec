/* SPDX-License-Identifier: MIT */
/* Opening a client's stream: from options to a place in the pool's queue. */
#include <stdio.h>
#include <string.h>

#include "core/base/field.h"
#include "core/client/pool.h"
#include "core/net/proxy.h"
#include "core/net/url.h"
#include "core/plugin/roles.h"
#include "core/policy/find.h"
#include "core/stream/flight.h"
#include "core/stream/stream.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"
#include "weft/policy_load.h"

/* What open works with; all text is in the stream's arena. */
struct opening {
	struct weft_context *ctx;
	const struct weft_stream_options *options;
	struct weft_stream *stream;
	struct weft_url url;
	const struct weft_plugin *role;
	struct weft_pool_key key;
};

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a stream");
}

static const char *lower(struct opening *o, struct weft_span span)
{
	char *text = weft_arena_text(&o->stream->arena, (const char *)span.ptr, span.len);

	for (char *c = text; c && *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	}
	return text;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static enum weft_status check_place(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	struct weft_address addr;

	if (o->url.is_unix)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"URL \"%.100s\": expected a host; a socket's path goes into connect_to",
			opt->url);
	if (o->url.host.len > WEFT_URL_NAME_MAX)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"URL \"%.100s\": a host of %zu bytes, expected at most %d", opt->url,
			o->url.host.len, WEFT_URL_NAME_MAX);
	if (!o->url.has_port && !o->key.scheme->port)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"URL \"%.100s\": expected a port, %s has no default", opt->url,
			o->key.scheme->name);
	o->key.port = o->url.has_port ? o->url.port : o->key.scheme->port;
	if (!o->key.port)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "URL \"%.100s\": port 0", opt->url);
	if (opt->connect_to && weft_endpoint_parse(opt->connect_to, &addr, err))
		return weft_error_prefix(err, "connect_to");
	if (opt->local_address && weft_address_parse(opt->local_address, 0, &addr, err))
		return weft_error_prefix(err, "local_address");
	if (o->url.is_ipv6 && weft_address_parse(o->key.host, 0, &addr, err))
		return weft_error_prefix(err, "URL \"%.100s\"", opt->url);
	return WEFT_OK;
}

/* Whom the proxy is asked for: it knows no sockets and no network interfaces of this machine. */
static enum weft_status check_proxy(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	char text[WEFT_PROXY_TEXT_MAX], host[WEFT_URL_NAME_MAX + 1];
	struct weft_proxy proxy;
	enum weft_status st;
	uint16_t port;

	o->key.proxy = "";
	if (!opt->proxy)
		return WEFT_OK;
	st = weft_proxy_parse(opt->proxy, &proxy, err);
	if (st)
		return st;
	if (weft_proxy_target(o->key.host, o->key.port, o->key.connect_to, host, &port, err))
		return weft_error_prefix(err, "proxy \"%.80s\"", opt->proxy);
	weft_proxy_format(&proxy, text);
	o->key.proxy = weft_arena_text(&o->stream->arena, text, strlen(text));
	return o->key.proxy ? WEFT_OK : no_memory(err);
}

/* Nothing is negotiated in the clear: the first of the names that a role knows is spoken, by prior knowledge. */
static enum weft_status prefer(struct opening *o, struct weft_error *err)
{
	const struct weft_plugin *role = NULL;

	for (const char *const *name = o->options->alpn; *name && !role; name++)
		role = weft_roles_by_alpn(o->ctx, o->key.scheme, *name);
	if (!role)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"no role here speaks \"%.32s\" or any other protocol that is asked for",
			o->options->alpn[0] ? o->options->alpn[0] : "");
	o->role = role;
	return WEFT_OK;
}

static enum weft_status make_key(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	struct weft_address literal;
	enum weft_status st;

	o->role = weft_roles_by_scheme(o->ctx, o->url.scheme, &o->key.scheme, err);
	if (o->role && opt->policy && opt->policy->protocol)
		o->role = weft_roles_by_name(
			o->ctx, opt->policy->protocol, o->url.scheme, &o->key.scheme, err);
	if (!o->role)
		return WEFT_ERR_UNSUPPORTED;
	if (!o->key.scheme->tls && opt->alpn && prefer(o, err))
		return WEFT_ERR_UNSUPPORTED;
	o->key.role = o->role;
	if (!o->role->role->ops->open)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"role %s serves, and opens nothing", o->role->name);
	o->key.host = o->url.is_unix ? "" : lower(o, o->url.host);
	if (!o->key.host)
		return no_memory(err);
	st = check_place(o, err);
	if (st)
		return st;
	o->key.connect_to = or_empty(opt->connect_to);
	o->key.local = or_empty(opt->local_address);
	st = check_proxy(o, err);
	if (st)
		return st;
	o->key.sni = "";
	if (!o->key.scheme->tls)
		return WEFT_OK;
	if (!o->ctx->tls)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"%s needs TLS, but this context has no TLS backend", o->key.scheme->name);
	o->key.allow = opt->allow & WEFT_TLS_ALLOW_ALL;
	if (opt->sni)
		o->key.sni = opt->sni;
	else if (weft_address_parse(o->key.host, 0, &literal, NULL)) /* an address is no name */
		o->key.sni = weft_arena_text(&o->stream->arena, o->key.host,
			weft_url_name_len(o->key.host)); /* RFC 6066 section 3 */
	return o->key.sni ? WEFT_OK : no_memory(err);
}

static enum weft_status load_trust(struct opening *o, struct weft_error *err)
{
	const char *alpn[WEFT_ALPN_MAX + 1];

	if (!o->key.scheme->tls) {
		/* one for all, without a word in it */
		if (o->ctx->no_trust) {
			o->key.trust = weft_trust_ref(o->ctx->no_trust);
			return WEFT_OK;
		}
		if (weft_trust_none(o->ctx, &o->ctx->no_trust, err))
			return WEFT_ERR_MEMORY;
		o->key.trust = weft_trust_ref(o->ctx->no_trust);
		return WEFT_OK;
	}
	if (o->options->policy)
		return weft_trust_of_policy(o->ctx, o->ctx->policy.tables, o->options->policy,
			&o->ctx->policy, o->options->alpn, &o->key.trust, err);
	weft_roles_alpn(o->ctx, o->key.scheme, NULL, alpn, WEFT_ALPN_MAX + 1);
	return weft_trust_load(o->ctx, o->options->trust, o->options->credential,
		o->options->alpn ? o->options->alpn : alpn, &o->key.trust, err);
}

static enum weft_status make_request(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	struct weft_arena *arena = &o->stream->arena;
	const struct weft_url *u = &o->url;
	struct weft_head head = {
		.method = opt->method,
		.scheme = o->key.scheme->name,
		.body_len = opt->body ? opt->body_len : 0,
		.fields = opt->fields,
		.field_count = opt->field_count,
	};

	head.authority = weft_arena_text(arena, (const char *)u->authority.ptr, u->authority.len);
	head.target = weft_arena_text(arena, (const char *)u->target.ptr, u->target.len);
	if (!head.authority || !head.target || weft_head_copy(arena, &o->stream->request, &head))
		return no_memory(err);
	return WEFT_OK;
}

/* Whether a connection of another host's may do for it: DESIGN 5, law 1. */
static bool may_coalesce(const struct opening *o)
{
	const struct weft_trust_spec *trust = o->key.trust;

	return o->options->coalesce && o->options->share == WEFT_SHARE_POOL &&
	       !o->options->transport && o->key.scheme->tls && !o->key.allow && !o->key.proxy[0] &&
	       !weft_buffer_len(&trust->credential.cert) && !trust->who &&
	       weft_pool_names_itself(&o->key);
}

static void override(uint32_t *limit, uint32_t value)
{
	if (value)
		*limit = value;
}

/* Most streams say nothing about limits: they use the context's, and cost nothing. */
static enum weft_status set_limits(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	struct weft_stream *s = o->stream;
	struct weft_limits *own;

	s->queue_ms = opt->queue_ms ? opt->queue_ms : o->ctx->queue_ms;
	if (opt->total_ms)
		s->total_due_us = s->opened_us + (uint64_t)opt->total_ms * 1000;
	s->keep_warm_ms = opt->keep_warm_ms == UINT32_MAX ? 0
			  : opt->keep_warm_ms             ? opt->keep_warm_ms
							  : o->ctx->keep_warm_ms;
	s->lets_go = opt->warm_lets_go;
	override(&s->write_high, opt->write_high);
	s->limits = &o->ctx->client_limits;
	if (!opt->connect_ms && !opt->handshake_ms && !opt->header_ms && !opt->idle_ms &&
		!opt->flush_ms && !opt->window_bytes)
		return WEFT_OK;
	own = weft_arena_alloc(&s->arena, sizeof(*own));
	if (!own)
		return no_memory(err);
	*own = o->ctx->client_limits;
	override(&own->connect_ms, opt->connect_ms);
	override(&own->handshake_ms, opt->handshake_ms);
	override(&own->header_ms, opt->header_ms);
	override(&own->idle_ms, opt->idle_ms);
	override(&own->flush_ms, opt->flush_ms);
	override(&own->window_bytes, opt->window_bytes);
	s->limits = own;
	return WEFT_OK;
}

static uint64_t queue_due(const struct weft_stream *s)
{
	uint64_t patience = (uint64_t)s->queue_ms * 1000;

	if (!s->queue_ms || s->state != WEFT_STREAM_QUEUED)
		return WEFT_NEVER;
	return s->queued_us + (patience > s->waited_us ? patience - s->waited_us : 0);
}

static void timed_out(struct weft_timer *timer, void *user)
{
	struct weft_stream *s = user;
	uint64_t now = weft_loop_now(&s->ctx->loop);
	struct weft_error why;

	(void)timer;
	if (now >= s->total_due_us) {
		s->ctx->counters.timeouts++;
		weft_error_set(&why, WEFT_ERR_TIMEOUT, 0, "not complete within its total time");
		weft_stream_unbind(s);
		weft_stream_over(s, &why);
	} else if (now >= queue_due(s)) {
		weft_pool_waited_out(s);
	} else {
		weft_stream_arm(s); /* it waited for something that has come */
	}
}

void weft_stream_arm(struct weft_stream *s)
{
	uint64_t due = queue_due(s);

	if (s->total_due_us < due)
		due = s->total_due_us;
	if (due < WEFT_NEVER)
		weft_loop_timer(&s->ctx->loop, &s->timer, due, timed_out, s);
}

/* What the policy says of it is not to be said twice. */
static enum weft_hold hold_of(const struct weft_stream_options *opt)
{
	return opt->policy ? weft_policy_trust_of(opt->policy)->hold : opt->hold;
}

static enum weft_status prepare(struct opening *o, struct weft_error *err)
{
	const struct weft_stream_options *opt = o->options;
	enum weft_status st;

	if (o->ctx->life != WEFT_LIFE_RUNNING)
		return weft_error_set(err, WEFT_ERR_SHUTDOWN, 0, "the context is going away");
	if (!opt->url)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "a stream needs a URL");
	st = weft_url_parse(opt->url, &o->url, err);
	if (st)
		return st;
	o->stream = weft_stream_create(o->ctx, true);
	if (!o->stream)
		return no_memory(err);
	st = make_key(o, err);
	if (st == WEFT_OK)
		st = make_request(o, err);
	if (st == WEFT_OK)
		st = set_limits(o, err);
	if (st == WEFT_OK)
		st = weft_flight_join(o->stream, opt->policy, err);
	if (st == WEFT_OK)
		st = load_trust(o, err);
	if (st == WEFT_OK)
		o->stream->coalesce = may_coalesce(o);
	if (st == WEFT_OK && opt->policy) {
		o->stream->policy = opt->policy;
		o->stream->policy_of = weft_policy_ref(o->ctx->policy.tables);
	}
	if (st == WEFT_OK && hold_of(opt) == WEFT_HOLD_STREAM) {
		st = weft_vhost_client(o->ctx, o->key.trust, &o->stream->vhost, err);
		if (st == WEFT_OK)
			weft_vhost_hold_stream(o->stream->vhost);
	}
	return st;
}

enum weft_status weft_stream_open(struct weft_context *ctx,
	const struct weft_stream_options *options, const struct weft_stream_ops *ops, void *user,
	struct weft_stream **out, struct weft_error *err)
{
	struct opening o = { .ctx = ctx, .options = options };
	struct weft_stream *s;
	enum weft_status st = prepare(&o, err);

	if (st)
		goto out;
	s = o.stream;
	weft_stream_set_ops(s, ops, user);
	s->role = o.role;
	s->idempotent = options->idempotent;
	/* set before it can be bound: the role looks at it */
	s->finished = !options->body;
	st = weft_pool_submit(s, &o.key, o.role,
		options->share == WEFT_SHARE_ALONE || options->transport, options->transport, err);
	if (st)
		goto out;
	*out = s;
out:
	weft_trust_release(o.key.trust);
	if (st && o.stream)
		weft_stream_free(o.stream);
	return st;
}
