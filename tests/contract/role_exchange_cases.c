/* SPDX-License-Identifier: MIT */
/* The client's streams of the suite. */
#include "tests/contract/role_exchange.h"

#include <stdio.h>
#include <unistd.h>

static void told(struct exchange *x, enum exchange_event event)
{
	if (x->hook)
		x->hook(x, event);
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct exchange *x = user;
	const struct weft_field *f;

	(void)s;
	assert_false(x->closed);
	switch (kind) {
	case WEFT_HEAD_INFORMATIONAL:
		assert_int_equal(x->status, 0);
		x->informational++;
		x->last_informational = head->status;
		told(x, EXCHANGE_INFORMATIONAL);
		break;
	case WEFT_HEAD_FINAL:
		assert_int_equal(x->status, 0);
		x->status = head->status;
		x->body_len = head->body_len;
		told(x, EXCHANGE_HEAD);
		break;
	case WEFT_HEAD_TRAILER:
		assert_int_not_equal(x->status, 0);
		f = weft_head_find(head, "check");
		snprintf(x->trailer, sizeof(x->trailer), "%s", f ? f->value : "");
		told(x, EXCHANGE_TRAILER);
		break;
	}
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct exchange *x = user;

	(void)s;
	assert_false(x->ended || x->closed);
	if (x->hold)
		return 0;
	for (size_t i = 0; i < len; i++, x->len++) {
		if (x->len < sizeof(x->body) - 1)
			x->body[x->len] = ((const char *)bytes)[i];
	}
	told(x, EXCHANGE_DATA);
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	struct exchange *x = user;

	(void)s;
	assert_false(x->ended || x->closed);
	x->ended = true;
	told(x, EXCHANGE_END);
}

static void on_writable(struct weft_stream *s, void *user)
{
	(void)s;
	told(user, EXCHANGE_WRITABLE);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct exchange *x = user;

	(void)s;
	assert_false(x->closed);
	x->why = *why;
	x->closed = true;
	x->stream = NULL;
}

const struct weft_stream_ops exchange_ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_end = on_end,
	.on_writable = on_writable,
	.on_close = on_close,
};

void client_begin(struct client *c, const struct weft_context_options *options)
{
	world_open(&c->world, options, NULL);
	c->listener = peer_listen(&c->port);
}

void client_end(struct client *c)
{
	world_close(&c->world);
	assert_false(peer_waiting(c->listener));
	close(c->listener);
}

void client_accept(struct client *c, struct peer *p)
{
	peer_accept(p, &c->world, c->listener);
}

void client_open(
	struct client *c, struct exchange *x, const struct weft_request *request, const char *path)
{
	struct weft_request r = request ? *request : (struct weft_request){ .url = NULL };
	struct weft_error err;
	char url[128], to[32];

	snprintf(url, sizeof(url), "http://a%s", path);
	snprintf(to, sizeof(to), "127.0.0.1:%u", c->port);
	r.url = url;
	r.connect_to = to;
	r.share = r.stream.transport ? WEFT_SHARE_ALONE : WEFT_SHARE_POOL;
	x->world = &c->world;
	if (weft_http_open(c->world.ctx, &r, &exchange_ops, x, &x->stream, &err))
		fail_msg("open %s: %s", url, err.text);
}

void client_open_memory(struct client *c, struct exchange *x, struct peer *p, size_t capacity,
	const struct weft_request *request, const char *path)
{
	struct weft_request r = request ? *request : (struct weft_request){ .url = NULL };
	struct weft_transport *ends[2];
	struct weft_error err;

	assert_int_equal(weft_transport_memory_pair(c->world.ctx, capacity, ends, &err), WEFT_OK);
	peer_hold(p, &c->world, ends[1]);
	r.stream.transport = ends[0];
	client_open(c, x, &r, path);
}

void exchange_wait(struct exchange *x, enum weft_status status)
{
	world_wait(x->world, &x->closed);
	if (x->why.status != status)
		fail_msg("closed with %s: %s; expected %s", weft_status_name(x->why.status),
			x->why.text, weft_status_name(status));
}

void exchange_expect(struct exchange *x, unsigned status, const char *body)
{
	exchange_wait(x, WEFT_OK);
	assert_int_equal(x->status, status);
	assert_string_equal(x->body, body);
	assert_int_equal(x->len, strlen(body));
	assert_true(x->ended);
}

static void close_in(struct exchange *x, enum exchange_event wanted, enum exchange_event event)
{
	if (event == wanted)
		weft_stream_close(x->stream);
}

void exchange_close_in_head(struct exchange *x, enum exchange_event event)
{
	close_in(x, EXCHANGE_HEAD, event);
}

void exchange_close_in_data(struct exchange *x, enum exchange_event event)
{
	close_in(x, EXCHANGE_DATA, event);
}

void exchange_close_in_end(struct exchange *x, enum exchange_event event)
{
	close_in(x, EXCHANGE_END, event);
}

void exchange_upload(struct exchange *x, enum exchange_event event)
{
	char block[4096];
	size_t n;

	if (event != EXCHANGE_WRITABLE)
		return;
	memset(block, 'u', sizeof(block));
	while (x->left) {
		n = weft_stream_write(
			x->stream, block, x->left < sizeof(block) ? x->left : sizeof(block));
		x->left -= n;
		if (!n)
			return;
	}
	weft_stream_finish(x->stream);
}
