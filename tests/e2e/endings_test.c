/* SPDX-License-Identifier: MIT */
/*
 * The table of endings: every way in which a server may end an exchange or a connection, at every point of an
 * exchange, over HTTP/1.1 and HTTP/2. No stream is lost, hung, doubled or given another's bytes, and what may be
 * asked again is, by DESIGN 5's law 5. The table is printed.
 */
#include <stdio.h>
#include <string.h>

#ifdef WEFT_HAVE_ROLE_H2
#include "tests/support/certs.h"
#include "tests/support/ender.h"

enum { FIRST = 4, ASKS = 6, QUIET_MS = 200 };
enum verdict { WELL, BADLY, EITHER };

static const char *const ways[ENDER_WAYS] = {
	[ENDER_CLEAN] = "all is answered",
	[ENDER_FIN] = "FIN (TLS: close_notify)",
	[ENDER_CUT] = "TLS: no close_notify",
	[ENDER_RST] = "TCP's RST",
	[ENDER_REFUSED] = "RST_STREAM REFUSED",
	[ENDER_CANCEL] = "RST_STREAM CANCEL",
	[ENDER_INTERNAL] = "RST_STREAM INTERNAL",
	[ENDER_HTTP_1_1] = "HTTP_1_1_REQUIRED",
	[ENDER_GOAWAY_BELOW] = "GOAWAY below",
	[ENDER_GOAWAY_AT] = "GOAWAY at",
	[ENDER_GOAWAY_ABOVE] = "GOAWAY above",
	[ENDER_GOAWAY_TWICE] = "GOAWAY twice",
	[ENDER_MALFORMED] = "malformed",
	[ENDER_SILENCE] = "silence",
	[ENDER_CLOSE] = "Connection: close",
	[ENDER_UNASKED] = "408 unasked",
	[ENDER_FEWER] = "1 stream at once",
	[ENDER_NONE] = "0 streams at once",
};

static const char *const points[ENDER_POINTS] = { "accepted", "before", "half sent", "asked",
	"in the head", "in the body", "idle" };

static struct ender ender;
static struct duo duo;
static struct ask asks[ASKS];
static bool first_posts;
static char cell[48];

/* ---- what does not exist ---- */

static const char *const legend =
	"  a: no stream is open to be reset      b: HTTP/2 only            c: HTTP/1.1 only\n"
	"  d: nothing may come within a head     e: over TLS only          f: belongs to an "
	"answer\n"
	"  g: in the clear HTTP/1.1 sends the request as soon as it is connected\n"
	"  h: it would pass for the answer       i: within a body of known length anything is the "
	"body\n";

static bool is_reset(enum ender_way way)
{
	return way >= ENDER_REFUSED && way <= ENDER_HTTP_1_1;
}

static bool is_frame(enum ender_way way)
{
	return is_reset(way) || way == ENDER_FEWER || way == ENDER_NONE ||
	       (way >= ENDER_GOAWAY_BELOW && way <= ENDER_GOAWAY_TWICE);
}

/* '\0': it applies. */
static char why_not(enum ender_way way, enum ender_point point)
{
	if (is_frame(way) && !ender.h2)
		return 'b';
	if (is_frame(way) && point == ENDER_HEAD)
		return 'd';
	if (is_reset(way) && (point < ENDER_HALF || point == ENDER_IDLE))
		return 'a';
	if (way == ENDER_CUT && !ender.tls)
		return 'e';
	if (way == ENDER_CLOSE && point != ENDER_ASKED)
		return 'f';
	if (way == ENDER_UNASKED && ender.h2)
		return 'c';
	if (way == ENDER_UNASKED && point != ENDER_IDLE && !(ender.tls && point < ENDER_HALF))
		return 'h';
	if (way == ENDER_MALFORMED && point == ENDER_BODY && !ender.h2)
		return 'i';
	if (point == ENDER_BEFORE && !ender.h2 && !ender.tls)
		return 'g';
	return '\0';
}

/* ---- what must come of it: law 5 ---- */

/* Nobody is harmed by these. */
static bool is_kind(enum ender_way way)
{
	return way == ENDER_CLEAN || way == ENDER_FEWER || way == ENDER_NONE ||
	       (way >= ENDER_GOAWAY_AT && way <= ENDER_GOAWAY_TWICE) ||
	       (way == ENDER_CLOSE && !ender.h2);
}

/* The request is out, and no answer: it may be repeated where that does no harm. */
static enum verdict unknown(bool post)
{
	return post ? BADLY : WELL;
}

static enum verdict of_first(bool post)
{
	enum ender_way way = ender.way;

	switch (ender.point) {
	case ENDER_HALF: /* its body cannot be had again */
		return BADLY;
	case ENDER_ASKED:
		if (way == ENDER_REFUSED || way == ENDER_GOAWAY_BELOW)
			return WELL;
		if (is_reset(way) || way == ENDER_CLOSE || (way == ENDER_MALFORMED && !ender.h2))
			return BADLY;
		return unknown(post);
	case ENDER_HEAD:
		/* a reset may overtake what was sent before it */
		return way == ENDER_RST && !post ? EITHER : BADLY;
	default:
		return way == ENDER_RST && !post ? EITHER : BADLY;
	}
}

/* Times are the application's, and final for whom they run out: nothing says that another try would be quicker. */
static enum verdict of_silence(unsigned i)
{
	bool first = !i, plain_h1 = !ender.h2 && !ender.tls;

	if (ender.point == ENDER_IDLE) {
		if (i < FIRST)
			return WELL;
		return ender.h2 ? BADLY : EITHER;
	}
	if (ender.point == ENDER_ACCEPTED)
		return first && plain_h1 ? BADLY : WELL;
	if (ender.point == ENDER_BEFORE)
		return WELL;
	/* a head that stops may be the connection's fault before it is the others' */
	if (!first && ender.h2 && ender.point == ENDER_HEAD)
		return EITHER;
	return first || ender.h2 ? BADLY : WELL;
}

static enum verdict expected(unsigned i)
{
	bool post = i ? i == 2 || i == 5 : first_posts;
	enum ender_way way = ender.way;

	if (is_kind(way))
		return WELL;
	if (way == ENDER_SILENCE)
		return of_silence(i);
	if (ender.point == ENDER_IDLE)
		return WELL;
	if (ender.point == ENDER_ACCEPTED && !ender.h2 && !ender.tls && !i)
		return way == ENDER_MALFORMED ? EITHER : post ? EITHER : WELL;
	if (ender.point <= ENDER_BEFORE)
		return WELL;
	if (!i)
		return of_first(post);
	/* others: bound to the same connection over HTTP/2 only */
	if (!ender.h2 || is_reset(way) || way == ENDER_GOAWAY_BELOW)
		return WELL;
	return unknown(post);
}

/* ---- a cell ---- */

static void open_ask(unsigned i)
{
	static const char *const names[][2] = { { "http/1.1", NULL }, { "h2", NULL } };
	bool post = i ? i == 2 || i == 5 : first_posts;
	bool later = !i && ender.point == ENDER_HALF;
	struct weft_request r = { .stream.alpn = names[ender.h2] };

	if (ender.way == ENDER_SILENCE) {
		r.header_ms = r.idle_ms = QUIET_MS;
		/* a busy machine must get to the point of the others */
		if (ender.point <= ENDER_BEFORE)
			r.stream.handshake_ms = QUIET_MS;
	}
	r.body_later = later;
	r.body_later_len = later ? 32 : 0;
	ask_open(&asks[i], &duo, 10 + i, post, &r);
	if (later) {
		memcpy(asks[0].body, "0123456789abcdef0123456789abcde", 32);
		assert_int_equal(weft_stream_write(asks[0].stream, asks[0].body, 16), 16);
	}
}

static bool closed(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!asks[i].closed)
			return false;
	}
	return true;
}

static void run(unsigned count)
{
	bool second = ender.point == ENDER_HALF;

	for (unsigned i = 0; i < DUO_TURNS && !closed(count); i++) {
		duo_turn(&duo);
		ender_turn(&ender);
		if (!second || !(ender.struck || i > 2000) || !asks[0].stream)
			continue;
		second = false;
		(void)weft_stream_write(asks[0].stream, asks[0].body + 16, 15);
		(void)weft_stream_write(asks[0].stream, "\n", 1);
		asks[0].body[31] = '\n';
		weft_stream_finish(asks[0].stream);
	}
	if (!closed(count))
		fail_msg("%s: a stream hangs", cell);
}

static void check(unsigned i)
{
	const struct ask *a = &asks[i];
	enum verdict want = expected(i);
	bool post = i ? i == 2 || i == 5 : first_posts;
	char digest[17];

	assert_int_equal(a->closes, 1);
	ask_digest(a->id, a->body, post && ender.point == ENDER_HALF && !i ? 32 : strlen(a->body),
		digest);
	if (want == WELL && a->why.status)
		fail_msg("%s: request %u failed: %s", cell, i, a->why.text);
	if (want == BADLY && !a->why.status)
		fail_msg("%s: request %u succeeded", cell, i);
	if (!a->why.status) {
		assert_int_equal(a->status, 200);
		assert_int_equal(a->got_len, 16);
		assert_memory_equal(a->got, digest, 16);
	} else {
		assert_memory_equal(a->got, digest, a->got_len);
		assert_true(a->why.text[0]);
	}
	/* POSTs are never asked twice of anybody who may have acted on them; others once more at most */
	if (ender_count(&ender, a->id) > (post ? 1 : 2))
		fail_msg("%s: request %u came %u times", cell, i, ender_count(&ender, a->id));
}

static void open_world(void)
{
	static const struct test_cert *ca;
	const struct weft_context_options o = { .event = duo_combo.event,
		.tls = duo_combo.client_tls ? duo_combo.client_tls : "none" };
	struct weft_error err;

	memset(asks, 0, sizeof(asks));
	memset(&duo, 0, sizeof(duo));
	ender.expected = FIRST - (ender.point == ENDER_HALF);
	ender_open(&ender);
	if (weft_context_create(&o, &duo.client, &err))
		fail_msg("context: %s", err.text);
	ca = test_certs_ca();
	if (ender.tls)
		duo.trust = (struct weft_trust){ .ca = { (const unsigned char *)ca->cert,
							 ca->cert_len } };
	snprintf(duo.base, sizeof(duo.base), "%s://127.0.0.1:%u", ender.tls ? "https" : "http",
		ender.port);
}

static void one(bool h2, enum ender_way way, enum ender_point point, bool post)
{
	unsigned well = 0, count = point == ENDER_IDLE ? ASKS : FIRST;
	struct weft_counters c;

	memset(&ender, 0, sizeof(ender));
	ender.h2 = h2;
	ender.tls = duo_combo.client_tls != NULL;
	ender.way = way;
	ender.point = point;
	first_posts = post;
	snprintf(cell, sizeof(cell), "%.22s, %s, %s", ways[way], points[point], h2 ? "h2" : "h1");
	open_world();
	for (unsigned i = 0; i < FIRST; i++)
		open_ask(i);
	run(FIRST);
	if (point == ENDER_IDLE) {
		ender.idle = true;
		for (unsigned i = 0; i < 10 && !ender.struck; i++)
			ender_turn(&ender);
		for (unsigned i = FIRST; i < ASKS; i++)
			open_ask(i);
		run(ASKS);
	}
	assert_true(ender.struck);
	for (unsigned i = 0; i < count; i++) {
		check(i);
		well += !asks[i].why.status;
	}
	c = duo_client_counts(&duo);
	assert_int_equal(c.streams_ok, well);
	assert_int_equal(c.streams_now, 0);
	if (way == ENDER_REFUSED && point == ENDER_ASKED)
		assert_int_equal(c.streams_retried, 1);
	if (is_kind(way) && way != ENDER_GOAWAY_AT && way != ENDER_GOAWAY_TWICE)
		assert_int_equal(c.streams_retried, 0);
	/* nobody connects more often than there is a reason for */
	assert_true(ender.count <= 2);
	snprintf(cell, sizeof(cell), "%u-%u r%u c%u", well, count - well,
		(unsigned)c.streams_retried, ender.count);
	duo_close(&duo);
	ender_close(&ender);
}

static void table(bool h2)
{
	bool tls = duo_combo.client_tls != NULL;

	printf("HTTP/%s, %s: requests that went well - did not, retries, connections; the first "
	       "one "
	       "a GET / a POST\n%-24s",
		h2 ? "2" : "1.1", tls ? duo_combo.client_tls : "in the clear", "");
	for (int p = 0; p < ENDER_POINTS; p++)
		printf("| %-21s", points[p]);
	printf("\n");
	for (int w = 0; w < ENDER_WAYS; w++) {
		printf("%-24s", ways[w]);
		for (int p = 0; p < ENDER_POINTS; p++) {
			char reason;

			ender.h2 = h2;
			ender.tls = tls;
			reason = why_not((enum ender_way)w, (enum ender_point)p);
			if (reason) {
				printf("| %-21c", reason);
				continue;
			}
			if (p == ENDER_HALF) { /* only a request with a body is ever half sent */
				cell[0] = '\0';
			} else {
				one(h2, (enum ender_way)w, (enum ender_point)p, false);
			}
			printf("| %-9s ", cell[0] ? cell : "-");
			one(h2, (enum ender_way)w, (enum ender_point)p, true);
			printf("%-10s", cell);
			fflush(stdout);
		}
		printf("\n");
	}
	printf("%s\n", legend);
}

static void no_ending_of_http_1_1_strands_a_request(void **state)
{
	(void)state;
	table(false);
}

static void no_ending_of_http_2_strands_a_request(void **state)
{
	(void)state;
	table(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_ending_of_http_1_1_strands_a_request),
		cmocka_unit_test(no_ending_of_http_2_strands_a_request),
	};

	return duo_main("endings", tests, sizeof(tests) / sizeof(*tests), DUO_FEWER);
}
#else
int main(void)
{
	return 77;
}
#endif
