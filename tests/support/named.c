/* SPDX-License-Identifier: MIT */
/* Named streams. */
#include "tests/support/named.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- streams ---- */

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct named *n = user;

	assert_ptr_equal(n->stream, s);
	if (kind != WEFT_HEAD_FINAL)
		return;
	n->status = head->status;
	if (n->in_head)
		n->in_head(n);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct named *n = user;

	(void)bytes;
	assert_ptr_equal(n->stream, s);
	n->got += len;
	if (n->in_data)
		n->in_data(n);
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct named *n = user;

	(void)s;
	n->closes++;
	n->why = *why;
	n->stream = NULL;
	if (n->in_close)
		n->in_close(n);
}

static const struct weft_stream_ops ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_close = on_close,
};

enum weft_status named_try(
	struct named *n, struct weft_context *ctx, const char *name, struct weft_error *err)
{
	n->ctx = ctx;
	n->closes = n->status = 0;
	n->got = 0;
	n->stream = NULL;
	return weft_policy_open(ctx, name, NULL, NULL, &ops, n, &n->stream, err);
}

void named_open(struct named *n, struct weft_context *ctx, const char *name)
{
	struct weft_error err;

	if (named_try(n, ctx, name, &err))
		fail_msg("open %s: %s", name, err.text);
	assert_int_equal(n->closes, 0);
}

/* ---- the server ---- */

static void hold(struct script_line *line)
{
	(void)line;
}

void play_open(struct play *p, const struct weft_context_options *client,
	const struct weft_vhost_options *vhost)
{
	static const struct weft_context_options patient = { .linger_ms = 1 };
	struct weft_vhost_options v = vhost ? *vhost : (struct weft_vhost_options){ .name = NULL };

	memset(&p->script, 0, sizeof(p->script));
	p->script.duo = &p->d;
	p->script.answer = hold;
	v.routes = script_routes(&p->script);
	duo_open(&p->d, &patient, client ? client : &patient, &v, true);
	p->port = (unsigned)strtoul(strrchr(p->d.base, ':') + 1, NULL, 10);
}

void play_close(struct play *p)
{
	duo_close(&p->d);
}

void play_use(struct play *p, const struct weft_policy *policy)
{
	struct weft_error err;

	if (weft_context_use_policy(p->d.client, policy, NULL, &err))
		fail_msg("%s", err.text);
}

static struct script_line *asking(struct script *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->lines[i].stream && s->lines[i].request_len && !s->lines[i].closed)
			return &s->lines[i];
	}
	return NULL;
}

struct script_line *play_asked(struct play *p)
{
	play_until(p, asking(&p->script));
	return asking(&p->script);
}

void play_answer(struct play *p, struct named *n)
{
	while (!n->closes) {
		script_reply(play_asked(p), "");
		play_until(p, n->closes || asking(&p->script));
	}
}

void play_visit(struct play *p, struct named *n, const char *name)
{
	named_open(n, p->d.client, name);
	play_answer(p, n);
	if (n->why.status)
		fail_msg("%s: %s", name, n->why.text);
	assert_int_equal(n->status, 200);
}

void play_idle(struct play *p)
{
	for (unsigned i = 0; i < 32; i++)
		script_turn(&p->script);
}

/* ---- vhosts ---- */

static bool find(
	const struct weft_context *ctx, const char *name, bool gone, struct weft_vhost_info *info)
{
	struct weft_vhost_info at;
	bool found = false;

	for (size_t i = 0; weft_vhost_info(ctx, i, &at); i++) {
		if (strcmp(at.name, name) || (at.state == WEFT_VHOST_GONE) != gone)
			continue;
		assert_false(found);
		found = true;
		*info = at;
	}
	return found;
}

bool vhost_there(const struct weft_context *ctx, const char *name, struct weft_vhost_info *info)
{
	return find(ctx, name, false, info);
}

bool vhost_gone(const struct weft_context *ctx, const char *name, struct weft_vhost_info *info)
{
	return find(ctx, name, true, info);
}

void vhost_check(const struct weft_context *ctx, const char *name, enum weft_vhost_state state,
	unsigned conns, unsigned streams, unsigned policies)
{
	struct weft_vhost_info info;

	assert_true(vhost_there(ctx, name, &info));
	assert_true(info.client && info.tls);
	assert_int_equal(info.state, state);
	assert_int_equal(info.conns, conns);
	assert_int_equal(info.streams, streams);
	assert_int_equal(info.policies, policies);
	assert_int_equal(info.applications, 0);
	assert_int_equal(info.refs, conns + streams + policies);
}

void vhost_events(const struct weft_context *ctx, const char *const *events)
{
	struct weft_vhost_event e;
	char text[64];
	size_t i = 0;

	for (; events[i]; i++) {
		assert_true(weft_vhost_event(ctx, i, &e));
		snprintf(text, sizeof(text), "%s %s", weft_vhost_event_name(e.kind), e.name);
		assert_string_equal(text, events[i]);
	}
}

unsigned vhosts_now(const struct play *p)
{
	return (unsigned)duo_client_counts(&p->d).vhosts_now;
}

unsigned vhosts_made(const struct play *p)
{
	return (unsigned)duo_client_counts(&p->d).vhosts_created;
}
