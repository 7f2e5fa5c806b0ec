/* SPDX-License-Identifier: MIT */
/*
 * A stranger's role (tests/support/goodplugins/role-shout.c) on streams of HTTP/1.1 and of HTTP/2, asked for by our own
 * client through a transport in memory: its windows, its ends, and what becomes of it when either side goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/http.h"
#include "weft/plugin/transport.h"
#include "weft/plugins.h"

#define SHOUT WEFT_TEST_MODULE_DIR "/role-shout.so"

enum { TURNS_MAX = 20000, BULK = 4 << 20, HELD_MAX = 1 << 20 };

/* Each test runs with each carrier, and with its bytes cut. */
struct carrier {
	const char *alpn[2];
	size_t fragment;
};

/* One side's stream. */
struct end {
	struct weft_stream *stream; /* NULL: none yet, or closed */
	char got[256];
	size_t len, to_write;
	unsigned long sum, written; /* of all that came; bytes that went */
	bool hold, ended, closed, finish;
	unsigned status;
	struct weft_error why;
	struct weft_conn_info info;
};

static const struct carrier *carrier;
static struct weft_context *ctx;
static struct weft_vhost *vh;
static struct end server, client;

static size_t end_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct end *e = user;

	(void)s;
	if (e->hold)
		return 0;
	for (size_t i = 0; i < len; i++, e->len++) {
		unsigned char c = ((const unsigned char *)bytes)[i];

		e->sum = e->sum * 31 + c;
		if (e->len < sizeof(e->got) - 1)
			e->got[e->len] = (char)c;
	}
	return len;
}

static void end_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)kind;
	((struct end *)user)->status = head->status;
}

static void end_over(struct weft_stream *s, void *user)
{
	(void)s;
	((struct end *)user)->ended = true;
}

/* Writes what is left of to_write, as far as it is taken. */
static void end_write(struct weft_stream *s, void *user)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyzABCDE";
	struct end *e = user;

	while (e->written < e->to_write) {
		size_t at = e->written % 31, n = 31 - at;

		if (n > e->to_write - e->written)
			n = e->to_write - e->written;
		n = weft_stream_write(s, text + at, n);
		e->written += n;
		if (!n)
			return;
	}
	if (e->finish)
		weft_stream_finish(s);
}

static void end_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct end *e = user;

	(void)s;
	e->closed = true;
	e->stream = NULL;
	e->why = *why;
}

static const struct weft_stream_ops end_ops = {
	.on_head = end_head,
	.on_data = end_data,
	.on_end = end_over,
	.on_writable = end_write,
	.on_close = end_closed,
};

/* What one side's bytes come to at the other, in capitals or not. */
static unsigned long sum_of(size_t len, bool loud)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)"abcdefghijklmnopqrstuvwxyzABCDE"[i % 31];

		if (loud && c >= 'a')
			c = (unsigned char)(c - 'a' + 'A');
		sum = sum * 31 + c;
	}
	return sum;
}

static enum weft_status begun(struct weft_stream *s, void *user)
{
	assert_ptr_equal(user, &server);
	assert_null(server.stream);
	server.stream = s;
	weft_stream_set_ops(s, &end_ops, &server);
	return weft_stream_conn_info(s, &server.info);
}

static enum weft_status plain(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, NULL, "fine", 4);
}

static const struct weft_route routes[] = {
	{ .path = "/x", .role = "shout", .on_request = begun, .user = &server },
	{ .path = "/plain", .on_request = plain },
	{ .on_request = NULL },
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(const struct carrier *c, const struct weft_allocator *alloc)
{
	struct weft_registry *r;
	struct weft_context_options o = {
		.event = "poll",
		.tls = "none",
		.log = no_log,
		.linger_ms = 1000,
		.fragment_bytes = c->fragment,
		.allocator = alloc,
	};
	const struct weft_vhost_options v = { .name = "localhost", .routes = routes };

	carrier = c;
	ctx = NULL;
	vh = NULL;
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	assert_int_equal(weft_registry_create(NULL, &r, NULL), WEFT_OK);
	assert_int_equal(weft_registry_load(r, SHOUT, NULL), WEFT_OK);
	o.registry = r;
	if (weft_context_create(&o, &ctx, NULL) == WEFT_OK &&
		weft_vhost_create(ctx, &v, &vh, NULL) && !alloc)
		fail_msg("no vhost");
	weft_registry_release(r);
}

static void turn(void)
{
	assert_true(weft_context_turn(ctx, 2) >= 0);
}

static void turns_until(const bool *what)
{
	for (unsigned i = 0; i < TURNS_MAX && !*what; i++)
		turn();
	assert_true(*what);
}

/* As long as something moves. */
static void turns_until_still(const unsigned long *moves)
{
	unsigned long before;

	do {
		before = *moves;
		for (unsigned i = 0; i < 40; i++)
			turn();
	} while (*moves != before);
}

static void close_world(void)
{
	struct weft_counters c;

	weft_vhost_destroy(vh);
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		weft_context_counters(ctx, &c);
		if (!c.streams_now && !c.conns_now)
			break;
		turn();
	}
	assert_int_equal(c.streams_now, 0);
	assert_int_equal(c.conns_now, 0);
	assert_int_equal(c.vhosts_now, 0);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

/* A request through a connection of its own. */
static enum weft_status ask(const char *path, const char *upgrade, struct end *e)
{
	char url[64];
	struct weft_transport *ends[2];
	const char *const alpn[] = { carrier->alpn[0], NULL };
	struct weft_request r = {
		.url = url,
		.upgrade = upgrade,
		.stream = { .alpn = alpn, .keep_warm_ms = UINT32_MAX },
	};
	enum weft_status st;

	snprintf(url, sizeof(url), "http://localhost:1%s", path);
	st = weft_transport_memory_pair(ctx, 0, ends, NULL);
	if (st)
		return st;
	st = weft_transport_serve(vh, "http", ends[0], NULL);
	if (st) {
		weft_transport_destroy(ends[0]);
		weft_transport_destroy(ends[1]);
		return st;
	}
	r.stream.transport = ends[1];
	st = weft_http_open(ctx, &r, &end_ops, e, &e->stream, NULL);
	if (st)
		weft_transport_destroy(ends[1]);
	return st;
}

static bool is_h2(void)
{
	return !strcmp(carrier->alpn[0], "h2");
}

/* The tunnel is there, and the role on it has begun its stream. */
static void begin(void **state)
{
	open_world(*state, NULL);
	assert_int_equal(ask("/x", "shout", &client), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && !(client.status && server.stream); i++)
		turn();
	assert_non_null(server.stream);
	assert_int_equal(client.status / 100 == 2 || client.status == 101, 1);
}

static void wait_for(const struct end *e, const char *text)
{
	for (unsigned i = 0; i < TURNS_MAX && e->len < strlen(text); i++)
		turn();
	assert_string_equal(e->got, text);
}

static void say(struct end *e, const char *text)
{
	assert_int_equal(weft_stream_write(e->stream, text, strlen(text)), strlen(text));
}

static void both_directions_and_their_ends(void **state)
{
	struct weft_counters c;

	begin(state);
	assert_string_equal(server.info.role, "shout");
	assert_string_equal(server.info.alpn, "");
	weft_context_counters(ctx, &c);
	assert_int_equal(c.conns_now, 3); /* the client's, the server's, and the one within */
	say(&client, "hello");
	wait_for(&server, "HELLO");
	say(&server, "Welcome");
	wait_for(&client, "Welcome");
	say(&client, ", world");
	weft_stream_finish(client.stream);
	turns_until(&server.ended);
	assert_string_equal(server.got, "HELLO, WORLD");
	assert_false(client.ended);
	say(&server, " and bye");
	weft_stream_finish(server.stream);
	turns_until(&client.closed);
	turns_until(&server.closed);
	assert_string_equal(client.got, "Welcome and bye");
	assert_int_equal(client.why.status, WEFT_OK);
	assert_int_equal(server.why.status, WEFT_OK);
	close_world();
}

static void server_may_end_first(void **state)
{
	begin(state);
	say(&server, "bye");
	weft_stream_finish(server.stream);
	turns_until(&client.ended);
	assert_string_equal(client.got, "bye");
	assert_false(server.ended);
	say(&client, "more");
	wait_for(&server, "MORE");
	weft_stream_finish(client.stream);
	turns_until(&server.closed);
	turns_until(&client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_int_equal(server.why.status, WEFT_OK);
	close_world();
}

static size_t bulk(void)
{
	return carrier->fragment ? (size_t)BULK / 64 : BULK;
}

static void who_takes_nothing_stops_the_client(void **state)
{
	begin(state);
	server.hold = true;
	client.to_write = bulk();
	client.finish = true;
	end_write(client.stream, &client);
	turns_until_still(&client.written);
	if (!carrier->fragment)
		assert_in_range(client.written, 1, HELD_MAX);
	assert_false(server.ended);
	server.hold = false;
	weft_stream_resume(server.stream);
	turns_until(&server.ended);
	assert_int_equal(server.len, bulk());
	assert_int_equal(server.sum, sum_of(bulk(), true));
	weft_stream_finish(server.stream);
	turns_until(&client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	close_world();
}

static void who_takes_nothing_stops_the_server(void **state)
{
	begin(state);
	client.hold = true;
	server.to_write = bulk();
	server.finish = true;
	end_write(server.stream, &server);
	turns_until_still(&server.written);
	if (!carrier->fragment)
		assert_in_range(server.written, 1, HELD_MAX);
	assert_false(client.ended);
	client.hold = false;
	weft_stream_resume(client.stream);
	turns_until(&client.ended);
	assert_int_equal(client.len, bulk());
	assert_int_equal(client.sum, sum_of(bulk(), false));
	weft_stream_finish(client.stream);
	turns_until(&server.closed);
	assert_int_equal(server.why.status, WEFT_OK);
	close_world();
}

static void client_resets(void **state)
{
	begin(state);
	say(&client, "hello");
	wait_for(&server, "HELLO");
	weft_stream_close(client.stream);
	turns_until(&client.closed);
	if (!is_h2()) { /* where a client that gives up closes in order */
		turns_until(&server.ended);
		weft_stream_finish(server.stream);
		turns_until(&server.closed);
		assert_int_equal(server.why.status, WEFT_OK);
	} else {
		turns_until(&server.closed);
		assert_int_equal(server.why.status, WEFT_ERR_RESET);
		assert_false(server.ended);
	}
	close_world();
}

/* The connection under an upgraded one breaks. */
static void carrier_is_lost(void **state)
{
	static const char request[] =
		"GET /x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\nhello";
	const struct weft_segment seg = weft_segment_borrowed(request, sizeof(request) - 1);
	struct weft_transport *ends[2];
	size_t taken;

	open_world(*state, NULL);
	assert_int_equal(weft_transport_memory_pair(ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(vh, "http", ends[0], NULL), WEFT_OK);
	assert_int_equal(ends[1]->ops->write(ends[1], &seg, 1, &taken, NULL), WEFT_OK);
	wait_for(&server, "HELLO");
	ends[1]->ops->abort(ends[1]);
	weft_transport_destroy(ends[1]);
	turns_until(&server.closed);
	assert_int_equal(server.why.status, WEFT_ERR_RESET);
	assert_false(server.ended);
	close_world();
}

static void server_gives_up(void **state)
{
	begin(state);
	say(&client, "hello");
	wait_for(&server, "HELLO");
	weft_stream_close(server.stream);
	turns_until(&server.closed);
	turns_until(&client.ended);
	weft_stream_finish(client.stream);
	turns_until(&client.closed);
	close_world();
}

static void context_goes_with_a_tunnel_in_it(void **state)
{
	begin(state);
	say(&client, "hello");
	wait_for(&server, "HELLO");
	weft_context_destroy(ctx, 0, NULL, NULL);
	assert_true(server.closed);
	assert_true(client.closed);
	assert_int_not_equal(server.why.status, WEFT_OK);
}

static void draining_waits_for_the_role(void **state)
{
	begin(state);
	weft_vhost_destroy(vh);
	vh = NULL;
	for (unsigned i = 0; i < 20; i++)
		turn();
	say(&client, "hello");
	wait_for(&server, "HELLO");
	weft_stream_finish(client.stream);
	turns_until(&server.ended);
	weft_stream_finish(server.stream);
	turns_until(&client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	close_world();
}

static void expect_refusal(const char *path, const char *upgrade, unsigned status, const char *text)
{
	struct end e = { .closed = false };

	assert_int_equal(ask(path, upgrade, &e), WEFT_OK);
	turns_until(&e.closed);
	assert_int_equal(e.status, status);
	if (!strstr(e.got, text))
		fail_msg("\"%s\" says nothing of \"%s\"", e.got, text);
	assert_null(server.stream);
}

static void who_does_not_ask_is_told_how(void **state)
{
	bool h2;

	open_world(*state, NULL);
	h2 = is_h2();
	expect_refusal("/x", NULL, h2 ? 400 : 426, "shout");
	expect_refusal("/x", "whisper", h2 ? 501 : 426, "shout");
	expect_refusal("/plain", "shout", h2 ? 501 : 200, h2 ? "" : "fine");
	close_world();
}

static void routes_of_roles_that_cannot_are_refused(void **state)
{
	static const struct {
		const char *role, *text;
		enum weft_status status;
	} bad[] = {
		{ "nonsense", "no role plugin \"nonsense\"; there are:", WEFT_ERR_NOT_FOUND },
#ifdef WEFT_HAVE_ROLE_RAW
		{ "raw", "it has no token", WEFT_ERR_ARGUMENT },
#endif
	};
	struct weft_route wrong[2] = { { .path = "/x", .on_request = begun } };
	const struct weft_vhost_options v = { .name = "other", .routes = wrong };
	struct weft_vhost *made;
	struct weft_error err;

	open_world(*state, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		wrong[0].role = bad[i].role;
		assert_int_equal(weft_vhost_create(ctx, &v, &made, &err), bad[i].status);
		assert_non_null(strstr(err.text, bad[i].text));
		assert_non_null(strstr(err.text, "vhost other"));
	}
	close_world();
}

/* ---- without memory ---- */

static size_t left; /* allocations until the one that fails */

static void *failing(void *user, void *ptr, size_t old_len, size_t new_len)
{
	const struct weft_allocator *system = &weft_allocator_system;

	(void)user;
	if (new_len > old_len && left && !--left)
		return NULL;
	return system->resize(system->user, ptr, old_len, new_len);
}

/* Whatever allocation fails: what was begun ends, and nothing is left. */
static void any_allocation_may_fail(void **state)
{
	const struct weft_allocator alloc = { .resize = failing };
	bool reached = true;

	for (size_t n = 1; reached; n++) {
		left = n;
		open_world(*state, &alloc);
		if (vh && ask("/x", "shout", &client) == WEFT_OK) {
			bool said = false;

			for (unsigned i = 0; i < 400 && !client.closed; i++) {
				assert_true(weft_context_turn(ctx, 0) >= 0);
				if (!said && server.stream && client.stream && client.status) {
					said = true;
					(void)weft_stream_write(client.stream, "hello", 5);
					weft_stream_finish(client.stream);
				}
				if (server.stream && server.ended)
					weft_stream_finish(server.stream);
			}
		}
		reached = !left;
		left = 0;
		weft_context_destroy(ctx, 0, NULL, NULL);
		assert_true(n < 100000);
	}
	assert_true(client.closed);
	assert_int_equal(client.why.status, WEFT_OK);
	assert_string_equal(server.got, "HELLO");
}

#define BY(carrier, test, at)                                                       \
	{                                                                           \
#test ", " carrier, test, NULL, NULL, (void *)(uintptr_t)&whole[at] \
	}
#ifdef WEFT_HAVE_ROLE_H2
#define EACH(test) \
	BY("h1", test, 0), BY("h2", test, 1), BY("h1 in bytes", test, 2), BY("h2 in bytes", test, 3)
#else
#define EACH(test) BY("h1", test, 0), BY("h1 in bytes", test, 2)
#endif

static const struct carrier whole[] = {
	{ { "http/1.1" }, 0 },
	{ { "h2" }, 0 },
	{ { "http/1.1" }, 1 },
	{ { "h2" }, 1 },
};

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(both_directions_and_their_ends),
		EACH(server_may_end_first),
		EACH(who_takes_nothing_stops_the_client),
		EACH(who_takes_nothing_stops_the_server),
		EACH(client_resets),
		EACH(carrier_is_lost),
		EACH(server_gives_up),
		EACH(context_goes_with_a_tunnel_in_it),
		EACH(draining_waits_for_the_role),
		EACH(who_does_not_ask_is_told_how),
		EACH(routes_of_roles_that_cannot_are_refused),
		EACH(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
