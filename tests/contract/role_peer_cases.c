/* SPDX-License-Identifier: MIT */
/* The harness of the role suite. */
#define _GNU_SOURCE 1
#include "tests/contract/role_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

size_t role_fragment;

enum { QUIET_TURNS = 12 };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void *counted(void *user, void *ptr, size_t old_len, size_t new_len)
{
	const struct weft_allocator *system = &weft_allocator_system;
	struct world *w = user;
	void *got = system->resize(system->user, ptr, old_len, new_len);

	if (got || !new_len)
		w->heap += new_len - (ptr ? old_len : 0);
	return got;
}

void world_open(struct world *w, const struct weft_context_options *extra,
	const struct weft_vhost_options *vhost)
{
	struct weft_context_options o =
		extra ? *extra : (struct weft_context_options){ .event = NULL };
	struct weft_error err;

	o.event = "poll";
	o.tls = "none";
	o.log = no_log;
	o.fragment_bytes = role_fragment;
	w->heap = 0;
	w->alloc = (struct weft_allocator){ .user = w, .resize = counted };
	o.allocator = &w->alloc;
	if (!o.linger_ms)
		o.linger_ms = 50;
	w->vh = NULL;
	if (weft_context_create(&o, &w->ctx, &err))
		fail_msg("context: %s", err.text);
	if (vhost && weft_vhost_create(w->ctx, vhost, &w->vh, &err))
		fail_msg("vhost: %s", err.text);
}

static void set_true(void *user)
{
	*(bool *)user = true;
}

void world_close(struct world *w)
{
	struct weft_counters c;
	bool done = false;

	weft_vhost_destroy(w->vh);
	for (unsigned i = 0; i < WORLD_TURNS_MAX; i++) {
		weft_context_counters(w->ctx, &c);
		if (!c.streams_now && !c.conns_now && !c.vhosts_now)
			break;
		world_turn(w);
	}
	assert_int_equal(c.streams_now, 0);
	assert_int_equal(c.conns_now, 0);
	assert_int_equal(c.vhosts_now, 0);
	weft_context_destroy(w->ctx, 0, set_true, &done);
	assert_true(done);
	assert_int_equal(w->heap, 0);
}

void world_turn(struct world *w)
{
	assert_true(weft_context_turn(w->ctx, 2) >= 0);
}

void world_wait(struct world *w, const bool *what)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !*what; i++)
		world_turn(w);
	assert_true(*what);
}

static void add(struct peer *p, const void *bytes, size_t len)
{
	if (p->len + len + 1 > p->cap) {
		p->cap = (p->len + len + 1) * 2;
		p->got = realloc(p->got, p->cap);
		assert_non_null(p->got);
	}
	memcpy(p->got + p->len, bytes, len);
	p->len += len;
	p->got[p->len] = 0;
}

static void receive_memory(struct peer *p)
{
	struct weft_span got = { NULL, 0 };
	struct weft_error err;
	enum weft_status st;

	while ((st = p->end->ops->read(p->end, &got, &err)) == WEFT_OK)
		add(p, got.ptr, got.len);
	p->fin = p->fin || st == WEFT_EOF;
	p->reset = p->reset || st < 0;
}

static void receive_socket(struct peer *p)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(p->sock, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		add(p, buf, (size_t)n);
	if (!n)
		p->fin = true;
	else if (errno != EAGAIN)
		p->reset = true;
}

static void receive(struct peer *p)
{
	if (p->fin || p->reset)
		return;
	if (p->end)
		receive_memory(p);
	else
		receive_socket(p);
}

/* Dates differ: drop complete date lines behind the mark. */
static void drop_dates(struct peer *p)
{
	char *line, *end;

	while ((line = strstr(p->got + p->mark, "\r\ndate: ")) &&
		(end = strstr(line + 2, "\r\n"))) {
		memmove(line, end, p->len - (size_t)(end - p->got) + 1);
		p->len -= (size_t)(end - line);
	}
}

void peer_turn(struct peer *p)
{
	world_turn(p->world);
	receive(p);
	drop_dates(p);
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

void peer_hold(struct peer *p, struct world *w, struct weft_transport *end)
{
	const struct weft_transport_owner owner = { .ready = ready };
	struct weft_error err;

	*p = (struct peer){ .world = w, .end = end, .sock = -1 };
	add(p, "", 0);
	assert_int_equal(end->ops->start(end, &owner, &err), WEFT_OK);
}

void peer_dial(struct peer *p, struct world *w, const char *scheme)
{
	peer_dial_narrow(p, w, scheme, 1 << 20);
}

void peer_dial_narrow(struct peer *p, struct world *w, const char *scheme, size_t capacity)
{
	struct weft_transport *ends[2];
	struct weft_error err;

	assert_int_equal(weft_transport_memory_pair(w->ctx, capacity, ends, &err), WEFT_OK);
	if (weft_transport_serve(w->vh, scheme, ends[0], &err))
		fail_msg("serve: %s", err.text);
	peer_hold(p, w, ends[1]);
}

void peer_send_bytes(struct peer *p, const void *bytes, size_t len)
{
	const char *at = bytes;
	struct weft_segment seg;
	struct weft_error err;
	size_t taken;

	for (unsigned i = 0; len && i < WORLD_TURNS_MAX; i++) {
		taken = 0;
		if (p->end) {
			seg = weft_segment_static(at, len);
			if (p->end->ops->write(p->end, &seg, 1, &taken, &err) < 0)
				return; /* the server has gone already: what it said is looked at later */
		} else {
			ssize_t n = send(p->sock, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);

			taken = n > 0 ? (size_t)n : 0;
		}
		at += taken;
		len -= taken;
		peer_turn(p);
	}
	assert_int_equal(len, 0);
}

void peer_send(struct peer *p, const char *text)
{
	peer_send_bytes(p, text, strlen(text));
}

void peer_finish(struct peer *p)
{
	struct weft_error err;

	if (p->end)
		assert_int_equal(p->end->ops->shutdown(p->end, &err), WEFT_OK);
	else
		assert_int_equal(shutdown(p->sock, SHUT_WR), 0);
}

void peer_expect(struct peer *p, const char *text)
{
	char *at = NULL;

	for (unsigned i = 0; i < WORLD_TURNS_MAX; i++) {
		at = strstr(p->got + p->mark, text);
		if (at || p->fin || p->reset)
			break;
		peer_turn(p);
	}
	if (!at)
		fail_msg("expected \"%s\", got \"%s\"%s", text, p->got + p->mark,
			p->fin     ? " and the end"
			: p->reset ? " and a reset"
				   : "");
	assert_int_equal(at - (p->got + p->mark), 0);
	p->mark += strlen(text);
}

void peer_expect_body(struct peer *p, char c, size_t len)
{
	size_t before = p->len;

	for (unsigned i = 0; i < WORLD_TURNS_MAX && p->len < p->mark + len; i++) {
		peer_turn(p);
		if (p->len > before)
			i = 0;
		before = p->len;
	}
	assert_int_equal(p->len - p->mark, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(p->got[p->mark + i], c);
	p->mark += len;
}

void peer_expect_end(struct peer *p, const char *text)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !p->fin && !p->reset; i++)
		peer_turn(p);
	assert_true(p->fin);
	assert_string_equal(p->got + p->mark, text);
}

void peer_expect_reset(struct peer *p)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !p->fin && !p->reset; i++)
		peer_turn(p);
	assert_true(p->reset);
}

void peer_expect_silence(struct peer *p)
{
	for (unsigned i = 0; i < QUIET_TURNS; i++)
		peer_turn(p);
	assert_string_equal(p->got + p->mark, "");
	assert_false(p->fin);
	assert_false(p->reset);
}

void peer_close(struct peer *p)
{
	if (p->end)
		weft_transport_destroy(p->end);
	if (p->sock >= 0)
		close(p->sock);
	free(p->got);
	*p = (struct peer){ .sock = -1 };
}

void peer_abort(struct peer *p)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (p->end)
		p->end->ops->abort(p->end);
	else
		assert_int_equal(
			setsockopt(p->sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	peer_close(p);
}

int peer_listen(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s, 16), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return s;
}

bool peer_waiting(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

void peer_accept(struct peer *p, struct world *w, int listener)
{
	*p = (struct peer){ .world = w, .sock = -1 };
	add(p, "", 0);
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !peer_waiting(listener); i++)
		world_turn(w);
	assert_true(peer_waiting(listener));
	p->sock = accept(listener, NULL, NULL);
	assert_true(p->sock >= 0);
}
