/* SPDX-License-Identifier: MIT */
/* Names to addresses: a DNS server of our own on loopback answers, or does not. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/net/resolve.h"
#include "weft/plugin/plugin.h"

#ifdef WEFT_HAVE_EVENT_POLL
extern const struct weft_plugin weft_plugin_event_poll;
#define PLUGIN weft_plugin_event_poll
#else
extern const struct weft_plugin weft_plugin_event_libevent;
#define PLUGIN weft_plugin_event_libevent
#endif

struct world {
	struct weft_loop loop;
	struct weft_resolver *resolver;
	struct weft_watch watch; /* of the server's socket */
	weft_socket sock;
	unsigned asked;
	bool silent;
	/* what the last answer was */
	unsigned answers;
	enum weft_status status;
	struct weft_error err;
	struct weft_address got[8];
	size_t count;
};

enum { TYPE_A = 1, TYPE_AAAA = 28 };

static enum weft_turn turn(void *user)
{
	(void)user;
	return WEFT_TURN_WAIT;
}

/* ---- the server: good.test has both kinds, four.test only A, everything else does not exist ---- */

static size_t question_end(const unsigned char *q, size_t len, char *name)
{
	size_t at = 12, used = 0;

	while (at < len && q[at]) {
		memcpy(name + used, q + at + 1, q[at]);
		used += q[at];
		name[used++] = '.';
		at += 1u + q[at];
	}
	name[used ? used - 1 : 0] = '\0';
	return at + 5;
}

static size_t add_record(unsigned char *to, unsigned type)
{
	static const unsigned char head[] = { 0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0 };
	size_t len = type == TYPE_A ? 4 : 16;

	memcpy(to, head, sizeof(head));
	to[3] = (unsigned char)type;
	to[11] = (unsigned char)len;
	inet_pton(type == TYPE_A ? AF_INET : AF_INET6, type == TYPE_A ? "192.0.2.7" : "2001:db8::7",
		to + sizeof(head));
	return sizeof(head) + len;
}

static void serve(struct weft_watch *watch, unsigned events)
{
	struct world *w = (struct world *)((char *)watch - offsetof(struct world, watch));
	unsigned char bytes[600];
	struct weft_datagram d;
	char name[300];
	size_t end;

	(void)events;
	while (weft_net_posix.recvmsg(NULL, w->sock, bytes, 512, &d, NULL) == WEFT_OK) {
		bool good, four;
		unsigned type;

		w->asked++;
		if (w->silent)
			continue;
		end = question_end(bytes, d.bytes.len, name);
		type = bytes[end - 3];
		good = !strcmp(name, "good.test");
		four = !strcmp(name, "four.test");
		bytes[2] |= 0x84;
		bytes[3] = good || four ? 0x80 : 0x83;
		memset(bytes + 6, 0, 6); /* no other sections, EDNS included */
		if (good || (four && type == TYPE_A)) {
			bytes[7] = 1;
			end += add_record(bytes + end, type);
		}
		d.bytes = (struct weft_span){ bytes, end };
		assert_int_equal(weft_net_posix.sendmsg(NULL, w->sock, &d, NULL), WEFT_OK);
	}
}

static void open_world(struct world *w)
{
	struct weft_address any;
	char text[WEFT_ADDRESS_TEXT_MAX];

	memset(w, 0, sizeof(*w));
	assert_int_equal(weft_loop_init(&w->loop, PLUGIN.event, &weft_allocator_system, NULL, turn,
				 w, &w->err),
		WEFT_OK);
	assert_int_equal(weft_address_parse("127.0.0.1", 0, &any, NULL), WEFT_OK);
	assert_int_equal(
		weft_net_posix.socket(NULL, WEFT_FAMILY_IPV4, WEFT_SOCKET_DATAGRAM, &w->sock, NULL),
		WEFT_OK);
	assert_int_equal(weft_net_posix.bind(NULL, w->sock, &any, NULL), WEFT_OK);
	assert_int_equal(weft_net_posix.names(NULL, w->sock, &any, NULL, NULL), WEFT_OK);
	assert_int_equal(
		weft_loop_watch(&w->loop, &w->watch, w->sock, WEFT_EVENT_READ, serve, NULL),
		WEFT_OK);
	assert_int_equal(
		weft_resolver_create(&w->loop, &weft_allocator_system, &w->resolver, &w->err),
		WEFT_OK);
	assert_int_equal(weft_resolver_servers(w->resolver,
				 weft_address_format(&any, text, sizeof(text)), &w->err),
		WEFT_OK);
}

static void close_world(struct world *w)
{
	weft_resolver_destroy(w->resolver);
	weft_loop_unwatch(&w->loop, &w->watch);
	weft_net_posix.close(NULL, w->sock, false);
	weft_loop_finish(&w->loop);
}

static void resolved(void *user, enum weft_status status, const struct weft_address *addresses,
	size_t count, const struct weft_error *err)
{
	struct world *w = user;

	w->answers++;
	w->status = status;
	w->count = count;
	if (status)
		w->err = *err;
	assert_true(count <= 8);
	if (count)
		memcpy(w->got, addresses, count * sizeof(*addresses));
}

static void run_until_answered(struct world *w, unsigned answers)
{
	for (int i = 0; i < 1000 && w->answers < answers; i++)
		assert_int_equal(weft_loop_run(&w->loop, 100000, NULL), WEFT_OK);
	assert_int_equal(w->answers, answers);
}

static void look_up(struct world *w, const char *host)
{
	unsigned before = w->answers;
	void *query;

	assert_int_equal(
		weft_resolve(w->resolver, host, 443, resolved, w, &query, &w->err), WEFT_OK);
	assert_int_equal(w->answers, before); /* never from within */
	run_until_answered(w, before + 1);
}

static bool has(const struct world *w, const char *formatted)
{
	char text[WEFT_ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < w->count; i++)
		if (!strcmp(weft_address_format(&w->got[i], text, sizeof(text)), formatted))
			return true;
	return false;
}

static void both_kinds_are_found(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	look_up(&w, "good.test");
	assert_int_equal(w.status, WEFT_OK);
	assert_int_equal(w.count, 2);
	assert_true(has(&w, "192.0.2.7:443"));
	assert_true(has(&w, "[2001:db8::7]:443"));
	look_up(&w, "four.test");
	assert_int_equal(w.status, WEFT_OK);
	assert_int_equal(w.count, 1);
	assert_true(has(&w, "192.0.2.7:443"));
	close_world(&w);
}

static void unknown_names_are_told(void **state)
{
	struct world w;
	char name[400];
	void *query;

	(void)state;
	open_world(&w);
	look_up(&w, "nothing.test");
	assert_int_equal(w.status, WEFT_ERR_RESOLVE);
	assert_int_equal(w.count, 0);
	assert_non_null(strstr(w.err.text, "nothing.test"));
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(
		weft_resolve(w.resolver, name, 1, resolved, &w, &query, &w.err), WEFT_ERR_RESOLVE);
	assert_int_equal(
		weft_resolver_servers(w.resolver, "not an address", &w.err), WEFT_ERR_ARGUMENT);
	close_world(&w);
}

static void localhost_is_asked_of_nobody(void **state)
{
	static const char *const names[] = { "localhost", "LocalHost", "localhost.",
		"a.localhost" };
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		look_up(&w, names[i]);
		assert_int_equal(w.status, WEFT_OK);
		assert_int_equal(w.count, 2);
		assert_true(has(&w, "127.0.0.1:443") && has(&w, "[::1]:443"));
	}
	assert_int_equal(w.asked, 0);
	look_up(&w, "nolocalhost");
	assert_int_equal(w.status, WEFT_ERR_RESOLVE);
	assert_true(w.asked > 0);
	close_world(&w);
}

static void cancelled_queries_are_silent(void **state)
{
	struct world w;
	void *first, *second, *local;

	(void)state;
	open_world(&w);
	assert_int_equal(
		weft_resolve(w.resolver, "good.test", 1, resolved, &w, &first, NULL), WEFT_OK);
	assert_int_equal(
		weft_resolve(w.resolver, "four.test", 2, resolved, &w, &second, NULL), WEFT_OK);
	assert_int_equal(
		weft_resolve(w.resolver, "localhost", 3, resolved, &w, &local, NULL), WEFT_OK);
	weft_resolve_cancel(w.resolver, first);
	weft_resolve_cancel(w.resolver, local);
	run_until_answered(&w, 1);
	assert_true(has(&w, "192.0.2.7:2"));
	for (int i = 0; i < 5; i++)
		assert_int_equal(weft_loop_run(&w.loop, 5000, NULL), WEFT_OK);
	assert_int_equal(w.answers, 1);
	close_world(&w);
}

/* The resolver goes while a silent server is being waited for. */
static void destroy_forgets_queries(void **state)
{
	struct world w;
	void *query;

	(void)state;
	open_world(&w);
	w.silent = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(weft_resolve(w.resolver, i ? "good.test" : "localhost", 1,
					 resolved, &w, &query, NULL),
			WEFT_OK);
	weft_resolve_cancel(w.resolver, query);
	close_world(&w);
	assert_int_equal(w.answers, 0);
	open_world(&w);
	w.silent = true;
	assert_int_equal(
		weft_resolve(w.resolver, "good.test", 1, resolved, &w, &query, NULL), WEFT_OK);
	for (int i = 0; i < 20 && !w.asked; i++)
		assert_int_equal(weft_loop_run(&w.loop, 5000, NULL), WEFT_OK);
	assert_true(w.asked > 0);
	close_world(&w);
	assert_int_equal(w.answers, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_are_found),
		cmocka_unit_test(unknown_names_are_told),
		cmocka_unit_test(localhost_is_asked_of_nobody),
		cmocka_unit_test(cancelled_queries_are_silent),
		cmocka_unit_test(destroy_forgets_queries),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
