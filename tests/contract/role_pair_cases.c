/* SPDX-License-Identifier: MIT */
/*
 * What every role does alike: both ends are ours, a memory transport between them, and a body each way. Whoever
 * writes another role gives it a row in `kinds`.
 */
#include <stdio.h>

#include "tests/contract/role_peer.h"

enum {
	BODY = 300000,
	LONG = 4 << 20, /* more than all that may lie between an end and the other */
	HELD = 1 << 20, /* what may lie there, and all that the context has besides */
	PIECE = 7000,
};

/* A role, and how it is reached. */
struct kind {
	const char *url, *scheme, *alpn[2];
	bool heads; /* a response begins with one */
};

static const struct kind kinds[] = {
	{ "tcp://a:1", "tcp", { NULL }, false },
	{ "http://a:1/", "http", { "http/1.1" }, true },
	{ "http://a:1/", "http", { "h2" }, true },
};

/* One end of an exchange. */
struct end {
	struct weft_stream *stream; /* NULL after on_close */
	size_t got, to_write;       /* bytes; of its own body, what is still to come */
	bool wrong;                 /* a byte that is not the one expected */
	bool hold;                  /* takes nothing */
	bool echoes, ended, closed, finished;
	struct weft_error why;
};

static struct end client, server;
static size_t body; /* bytes */
static const struct kind *kind;

static char byte_at(size_t at)
{
	return (char)('a' + at % 23);
}

static void note(struct end *e, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		e->wrong |= bytes[i] != byte_at(e->got + i);
	e->got += len;
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct end *e = user;
	size_t n = len;

	assert_false(e->closed || e->ended);
	if (e->hold)
		return 0;
	if (e->echoes)
		n = weft_stream_write(s, bytes, len);
	note(e, bytes, n);
	return n;
}

static void go_on(struct end *e)
{
	char piece[PIECE];
	size_t n, len;

	while (e->stream && e->to_write) {
		len = e->to_write < PIECE ? e->to_write : PIECE;
		for (size_t i = 0; i < len; i++)
			piece[i] = byte_at(body - e->to_write + i);
		n = weft_stream_write(e->stream, piece, len);
		e->to_write -= n;
		if (n < len)
			return;
	}
	if (e->stream && !e->echoes && !e->finished) {
		e->finished = true;
		weft_stream_finish(e->stream);
	}
}

static void on_writable(struct weft_stream *s, void *user)
{
	struct end *e = user;

	if (e->echoes)
		weft_stream_resume(s);
	else
		go_on(e);
}

static void on_end(struct weft_stream *s, void *user)
{
	struct end *e = user;

	assert_false(e->ended || e->closed);
	e->ended = true;
	if (e->echoes)
		weft_stream_finish(s);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct end *e = user;

	assert_ptr_equal(s, e->stream);
	assert_false(e->closed);
	e->closed = true;
	e->stream = NULL;
	e->why = *why;
}

static const struct weft_stream_ops ops = {
	.on_data = on_data, .on_writable = on_writable, .on_end = on_end, .on_close = on_close
};

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	(void)user;
	server.stream = s;
	server.echoes = true;
	weft_stream_set_ops(s, &ops, &server);
	return kind->heads ? weft_http_reply_head(s, 200, NULL, 0, -1) : WEFT_OK;
}

/* Both ends, and a client whose body goes as far as it gets. */
static void begin(struct world *w, void **state, size_t len)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = on_request },
		{ .on_request = NULL } };
	const struct weft_vhost_options v = { .name = "a", .routes = routes };
	struct weft_stream_options o = { .method = "POST", .body = true, .body_len = -1 };
	struct weft_transport *ends[2];
	struct weft_error err;

	kind = *state;
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	world_open(w, NULL, &v);
	assert_int_equal(weft_transport_memory_pair(w->ctx, 4096, ends, &err), WEFT_OK);
	assert_int_equal(weft_transport_serve(w->vh, kind->scheme, ends[0], &err), WEFT_OK);
	o.url = kind->url;
	o.alpn = kind->alpn[0] ? kind->alpn : NULL;
	o.transport = ends[1];
	if (weft_stream_open(w->ctx, &o, &ops, &client, &client.stream, &err))
		fail_msg("%s", err.text);
	client.to_write = body = len;
	go_on(&client);
}

static void until(struct world *w, const bool *what)
{
	for (unsigned i = 0; i < 100 * WORLD_TURNS_MAX && !*what; i++)
		world_turn(w);
	assert_true(*what);
}

static void finish(struct world *w)
{
	struct weft_counters c;

	until(w, &client.closed);
	until(w, &server.closed);
	weft_context_counters(w->ctx, &c);
	assert_int_equal(c.streams_now, 0);
	world_close(w);
}

static void bodies_go_both_ways(void **state)
{
	struct world w;

	begin(&w, state, BODY);
	until(&w, &client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_true(client.ended && server.ended);
	assert_false(client.wrong || server.wrong);
	assert_int_equal(client.got, body);
	assert_int_equal(server.got, body);
	until(&w, &server.closed);
	assert_int_equal(server.why.status, WEFT_OK);
	finish(&w);
}

/* Nothing piles up: who does not take stops the other. */
static void who_takes_nothing_stops_the_other(void **state)
{
	struct weft_counters c;
	struct world w;
	size_t before;

	begin(&w, state, role_fragment ? BODY : LONG);
	client.hold = true;
	do {
		before = client.to_write;
		for (unsigned i = 0; i < 300; i++)
			world_turn(&w);
	} while (client.to_write < before);
	weft_context_counters(w.ctx, &c);
	assert_true(c.heap_now < HELD);
	assert_true(client.to_write || body < LONG);
	assert_false(client.closed || server.closed);
	client.hold = false;
	weft_stream_resume(client.stream);
	until(&w, &client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_int_equal(client.got, body);
	assert_false(client.wrong);
	finish(&w);
}

static void some_come(struct world *w)
{
	for (unsigned i = 0; i < 100 * WORLD_TURNS_MAX && client.got < PIECE; i++)
		world_turn(w);
	assert_true(client.got >= PIECE);
}

static void client_gives_up(void **state)
{
	struct world w;

	begin(&w, state, BODY);
	some_come(&w);
	weft_stream_close(client.stream);
	until(&w, &server.closed);
	assert_int_not_equal(server.why.status, WEFT_OK);
	assert_true(server.why.text[0]);
	assert_false(server.ended || server.wrong);
	finish(&w);
}

static void server_gives_up(void **state)
{
	struct world w;

	begin(&w, state, BODY);
	some_come(&w);
	weft_stream_close(server.stream);
	until(&w, &client.closed);
	/* bytes alone may end anywhere */
	assert_true(client.why.status || !kind->heads);
	assert_true(!client.why.status || client.why.text[0]);
	assert_true(!client.ended || !kind->heads);
	assert_false(client.wrong);
	finish(&w);
}

static void set(void *user)
{
	*(bool *)user = true;
}

/* What runs may end. */
static void draining_waits(void **state)
{
	bool drained = false;
	struct world w;

	begin(&w, state, BODY);
	some_come(&w);
	weft_context_drain(w.ctx, 0, set, &drained);
	until(&w, &client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_int_equal(client.got, body);
	until(&w, &drained);
	finish(&w);
}

/* ---- heads ---- */

static struct {
	unsigned informational, status;
	char link[16], field[16], trailer[16];
} heads;

static void copy(char to[16], const struct weft_head *head, const char *name)
{
	const struct weft_field *f = weft_head_find(head, name);

	snprintf(to, 16, "%s", f ? f->value : "");
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind which, void *user)
{
	(void)s;
	(void)user;
	if (which == WEFT_HEAD_INFORMATIONAL) {
		assert_int_equal(heads.status, 0);
		heads.informational = head->status;
		copy(heads.link, head, "link");
	} else if (which == WEFT_HEAD_FINAL) {
		heads.status = head->status;
		copy(heads.field, head, "x-field");
	} else {
		copy(heads.trailer, head, "x-trailer");
	}
}

static void send_head(struct weft_stream *s, unsigned status, const char *name, const char *value,
	enum weft_head_kind which)
{
	const struct weft_field field = weft_field(name, value);
	const struct weft_head head = {
		.status = status, .body_len = -1, .fields = &field, .field_count = 1
	};
	struct weft_error err;

	if (weft_stream_send_head(s, &head, which, which == WEFT_HEAD_TRAILER, &err))
		fail_msg("%s", err.text);
}

static bool close_at_once;

static enum weft_status answer(struct weft_stream *s, void *user)
{
	(void)user;
	send_head(s, 103, "link", "</style>", WEFT_HEAD_INFORMATIONAL);
	send_head(s, 200, "x-field", "yes", WEFT_HEAD_FINAL);
	if (strcmp(weft_stream_request(s)->method, "HEAD") != 0) {
		assert_int_equal(weft_stream_write(s, "abc", 3), 3);
		send_head(s, 0, "x-trailer", "sum", WEFT_HEAD_TRAILER);
	} else {
		weft_stream_finish(s);
	}
	if (close_at_once)
		weft_stream_close(s);
	return WEFT_OK;
}

static void ask(void **state, const char *method, size_t len)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = answer },
		{ .on_request = NULL } };
	const struct weft_vhost_options v = { .name = "a", .routes = routes };
	struct weft_stream_ops with = ops;
	struct weft_request r = { .method = method };
	struct weft_transport *ends[2];
	struct weft_error err;
	struct world w;

	kind = *state;
	with.on_head = on_head;
	memset(&client, 0, sizeof(client));
	memset(&heads, 0, sizeof(heads));
	world_open(&w, NULL, &v);
	assert_int_equal(weft_transport_memory_pair(w.ctx, 4096, ends, &err), WEFT_OK);
	assert_int_equal(weft_transport_serve(w.vh, kind->scheme, ends[0], &err), WEFT_OK);
	r.url = kind->url;
	r.stream.alpn = kind->alpn;
	r.stream.transport = ends[1];
	client.finished = true;
	assert_int_equal(weft_http_open(w.ctx, &r, &with, &client, &client.stream, &err), WEFT_OK);
	until(&w, &client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_int_equal(heads.informational, 103);
	assert_string_equal(heads.link, "</style>");
	assert_int_equal(heads.status, 200);
	assert_string_equal(heads.field, "yes");
	assert_string_equal(heads.trailer, len ? "sum" : "");
	assert_int_equal(client.got, len);
	assert_false(client.wrong);
	world_close(&w);
}

static void heads_and_trailers_arrive(void **state)
{
	ask(state, "GET", 3);
}

static void answer_to_head_has_no_body(void **state)
{
	ask(state, "HEAD", 0);
}

/* "Answer, then close" is one thought. */
static void answer_outlives_its_stream(void **state)
{
	close_at_once = true;
	ask(state, "GET", 3);
	ask(state, "HEAD", 0);
	close_at_once = false;
}

#define BY(name, test, at)                                                       \
	{                                                                        \
#test ", " name, test, NULL, NULL, (void *)(uintptr_t)&kinds[at] \
	}
#ifdef WEFT_HAVE_ROLE_RAW
#define BY_RAW(test) BY("raw", test, 0),
#else
#define BY_RAW(test)
#endif
#ifdef WEFT_HAVE_ROLE_H2
#define BY_H2(test) BY("h2", test, 2),
#else
#define BY_H2(test)
#endif
#define HTTP(test) BY_H2(test) BY("h1", test, 1)
#define EACH(test) BY_RAW(test) HTTP(test)

static const struct CMUnitTest tests[] = {
	EACH(bodies_go_both_ways),
	EACH(who_takes_nothing_stops_the_other),
	EACH(client_gives_up),
	EACH(server_gives_up),
	EACH(draining_waits),
	HTTP(heads_and_trailers_arrive),
	HTTP(answer_to_head_has_no_body),
	HTTP(answer_outlives_its_stream),
};

const struct role_group role_pair_group = { "both ends", tests, sizeof(tests) / sizeof(*tests) };
