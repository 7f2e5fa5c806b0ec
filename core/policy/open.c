/* SPDX-License-Identifier: MIT */
/* Opening streams by their names, and what such a stream knows of its policy. */
#include <string.h>

#include "core/plugin/registry.h"
#include "core/policy/find.h"
#include "core/policy/plan.h"
#include "core/policy/use.h"
#include "core/stream/stream.h"

static struct weft_stream_options options_of(const struct weft_policy_planning *p,
	const struct weft_policy_plan *plan, const struct weft_policy_body *body)
{
	const struct weft_policy_stream *s = p->stream;
	struct weft_stream_options o = {
		.url = plan->url,
		.method = plan->method,
		.fields = plan->fields,
		.field_count = plan->field_count,
		.idempotent = p->idempotent,
		.share = s->share,
		.hold = weft_policy_trust_of(s)->hold,
		.allow = s->allow,
		.alpn = plan->alpn,
		.sni = plan->sni,
		.connect_to = plan->connect_to,
		.local_address = s->local_address,
		.proxy = s->proxy,
		.connect_ms = s->connect_ms,
		.handshake_ms = s->handshake_ms,
		.header_ms = s->header_ms,
		.idle_ms = s->idle_ms,
		.flush_ms = s->flush_ms,
		.queue_ms = s->queue_ms,
		.total_ms = s->timeout_ms,
		.window_bytes = s->window_bytes,
		.write_high = s->write_high_bytes,
		.warm_lets_go = !s->warm_holds,
		.coalesce = s->coalesce,
		.policy = s,
		.body = p->has_body || p->flows,
		.body_len = -1,
	};

	/* the table's "not given" is the option's 0, and the other way round */
	if (s->keep_warm_ms != UINT32_MAX)
		o.keep_warm_ms = s->keep_warm_ms ? s->keep_warm_ms : UINT32_MAX;
	if (body && body->whole.len)
		o.body_len = (int64_t)body->whole.len;
	else if (body && body->later && body->later_len > 0)
		o.body_len = body->later_len;
	return o;
}

static enum weft_status write_whole(
	struct weft_stream *s, const struct weft_span *body, struct weft_error *err)
{
	struct weft_segment seg = weft_segment_static(body->ptr, body->len);
	enum weft_status st = weft_stream_write_segment(s, &seg);

	if (st) {
		/* as if it had never been opened: nobody is called */
		weft_stream_set_ops(s, NULL, NULL);
		weft_stream_close(s);
		return weft_error_set(err, st < 0 ? st : WEFT_ERR_MEMORY, 0,
			"no memory to refer to a stream's body");
	}
	weft_stream_finish(s);
	return WEFT_OK;
}

enum weft_status weft_policy_open(struct weft_context *ctx, const char *name,
	const struct weft_policy_pair *metadata, const struct weft_policy_body *body,
	const struct weft_stream_ops *ops, void *user, struct weft_stream **out,
	struct weft_error *err)
{
	struct weft_policy_planning p;
	struct weft_policy_plan plan;
	struct weft_stream_options options;
	enum weft_status st;

	if (!ctx->policy.tables)
		return weft_error_set(err, WEFT_ERR_NOT_FOUND, 0,
			"stream \"%.60s\": the context uses no policy", name);
	if (body && body->later && body->whole.len)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"both a whole body and a later one: expected one of them");
	weft_policy_planning_init(&p, ctx);
	p.metadata = metadata;
	p.has_body = body && (body->later || body->whole.len);
	st = weft_policy_plan_make(&p, ctx->policy.tables, name, &plan, err);
	if (st == WEFT_OK) {
		options = options_of(&p, &plan, body);
		st = weft_stream_open(ctx, &options, ops, user, out, err);
		if (st)
			weft_error_prefix(err, "stream %s", name);
	}
	weft_policy_planning_finish(&p);
	if (st == WEFT_OK && body && body->whole.len)
		st = write_whole(*out, &body->whole, err);
	return st;
}

const struct weft_policy_stream *weft_stream_policy(const struct weft_stream *s)
{
	return s->policy;
}

/* Of the role that opened it, or would have. */
static const struct weft_role_policy *role_policy(const struct weft_stream *s)
{
	return s->role->role->policy;
}

enum weft_status weft_policy_response(
	const struct weft_stream *s, const char *name, struct weft_span *value)
{
	const struct weft_policy_metadata *m;

	if (!s->policy || !role_policy(s) || !role_policy(s)->read)
		return WEFT_ERR_NOT_FOUND;
	if (!s->has_response)
		return WEFT_ERR_STATE;
	for (size_t i = 0; i < s->policy->metadata_count; i++) {
		m = &s->policy->metadata[i];
		for (size_t k = 0; !strcmp(m->name, name) && k < m->use_count; k++) {
			if (role_policy(s)->read(s, &m->uses[k], value) == WEFT_OK)
				return WEFT_OK;
		}
	}
	return WEFT_ERR_NOT_FOUND;
}
