/* SPDX-License-Identifier: MIT */
/*
 * Thousands of exchanges with a server that does as chance says: closes at any point, resets, says more than
 * it was asked, lies about keeping the connection, dawdles. Whatever happens, each stream ends exactly once,
 * with its own bytes or an error of its own. WEFT_TEST_SEED repeats one run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/duo.h"

enum { EXCHANGES = 600, AT_ONCE = 12, REQUEST_MAX = 2048 };

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice_state >> 33) % sides;
}

/* ---- the server ---- */

/* What it does with one request; most often nothing but answer. */
enum mischief {
	HONEST,
	CLOSE_UNREAD, /* without a byte */
	RESET_UNREAD, /* the same with a reset */
	CLOSE_IN_HEAD,
	CLOSE_IN_BODY,
	RESET_IN_BODY,
	CLOSE_AFTER, /* unannounced */
	RESET_AFTER,
	SAY_CLOSE,      /* and do it */
	SAY_CLOSE_STAY, /* a lie: it stays */
	EXTRA_BYTES,    /* a second answer behind the first */
	GARBAGE,
	CHUNKED,
	INTERIM, /* a 103 before the answer */
	MISCHIEFS,
};

struct line {
	struct weft_stream *stream;
	char in[REQUEST_MAX];
	size_t in_len;
	char out[1024]; /* to be said, perhaps in pieces */
	size_t out_len, out_at;
	bool answering, then_close, then_reset, slow;
	bool over; /* it ends, or has ended, its direction */
	bool fin;  /* the client has */
};

static unsigned done_of[MISCHIEFS], served;

/* Whether a whole request is there: its id, body and end. */
static bool request(struct line *l, unsigned *id, char digest[17])
{
	char *end = strstr(l->in, "\r\n\r\n"), *field;
	size_t len = 0, head;

	if (!end)
		return false;
	head = (size_t)(end + 4 - l->in);
	*end = '\0';
	field = strstr(l->in, "\r\ncontent-length: ");
	if (field)
		len = strtoul(field + 18, NULL, 10);
	*id = (unsigned)strtoul(strstr(l->in, "/digest/") + 8, NULL, 10);
	*end = '\r';
	if (head + len > l->in_len)
		return false;
	ask_digest(*id, l->in + head, len, digest);
	l->in_len -= head + len;
	memmove(l->in, l->in + head + len, l->in_len + 1);
	return true;
}

static void compose(struct line *l, enum mischief m, const char *digest)
{
	const char *close = m == SAY_CLOSE || m == SAY_CLOSE_STAY ? "Connection: close\r\n" : "";
	size_t head;
	int n;

	if (m == GARBAGE)
		n = snprintf(l->out, sizeof(l->out), "SMTP 220 ready\r\n\r\n");
	else if (m == CHUNKED)
		n = snprintf(l->out, sizeof(l->out),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
			"chunked\r\n\r\n5\r\n%.5s\r\nb\r\n%s\r\n"
			"0\r\n\r\n",
			digest, digest + 5);
	else
		n = snprintf(l->out, sizeof(l->out),
			"%sHTTP/1.1 200 OK\r\n%sContent-Length: 16\r\n\r\n%s%s",
			m == INTERIM ? "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" : "", close,
			digest,
			m == EXTRA_BYTES
				? "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nthis is nobody's"
				: "");
	l->out_len = (size_t)n;
	head = (size_t)(strstr(l->out, "\r\n\r\n") + 4 - l->out);
	if (m == CLOSE_UNREAD || m == RESET_UNREAD)
		l->out_len = 0;
	else if (m == CLOSE_IN_HEAD)
		l->out_len = 1 + dice((uint32_t)head - 1);
	else if (m == CLOSE_IN_BODY || m == RESET_IN_BODY)
		l->out_len = head + dice(16);
	l->then_close = m == CLOSE_UNREAD || m == CLOSE_IN_HEAD || m == CLOSE_IN_BODY ||
			m == CLOSE_AFTER || m == SAY_CLOSE || m == GARBAGE;
	l->then_reset = m == RESET_UNREAD || m == RESET_IN_BODY || m == RESET_AFTER;
}

static void begin_answer(struct line *l)
{
	enum mischief m = dice(3) ? HONEST : (enum mischief)dice(MISCHIEFS);
	char digest[17];
	unsigned id;

	if (l->answering || !request(l, &id, digest))
		return;
	done_of[m]++;
	served++;
	l->answering = true;
	l->out_at = 0;
	/* what comes later than an answer cannot be told from the next one's: the two go together */
	l->slow = m != EXTRA_BYTES && !dice(4);
	compose(l, m, digest);
}

enum { LINES = 64 };
static struct line *lines[LINES];

static void forget(struct line *l)
{
	for (size_t i = 0; i < LINES; i++) {
		if (lines[i] == l)
			lines[i] = NULL;
	}
	free(l);
}

/* What was said is out. raw resets a connection whose stream leaves something unsent. */
static void reset(struct line *l)
{
	struct weft_stream *s = l->stream;

	assert_int_equal(weft_stream_write(s, "x", 1), 1);
	weft_stream_set_ops(s, NULL, NULL);
	weft_stream_close(s);
	forget(l);
}

static void end_line(struct line *l)
{
	l->over = true;
	weft_stream_finish(l->stream);
}

/* One piece of the answer; at its end, what is to follow. */
static void go_on(struct line *l)
{
	size_t n;

	if (l->over)
		return;
	if (l->answering && l->then_reset && l->out_at == l->out_len) {
		reset(l);
		return;
	}
	begin_answer(l);
	if (!l->answering)
		return;
	n = l->out_len - l->out_at;
	if (l->slow && n > 1)
		n = 1 + dice((uint32_t)n);
	assert_int_equal(weft_stream_write(l->stream, l->out + l->out_at, n), n);
	l->out_at += n;
	if (l->out_at < l->out_len)
		return;
	if (!l->then_reset) /* else from here, once this is out */
		l->answering = false;
	if (l->then_close || (l->fin && !l->answering))
		end_line(l);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct line *l = user;

	(void)s;
	if (l->over)
		return len;
	assert_true(l->in_len + len < REQUEST_MAX);
	memcpy(l->in + l->in_len, bytes, len);
	l->in_len += len;
	l->in[l->in_len] = '\0';
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	struct line *l = user;

	(void)s;
	l->fin = true;
	if (!l->answering && !l->over)
		end_line(l);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	forget(user);
}

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = on_data,
		.on_end = on_end,
		.on_close = on_close,
	};
	struct line *l = calloc(1, sizeof(*l));
	size_t i = 0;

	(void)user;
	assert_non_null(l);
	while (i < LINES && lines[i])
		i++;
	assert_true(i < LINES);
	lines[i] = l;
	l->stream = s;
	weft_stream_set_ops(s, &ops, l);
	return WEFT_OK;
}

static void serve(void)
{
	for (size_t i = 0; i < LINES; i++) {
		struct line *l = lines[i];

		if (!l)
			continue;
		if (l->answering || l->in_len)
			go_on(l);
	}
}

/* ---- the client ---- */

static struct ask asks[AT_ONCE];
static bool posts[AT_ONCE];
static unsigned opened, good, failed;

/* A failure must be one that this server can have caused. */
static void check(const struct ask *a)
{
	assert_int_equal(a->closes, 1);
	if (a->why.status == WEFT_OK) {
		ask_check(a);
		good++;
		return;
	}
	failed++;
	switch (a->why.status) {
	case WEFT_ERR_RESET:
	case WEFT_ERR_TRUNCATED:
	case WEFT_ERR_PROTOCOL:
	case WEFT_ERR_CANCELLED:
		break;
	default:
		fail_msg("request %u: %s: %s", a->id, weft_status_name(a->why.status), a->why.text);
	}
	assert_true(a->why.text[0]);
	/* nobody else's bytes, even then */
	if (a->got_len) {
		char want[17];

		ask_digest(a->id, a->body, strlen(a->body), want);
		assert_true(a->got_len <= 16);
		assert_memory_equal(a->got, want, a->got_len);
	}
}

static void open_some(struct duo *d)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct ask *a = &asks[i];

		if (a->closed) {
			check(a);
			a->closed = false;
		}
		if (a->stream || opened == EXCHANGES || dice(3))
			continue;
		memset(a, 0, sizeof(*a));
		a->close_in_head = !dice(40);
		a->close_in_data = !dice(40);
		posts[i] = !dice(3);
		ask_open(a, d, opened++, posts[i], NULL);
	}
}

static bool anything_open(void)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		if (asks[i].stream || asks[i].closed)
			return true;
	}
	return false;
}

static void play(unsigned max_conns, uint64_t seed)
{
	const struct weft_route routes[] = { { .prefix = "", .on_request = on_request },
		{ .prefix = NULL } };
	const struct weft_vhost_options v = { .name = "localhost", .routes = routes };
	const struct weft_context_options o = { .max_conns = max_conns, .retry_percent = 1000 };
	struct weft_counters c;
	struct duo d;

	dice_state = seed;
	memset(asks, 0, sizeof(asks));
	memset(done_of, 0, sizeof(done_of));
	opened = good = failed = served = 0;
	duo_open(&d, NULL, &o, &v, true);
	for (unsigned i = 0; i < 100 * DUO_TURNS && (opened < EXCHANGES || anything_open()); i++) {
		open_some(&d);
		duo_turn(&d);
		serve();
	}
	c = duo_client_counts(&d);
	printf("seed %llu, %u connections: %u good, %u failed, %llu tried again, %llu connections, "
	       "%llu stale\n",
		(unsigned long long)seed, max_conns, good, failed,
		(unsigned long long)c.streams_retried, (unsigned long long)c.conns_opened,
		(unsigned long long)c.conns_stale);
	assert_int_equal(good + failed, EXCHANGES);
	assert_int_equal(c.streams_opened, EXCHANGES);
	assert_int_equal(c.streams_ok + c.streams_failed, EXCHANGES);
	assert_int_equal(c.streams_now, 0);
	assert_true(good > EXCHANGES / 2 && failed > 0);
	for (unsigned m = 0; m < MISCHIEFS; m++)
		assert_true(done_of[m] > 0);
	assert_true(c.conns_reused > 0 && c.streams_retried > 0);
	duo_close(&d);
}

static uint64_t seed_of(uint64_t otherwise)
{
	const char *given = getenv("WEFT_TEST_SEED");

	return given ? strtoull(given, NULL, 10) : otherwise;
}

static void each_stream_ends_once_on_one_connection(void **state)
{
	(void)state;
	play(1, seed_of(1));
	play(1, seed_of((uint64_t)time(NULL)));
}

static void each_stream_ends_once_on_several_connections(void **state)
{
	(void)state;
	play(4, seed_of(2));
	play(4, seed_of((uint64_t)time(NULL) * 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stream_ends_once_on_one_connection),
		cmocka_unit_test(each_stream_ends_once_on_several_connections),
	};

	return duo_main("pool, at random", tests, sizeof(tests) / sizeof(*tests), DUO_PLAIN);
}
