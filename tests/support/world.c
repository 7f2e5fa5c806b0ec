/* SPDX-License-Identifier: MIT */
/* A network that is made up. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

struct world_net world_net;
struct duo world_duo;
struct ask world_asks[WORLD_ASKS];

/* ---- the network ---- */

static void answer(struct weft_timer *timer, void *user)
{
	struct world_query *q = user;
	weft_resolved_fn fn = q->fn;

	(void)timer;
	q->fn = NULL;
	fn(q->user, WEFT_OK, q->addresses, q->count, NULL);
}

static enum weft_status look_up(void *state, const char *host, uint16_t port, weft_resolved_fn fn,
	void *user, void **query, struct weft_error *err)
{
	static const char *const a[] = { "127.0.0.1", NULL };
	const char *const *list = strcmp(host, WORLD_B) ? a : world_net.b;
	struct world_query *q = world_net.queries;

	(void)state;
	while (q->fn)
		assert_true(++q < world_net.queries + WORLD_QUERIES);
	*q = (struct world_query){ .fn = fn, .user = user };
	for (; q->count < 2 && list[q->count]; q->count++) {
		if (weft_address_parse(list[q->count], port, &q->addresses[q->count], err))
			return err->status;
	}
	q->held = world_net.holds && !strcmp(host, WORLD_B);
	if (!q->held)
		weft_loop_timer(&world_duo.client->loop, &q->timer, 0, answer, q);
	*query = q;
	return WEFT_OK;
}

static void forget(void *state, void *query)
{
	struct world_query *q = query;

	(void)state;
	weft_loop_timer_cancel(&world_duo.client->loop, &q->timer);
	q->fn = NULL;
}

static uint64_t what_time(void *state)
{
	return world_net.stands ? world_net.stands_at : weft_net_posix.now(state);
}

static enum weft_status dial(
	void *state, weft_socket sock, const struct weft_address *to, struct weft_error *err)
{
	if (!world_net.dialled++)
		world_net.first = sock;
	if (world_net.refused_from && world_net.dialled > world_net.refused_from)
		return weft_error_set(err, WEFT_ERR_REFUSED, 0, "as the test wants it");
	return weft_net_posix.connect(state, sock, to, err);
}

static void put_away(void *state, weft_socket sock, bool reset)
{
	if (sock == world_net.first)
		world_net.first = WEFT_SOCKET_NONE;
	weft_net_posix.close(state, sock, reset);
}

static enum weft_status receive(void *state, weft_socket sock, void *buf, size_t len,
	struct weft_span *got, struct weft_error *err)
{
	if (sock == world_net.first && world_net.fails == WEFT_AGAIN)
		return WEFT_AGAIN;
	if (sock == world_net.first && world_net.fails)
		return weft_error_set(err, world_net.fails, 0, "as the test wants it");
	return weft_net_posix.recv(state, sock, buf, len, got, err);
}

/* ---- the world ---- */

static void fill(struct weft_vhost_options *v, enum test_cert_kind kind)
{
	const struct test_cert *cert = test_cert(kind);

	v->credential = (struct weft_credential){
		.cert = { (const unsigned char *)cert->cert, cert->cert_len },
		.key = { (const unsigned char *)cert->key, cert->key_len },
	};
}

static void add_vhost(const char *name, enum test_cert_kind kind)
{
	struct weft_vhost_options v = { .name = name };
	struct weft_vhost *vh;
	struct weft_error err;

	fill(&v, kind);
	duo_vhost_options(&world_duo, &v);
	v.listen = world_duo.base;
	if (weft_vhost_create(world_duo.server, &v, &vh, &err))
		fail_msg("%s", err.text);
}

void world_open(struct world w)
{
	static const char *const two[] = { WORLD_C, NULL };
	static const char *const three[] = { WORLD_B, WORLD_C, NULL };
	struct weft_vhost_options v = { .name = WORLD_A, .aliases = w.apart ? two : three };
	struct weft_error err;
	char second[64];

	memset(&world_net, 0, sizeof(world_net));
	memset(world_asks, 0, sizeof(world_asks));
	fill(&v, w.cert);
	duo_open(&world_duo, w.server, w.client, &v, false);
	snprintf(second, sizeof(second), "https://127.0.0.2%s", strrchr(world_duo.base, ':'));
	if (weft_vhost_listen(world_duo.vh, second, &err))
		fail_msg("%s", err.text);
	if (w.apart)
		add_vhost(WORLD_B, w.cert);
	world_net.ops = weft_net_posix;
	world_net.ops.resolve = look_up;
	world_net.ops.resolve_cancel = forget;
	world_net.ops.now = what_time;
	world_net.ops.connect = dial;
	world_net.ops.recv = receive;
	world_net.ops.close = put_away;
	world_net.first = WEFT_SOCKET_NONE;
	world_net.b[0] = "127.0.0.1";
	world_duo.client->loop.net = &world_net.ops;
}

void world_stand_still(struct world w, enum weft_status fails)
{
	world_open(w);
	world_net.fails = fails;
	world_net.stands_at = weft_net_posix.now(NULL);
	world_net.stands = true;
}

void world_close(void)
{
	duo_close(&world_duo);
}

void world_tell(void)
{
	world_net.holds = false;
	for (struct world_query *q = world_net.queries; q < world_net.queries + WORLD_QUERIES;
		q++) {
		if (q->fn && q->held)
			weft_loop_timer(&world_duo.client->loop, &q->timer, 0, answer, q);
		q->held = false;
	}
}

static void open_ask(unsigned i, const char *host, bool post, bool coalesce)
{
	struct weft_request r = { .body_later = post, .stream.coalesce = coalesce };
	char url[128];

	snprintf(url, sizeof(url), "https://%s%s/digest/%u", host, strrchr(world_duo.base, ':'), i);
	r.url = url;
	ask_open(&world_asks[i], &world_duo, i, post, &r);
}

void world_ask(unsigned i, const char *host, bool coalesce)
{
	open_ask(i, host, false, coalesce);
}

void world_post(unsigned i, const char *host, bool coalesce)
{
	open_ask(i, host, true, coalesce);
}

void world_finish(unsigned i)
{
	struct ask *a = &world_asks[i];

	assert_int_equal(weft_stream_write(a->stream, a->body, strlen(a->body)), strlen(a->body));
	weft_stream_finish(a->stream);
}

void world_check(unsigned i)
{
	duo_until(&world_duo, world_asks[i].closed);
	ask_check(&world_asks[i]);
}

void world_turns(void)
{
	for (unsigned i = 0; i < 200; i++)
		duo_turn(&world_duo);
}

void world_counts(unsigned conns, unsigned coalesced)
{
	assert_int_equal(duo_server_counts(&world_duo).conns_accepted, conns);
	assert_int_equal(duo_client_counts(&world_duo).streams_coalesced, coalesced);
}
