/* SPDX-License-Identifier: MIT */
/*
 * A thousand peers that never stop and never get anywhere: heads, bodies and handshakes a byte at a time, and
 * readers who take a byte now and then. All are dropped, and whoever behaves is served meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/hurry.h"

enum {
	CROWD = 1000,
	FEW = 25,          /* with TLS, which the client has to pay for as well */
	FILES = 2600,      /* both ends of a thousand connections, and some */
	SHORT_MS = 1000,   /* each of the server's times */
	PACE_MS = 10,      /* from one byte, or chunk, to the next */
	LIMIT_S = 120,     /* within which all must be gone; a busy machine is slow */
	KEPT = 192 * 1024, /* what a context may keep at hand */
};

struct peer {
	int sock;
	struct weft_stream *stream; /* instead, in a client of ours: TLS */
	size_t got;                 /* bytes of the answer */
	char answer[16];            /* how it begins */
	bool over;
};

struct attack {
	const char *first, *more; /* said at once, and again and again */
	bool reads;               /* a byte at a time, instead of speaking */
	const char *answer; /* what the server says at the end; NULL: nothing is sure to arrive */
};

static const struct attack slow_head = {
	.first = "GET /digest/1 HTTP/1.1\r\nHost: a\r\nX-Slow: ",
	.more = "z",
	.answer = "HTTP/1.1 408 ",
};

static const struct attack slow_body = {
	.first = "POST /digest/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
	.more = "z",
	.answer = "HTTP/1.1 408 ",
};

static const struct attack slow_chunks = {
	.first = "POST /digest/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	.more = "1;much=said\r\nz\r\n",
	.answer = "HTTP/1.1 408 ",
};

static const struct attack slow_reader = {
	.first = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
	.reads = true,
};

/* a record of 512 bytes of handshake, and a ClientHello in it */
static const struct attack slow_handshake = {
	.first = "\x16\x03\x01\x02",
	.more = "\x01",
};

static struct peer peers[CROWD];

static bool enough_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return false;
	if (r.rlim_cur < FILES)
		r.rlim_cur = r.rlim_max < FILES ? r.rlim_max : (rlim_t)FILES;
	return r.rlim_cur >= FILES && setrlimit(RLIMIT_NOFILE, &r) == 0;
}

/* ---- peers by hand ---- */

static void dial(struct duo *d, struct peer *p, const struct attack *a)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int small = 4096, segment = 536;

	to.sin_port = htons((uint16_t)atoi(strrchr(d->base, ':') + 1));
	p->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->sock >= 0);
	if (a->reads) {
		/* or a thousand of the server's buffers would be filled in vain */
		setsockopt(p->sock, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(p->sock, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	}
	assert_int_equal(connect(p->sock, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(p->sock, a->first, strlen(a->first), MSG_NOSIGNAL), strlen(a->first));
}

static void hear(struct peer *p, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++, p->got++) {
		if (p->got < sizeof(p->answer) - 1)
			p->answer[p->got] = ((const char *)bytes)[i];
	}
}

/* One step of each; returns how many are left. */
static size_t poke_sockets(const struct attack *a, size_t count)
{
	static struct pollfd fds[CROWD];
	char bytes[512];
	size_t left = 0;
	ssize_t n;

	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){ .fd = peers[i].over ? -1 : peers[i].sock,
			.events = POLLRDHUP };
	assert_true(poll(fds, count, 0) >= 0);
	for (size_t i = 0; i < count; i++) {
		struct peer *p = &peers[i];

		if (p->over)
			continue;
		if (!a->reads)
			(void)!send(p->sock, a->more, strlen(a->more), MSG_NOSIGNAL | MSG_DONTWAIT);
		n = recv(p->sock, bytes, a->reads ? 1 : sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			hear(p, bytes, (size_t)n);
		/* what waits to be read is of no use to a reader once there was a reset */
		p->over = n == 0 || (n < 0 && errno != EAGAIN) ||
			  (fds[i].revents & (POLLERR | POLLHUP));
		left += !p->over;
		if (p->over)
			close(p->sock);
	}
	return left;
}

/* ---- peers within TLS: raw streams of a client of ours ---- */

static size_t stream_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	size_t n = strcmp(weft_stream_request(s)->target, "/reads") ? len : 1;

	hear(user, bytes, n);
	return n;
}

static void stream_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct peer *p = user;

	(void)s;
	(void)why;
	p->over = true;
	p->stream = NULL;
}

static void open_stream(struct duo *d, struct peer *p, const struct attack *a)
{
	static const struct weft_stream_ops ops = {
		.on_data = stream_data,
		.on_close = stream_closed,
	};
	struct weft_stream_options o = { .body = true, .body_len = -1, .trust = &d->trust };
	struct weft_error err;
	char url[128];

	snprintf(url, sizeof(url), "tls%s%s", strstr(d->base, "://"), a->reads ? "/reads" : "/");
	o.url = url;
	if (weft_stream_open(d->client, &o, &ops, p, &p->stream, &err))
		fail_msg("open %s: %s", url, err.text);
	assert_int_equal(
		weft_stream_write(p->stream, a->first, strlen(a->first)), strlen(a->first));
}

/* A reader hears of the end behind all that waits for it: the server tells at once. */
static size_t poke_streams(struct duo *d, const struct attack *a, size_t count)
{
	struct weft_counters c = duo_server_counts(d);
	bool gone = a->reads && c.conns_accepted > count && c.conns_now <= 1;
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (peers[i].over)
			continue;
		left++;
		if (gone)
			weft_stream_close(peers[i].stream);
		else if (a->reads)
			weft_stream_resume(peers[i].stream);
		else
			(void)weft_stream_write(peers[i].stream, a->more, strlen(a->more));
	}
	return left;
}

/* ---- the attack, and who is served meanwhile ---- */

struct guest {
	struct ask ask;
	unsigned served;
};

static void be_served(struct duo *d, struct guest *g)
{
	if (g->ask.closed) {
		ask_check(&g->ask);
		g->served++;
	}
	if (g->ask.closed || !g->ask.duo)
		ask_open(&g->ask, d, g->served, false, NULL);
}

static void check_end(struct duo *d, const struct attack *a, size_t count, uint64_t heap)
{
	double limit = hurry_seconds() + LIMIT_S;
	size_t answered = 0;

	assert_true(duo_server_counts(d).timeouts >= count);
	while (duo_server_counts(d).conns_now > 1 || duo_server_counts(d).heap_now > heap + KEPT) {
		duo_turn(d);
		assert_true(hurry_seconds() < limit);
	}
	for (size_t i = 0; i < count; i++)
		answered += a->answer && !strncmp(peers[i].answer, a->answer, strlen(a->answer));
	assert_int_equal(answered, a->answer ? count : 0);
}

static void attacked(const struct attack *a, size_t count, bool in_tls)
{
	struct guest guest = { .served = 0 };
	struct duo d;
	double limit = hurry_seconds() + LIMIT_S, next = 0;
	uint64_t heap;
	size_t left = count;

	if (!enough_files()) {
		print_message("skipped: no %d descriptors for this process\n", FILES);
		skip();
	}
	hurry_open(&d, SHORT_MS, 0);
	while (!guest.served) {
		be_served(&d, &guest);
		duo_turn(&d);
	}
	heap = duo_server_counts(&d).heap_now;
	memset(peers, 0, sizeof(peers));
	for (size_t i = 0; i < count; i++) {
		if (in_tls)
			open_stream(&d, &peers[i], a);
		else
			dial(&d, &peers[i], a);
		if (i % 8 == 0)
			duo_turn(&d);
	}
	while (left) {
		be_served(&d, &guest);
		duo_turn(&d);
		if (hurry_seconds() >= next) {
			left = in_tls ? poke_streams(&d, a, count) : poke_sockets(a, count);
			next = hurry_seconds() + PACE_MS / 1e3;
		}
		if (hurry_seconds() > limit)
			fail_msg("%zu of %zu are still there", left, count);
	}
	/* what was asked during the attack was answered */
	assert_true(guest.served > 1);
	duo_until(&d, guest.ask.closed);
	be_served(&d, &guest);
	duo_until(&d, guest.ask.closed);
	check_end(&d, a, count, heap);
	duo_close(&d);
}

static void heads_a_byte_at_a_time(void **state)
{
	(void)state;
	attacked(&slow_head, CROWD, false);
}

static void bodies_a_byte_at_a_time(void **state)
{
	(void)state;
	attacked(&slow_body, CROWD, false);
}

static void chunks_a_byte_at_a_time(void **state)
{
	(void)state;
	attacked(&slow_chunks, FEW, false);
}

static void readers_of_a_byte_at_a_time(void **state)
{
	(void)state;
	attacked(&slow_reader, CROWD, false);
}

static void handshakes_a_byte_at_a_time(void **state)
{
	(void)state;
	attacked(&slow_handshake, CROWD, false);
}

static void heads_a_byte_at_a_time_within_tls(void **state)
{
	(void)state;
	attacked(&slow_head, FEW, true);
}

static void bodies_a_byte_at_a_time_within_tls(void **state)
{
	(void)state;
	attacked(&slow_body, FEW, true);
}

static void readers_of_a_byte_at_a_time_within_tls(void **state)
{
	(void)state;
	attacked(&slow_reader, FEW, true);
}

int main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(heads_a_byte_at_a_time),
		cmocka_unit_test(bodies_a_byte_at_a_time),
		cmocka_unit_test(chunks_a_byte_at_a_time),
		cmocka_unit_test(readers_of_a_byte_at_a_time),
	};
	const struct CMUnitTest tls[] = {
		cmocka_unit_test(handshakes_a_byte_at_a_time),
		cmocka_unit_test(heads_a_byte_at_a_time_within_tls),
		cmocka_unit_test(bodies_a_byte_at_a_time_within_tls),
		cmocka_unit_test(readers_of_a_byte_at_a_time_within_tls),
	};

	return duo_main("slow peers", plain, sizeof(plain) / sizeof(*plain), DUO_PLAIN_WHOLE) +
	       duo_main("slow peers in TLS", tls, sizeof(tls) / sizeof(*tls), DUO_TLS);
}
