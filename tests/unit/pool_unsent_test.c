/* SPDX-License-Identifier: MIT */
/*
 * A warm connection whose first write fails: what the network took nothing of was not sent, so that even a
 * POST goes to another connection. Once it took a byte, nobody can know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/plugin/event.h"
#include "weft/plugin/plugin.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

/* The next sends of a client's: so many bytes are taken, then the connection is reset. */
static struct {
	bool armed, begun;
	size_t taken;
} fault;

static enum weft_status faulty_sendv(void *state, weft_socket sock, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct weft_segment part;

	if (!fault.armed || (!fault.begun && *(const char *)segs[0].ptr != 'P'))
		return weft_net_posix.sendv(state, sock, segs, count, taken, err);
	*taken = 0;
	fault.begun = true;
	if (fault.taken) {
		part = segs[0];
		part.len = fault.taken;
		fault.taken = 0;
		return weft_net_posix.sendv(state, sock, &part, 1, taken, err);
	}
	fault.armed = fault.begun = false;
	return weft_error_set(err, WEFT_ERR_RESET, 0, "reset within a write");
}

struct world {
	struct weft_registry *registry;
	struct weft_event_ops event;
	struct weft_net_ops net;
	struct weft_plugin bare;
	struct weft_context *ctx;
	char url[96], story[2048];
	bool closed;
	struct weft_error why;
};

static enum weft_status greet(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "hello", 5);
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(struct world *w)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = greet },
		{ .prefix = NULL } };
	const struct weft_vhost_options v = {
		.name = "a", .listen = "http://127.0.0.1:0", .routes = routes
	};
	struct weft_context_options o = { .event = "bare", .tls = "none", .log = no_log };
	const struct weft_plugin *poll;
	struct weft_vhost *vh;

	memset(w, 0, sizeof(*w));
	assert_int_equal(weft_registry_create(NULL, &w->registry, NULL), WEFT_OK);
	assert_int_equal(
		weft_registry_find(w->registry, WEFT_PLUGIN_EVENT, "poll", &poll, NULL), WEFT_OK);
	w->event = *poll->event;
	w->net = weft_net_posix;
	w->net.sendv = faulty_sendv;
	w->event.net = &w->net;
	w->bare = (struct weft_plugin){ WEFT_PLUGIN_HEAD, .kind = WEFT_PLUGIN_EVENT, .name = "bare",
		.version = "1", .event = &w->event };
	assert_int_equal(weft_registry_add(w->registry, &w->bare, NULL, NULL), WEFT_OK);
	o.registry = w->registry;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, w->url, sizeof(w->url)), WEFT_OK);
	strcat(w->url, "/");
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct world *w = user;

	weft_stream_explain(s, w->story, sizeof(w->story));
	w->closed = true;
	w->why = *why;
}

static void ask(struct world *w, const char *method)
{
	static const struct weft_stream_ops ops = { .on_close = on_close };
	const struct weft_request r = {
		.url = w->url,
		.method = method,
		.share = WEFT_SHARE_POOL,
	};
	struct weft_stream *s;

	w->closed = false;
	assert_int_equal(weft_http_open(w->ctx, &r, &ops, w, &s, NULL), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && !w->closed; i++)
		assert_true(weft_context_turn(w->ctx, 2) >= 0);
	assert_true(w->closed);
}

static void close_world(struct world *w)
{
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	weft_registry_release(w->registry);
}

static void post_of_which_nothing_was_taken_goes_elsewhere(void **state)
{
	struct weft_counters c;
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w, "GET");
	assert_int_equal(w.why.status, WEFT_OK);
	fault.armed = true;
	fault.taken = 0;
	ask(&w, "POST");
	assert_int_equal(w.why.status, WEFT_OK);
	assert_non_null(strstr(
		w.story, "queued again: connection 1 ended (reset) before anything was sent\n"));
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.streams_retried, 1);
	assert_int_equal(c.conns_stale, 1);
	close_world(&w);
}

static void post_of_which_a_byte_was_taken_does_not(void **state)
{
	struct weft_counters c;
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w, "GET");
	assert_int_equal(w.why.status, WEFT_OK);
	fault.armed = true;
	fault.taken = 1;
	ask(&w, "POST");
	assert_false(fault.armed);
	assert_int_equal(w.why.status, WEFT_ERR_RESET);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.streams_retried, 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post_of_which_nothing_was_taken_goes_elsewhere),
		cmocka_unit_test(post_of_which_a_byte_was_taken_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
