/* SPDX-License-Identifier: MIT */
/* A process without descriptors: who is there is served, who waits comes in when somebody leaves. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/duo.h"

enum { WAITING = 12, ROOM = 3 };

static int dial(const struct duo *d)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons((uint16_t)atoi(strrchr(d->base, ':') + 1));
	assert_true(s >= 0);
	assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

/* So that this many more can be opened, and no others. */
static void leave_room(const struct rlimit *usual, int count)
{
	struct rlimit r = *usual;
	int next = dup(0);

	assert_true(next >= 0);
	close(next);
	r.rlim_cur = (rlim_t)(next + count);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}

static void be_served(struct duo *d, unsigned id)
{
	struct ask a;

	memset(&a, 0, sizeof(a));
	ask_open(&a, d, id, true, NULL);
	duo_until(d, a.closed);
	ask_check(&a);
}

static void without_descriptors_the_old_are_served_and_the_new_wait(void **state)
{
	const struct weft_context_options o = {
		.idle_ms = 600000, .header_ms = 600000, .handshake_ms = 600000, .linger_ms = 10
	};
	const struct weft_context_options keep = { .keep_warm_ms = 600000 };
	struct rlimit usual;
	struct duo d;
	int socks[WAITING];

	(void)state;
	duo_open(&d, &o, &keep, NULL, false);
	be_served(&d, 1);
	for (int i = 0; i < WAITING; i++)
		socks[i] = dial(&d);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	leave_room(&usual, ROOM);
	duo_until(&d, duo_server_counts(&d).conns_accepted == 1 + ROOM);
	for (unsigned i = 0; i < 50; i++)
		be_served(&d, i);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 1 + ROOM);
	/* each that leaves frees its own descriptor and the server's */
	for (int i = 0; i < WAITING; i++) {
		close(socks[i]);
		be_served(&d, 100);
	}
	duo_until(&d, duo_server_counts(&d).conns_accepted == 1 + WAITING);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	duo_until(&d, duo_server_counts(&d).conns_now == 1);
	be_served(&d, 7);
	assert_int_equal(duo_server_counts(&d).conns_refused, 0);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_descriptors_the_old_are_served_and_the_new_wait),
	};

	return duo_main("descriptors", tests, 1, DUO_FEWER);
}
