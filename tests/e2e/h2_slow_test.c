/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 clients that stop, or take their time: a hundred of each, by hand over sockets. The server ends each with
 * the right frame, counts it, gives its memory back, and serves others meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/hurry.h"

enum {
	CROWD = 100,
	SHORT_MS = 700,    /* each of the server's times */
	PACE_MS = 20,      /* from one piece of what comes slowly to the next */
	LIMIT_S = 120,     /* within which all must be gone; a busy machine is slow */
	KEPT = 192 * 1024, /* what a context may keep at hand */
	HEAD = 9,          /* of a frame */
};

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, GOAWAY = 7, CONTINUATION = 9 };

/* The preface, SETTINGS with or without a window, and then the attack's own. */
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define NO_SETTINGS "\0\0\0\x04\0\0\0\0\0"
#define NO_WINDOW "\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0"
/* :method, :scheme http, :authority a; and /digest/1 or /big */
#define POST_DIGEST        \
	"\x83\x86\x41\x01" \
	"a\x44\x09/digest/1"
#define GET_BIG            \
	"\x82\x86\x41\x01" \
	"a\x44\x04/big"
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

struct attack {
	struct {
		const char *ptr;
		size_t len;
	} first, more; /* said at once; again and again */
	int answer;    /* the type of the frame that ends it */
};

static const struct attack half_a_preface = { BYTES("PRI * HTTP/2.0\r\n"), BYTES(""), 0 };

static const struct attack no_request = { BYTES(PREFACE NO_SETTINGS), BYTES(""), GOAWAY };

/* HEADERS that promise more, and never come to their end */
static const struct attack half_a_head = {
	BYTES(PREFACE NO_SETTINGS "\0\0\x10\x01\0\0\0\0\x01" POST_DIGEST), BYTES(""), GOAWAY
};

static const struct attack half_a_frame = {
	BYTES(PREFACE NO_SETTINGS "\0\x10\0\x01\x04\0\0\0\x01\x83"), BYTES(""), GOAWAY
};

static const struct attack stuck_post = {
	BYTES(PREFACE NO_SETTINGS "\0\0\x10\x01\x04\0\0\0\x01" POST_DIGEST), BYTES(""), RST_STREAM
};

static const struct attack slow_post = { BYTES(PREFACE NO_SETTINGS
						 "\0\0\x10\x01\x04\0\0\0\x01" POST_DIGEST),
	BYTES("\0\0\x01\0\0\0\0\0\x01z"), RST_STREAM };

static const struct attack no_window = {
	BYTES(PREFACE NO_WINDOW "\0\0\x0b\x01\x05\0\0\0\x01" GET_BIG), BYTES(""), RST_STREAM
};

static struct peer {
	int sock;
	unsigned char got[8192];
	size_t len;
	bool over;
} peers[CROWD];

static void dial(struct duo *d, struct peer *p, const struct attack *a)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	to.sin_port = htons((uint16_t)atoi(strrchr(d->base, ':') + 1));
	memset(p, 0, sizeof(*p));
	p->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->sock >= 0);
	assert_int_equal(connect(p->sock, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(p->sock, a->first.ptr, a->first.len, MSG_NOSIGNAL), a->first.len);
}

/* Whether a frame of this type came. */
static bool has(const struct peer *p, int type)
{
	for (size_t at = 0; at + HEAD <= p->len;) {
		const unsigned char *f = p->got + at;

		if (f[3] == type)
			return true;
		at += HEAD + ((size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2]);
	}
	return false;
}

/* Until the server ended the connection, or the stream. */
static void poke(struct peer *p, const struct attack *a, bool say)
{
	unsigned char rest[4096];
	ssize_t n;

	if (p->over)
		return;
	if (say && a->more.len)
		(void)!send(p->sock, a->more.ptr, a->more.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (p->len < sizeof(p->got))
		n = recv(p->sock, p->got + p->len, sizeof(p->got) - p->len, MSG_DONTWAIT);
	else
		n = recv(p->sock, rest, sizeof(rest), MSG_DONTWAIT);
	if (n > 0 && p->len < sizeof(p->got))
		p->len += (size_t)n;
	p->over = n == 0 || (n < 0 && errno != EAGAIN) ||
		  (a->answer == RST_STREAM && has(p, RST_STREAM));
	if (p->over)
		close(p->sock);
}

static size_t poke_all(const struct attack *a)
{
	static double next;
	bool say = hurry_seconds() >= next;
	size_t left = 0;

	if (say)
		next = hurry_seconds() + PACE_MS / 1e3;
	for (size_t i = 0; i < CROWD; i++) {
		poke(&peers[i], a, say);
		left += !peers[i].over;
	}
	return left;
}

static void be_served(struct duo *d, struct ask *guest, unsigned *served)
{
	if (guest->closed) {
		ask_check(guest);
		++*served;
	}
	if (guest->closed || !guest->duo)
		ask_open(guest, d, *served, false, NULL);
}

static void attacked(const struct attack *a)
{
	struct ask guest = { .duo = NULL };
	double limit = hurry_seconds() + LIMIT_S;
	unsigned served = 0;
	struct duo d;
	uint64_t heap;

	hurry_open(&d, SHORT_MS, 3 * SHORT_MS);
	while (!served) {
		be_served(&d, &guest, &served);
		duo_turn(&d);
	}
	heap = duo_server_counts(&d).heap_now;
	for (size_t i = 0; i < CROWD; i++) {
		dial(&d, &peers[i], a);
		if (i % 8 == 0)
			duo_turn(&d);
	}
	while (poke_all(a)) {
		be_served(&d, &guest, &served);
		duo_turn(&d);
		assert_true(hurry_seconds() < limit);
	}
	assert_true(served > 1);
	duo_until(&d, guest.closed);
	assert_true(duo_server_counts(&d).timeouts >= CROWD);
	for (size_t i = 0; a->answer && i < CROWD; i++)
		assert_true(has(&peers[i], a->answer));
	while (duo_server_counts(&d).conns_now > 1 ||
		duo_server_counts(&d).heap_now > heap + KEPT) {
		duo_turn(&d);
		assert_true(hurry_seconds() < limit);
	}
	duo_close(&d);
}

#define TEST(name)                          \
	static void of_##name(void **state) \
	{                                   \
		(void)state;                \
		attacked(&name);            \
	}

TEST(half_a_preface)
TEST(no_request)
TEST(half_a_head)
TEST(half_a_frame)
TEST(stuck_post)
TEST(slow_post)
TEST(no_window)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_half_a_preface),
		cmocka_unit_test(of_no_request),
		cmocka_unit_test(of_half_a_head),
		cmocka_unit_test(of_half_a_frame),
		cmocka_unit_test(of_stuck_post),
		cmocka_unit_test(of_slow_post),
		cmocka_unit_test(of_no_window),
	};

	return duo_main(
		"slow HTTP/2 peers", tests, sizeof(tests) / sizeof(*tests), DUO_PLAIN_WHOLE);
}
