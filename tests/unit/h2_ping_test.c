/* SPDX-License-Identifier: MIT */
/* A client that waits asks whether the server lives, by PING; one that does not answer is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/context.h"
#include "weft/http.h"
#include "weft/plugin/transport.h"

#ifdef WEFT_HAVE_ROLE_H2
enum { HEAD = 9, PING = 6, PING_MS = 30, TURNS_MAX = 3000, ROOM = 65536 };

static struct {
	struct weft_context *ctx;
	struct weft_transport *end;
	unsigned char got[ROOM];
	size_t len;
	bool over;
} peer;

static struct {
	bool closed;
	struct weft_error why;
} seen;

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	seen.closed = true;
	seen.why = *why;
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void say(const void *bytes, size_t len)
{
	struct weft_segment seg = weft_segment_static(bytes, len);
	struct weft_error err;
	size_t taken = 0;

	assert_true(peer.end->ops->write(peer.end, &seg, 1, &taken, &err) >= 0);
	assert_int_equal(taken, len);
}

static void turn(void)
{
	struct weft_span got = { NULL, 0 };
	struct weft_error err;
	enum weft_status st;

	assert_true(weft_context_turn(peer.ctx, 2) >= 0);
	while (!peer.over && (st = peer.end->ops->read(peer.end, &got, &err)) != WEFT_AGAIN) {
		peer.over = st != WEFT_OK;
		if (peer.over)
			break;
		assert_true(peer.len + got.len <= ROOM);
		memcpy(peer.got + peer.len, got.ptr, got.len);
		peer.len += got.len;
	}
}

/* The nth PING that came, counted from 0; NULL: it did not. */
static const unsigned char *ping(unsigned n)
{
	static const size_t preface = 24;
	const unsigned char *f;

	for (size_t at = preface; at + HEAD <= peer.len;) {
		f = peer.got + at;
		if (f[3] == PING && !(f[4] & 1) && !n--)
			return f;
		at += HEAD + ((size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2]);
	}
	return NULL;
}

static void begin(uint32_t ping_ms)
{
	static const struct weft_stream_ops ops = { .on_close = on_close };
	static const struct weft_transport_owner owner = { .ready = ready };
	static const char *const alpn[] = { "h2", NULL };
	static const unsigned char settings[HEAD] = { 0, 0, 0, 4 };
	const struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = no_log, .ping_ms = ping_ms, .linger_ms = 1
	};
	struct weft_request r = { .url = "http://a/", .stream.alpn = alpn };
	struct weft_transport *ends[2];
	struct weft_stream *s;
	struct weft_error err;

	memset(&peer, 0, sizeof(peer));
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(weft_context_create(&o, &peer.ctx, &err), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(peer.ctx, ROOM, ends, &err), WEFT_OK);
	peer.end = ends[1];
	r.stream.transport = ends[0];
	assert_int_equal(peer.end->ops->start(peer.end, &owner, &err), WEFT_OK);
	assert_int_equal(weft_http_open(peer.ctx, &r, &ops, NULL, &s, &err), WEFT_OK);
	say(settings, sizeof(settings));
}

static void end(void)
{
	weft_transport_destroy(peer.end);
	weft_context_destroy(peer.ctx, 0, NULL, NULL);
}

static void who_does_not_answer_is_given_up(void **state)
{
	(void)state;
	begin(PING_MS);
	for (unsigned i = 0; i < TURNS_MAX && !seen.closed; i++)
		turn();
	assert_true(seen.closed);
	assert_non_null(ping(0));
	assert_null(ping(1));
	assert_int_equal(seen.why.status, WEFT_ERR_TIMEOUT);
	assert_non_null(strstr(seen.why.text, "did not answer a PING"));
	end();
}

static void who_answers_may_take_its_time(void **state)
{
	unsigned char pong[HEAD + 8];
	unsigned answered = 0;

	(void)state;
	begin(PING_MS);
	for (unsigned i = 0; i < TURNS_MAX && answered < 4; i++) {
		turn();
		assert_false(seen.closed);
		if (!ping(answered))
			continue;
		memcpy(pong, ping(answered), sizeof(pong));
		pong[4] |= 1;
		say(pong, sizeof(pong));
		answered++;
	}
	assert_int_equal(answered, 4);
	end();
}

static void nobody_asks_who_is_told_not_to(void **state)
{
	(void)state;
	begin(UINT32_MAX);
	for (unsigned i = 0; i < 100; i++)
		turn();
	assert_false(seen.closed);
	assert_null(ping(0));
	end();
}
#endif

int main(void)
{
#ifdef WEFT_HAVE_ROLE_H2
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_answer_is_given_up),
		cmocka_unit_test(who_answers_may_take_its_time),
		cmocka_unit_test(nobody_asks_who_is_told_not_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
#else
	return 0;
#endif
}
