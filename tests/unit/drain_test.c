/* SPDX-License-Identifier: MIT */
/*
 * What a vhost that was destroyed leaves behind: connections that finish what they do, and take nothing new.
 * And roles are told so from the turn, never while one of their ops runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/http.h"
#include "weft/plugin/plugin.h"
#include "weft/plugin/role.h"
#include "weft/plugin/transport.h"

enum { TURNS_MAX = 5000 };

/* ---- a role whose input begins a stream, and that knows what is on its stack ---- */

static struct {
	struct weft_pipe *pipe;
	struct weft_stream *streams[2]; /* begun by a byte each */
	unsigned count, depth, drains;
	bool done; /* its stream is complete when it ends */
} probe;

static enum weft_status probe_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	(void)err;
	probe.pipe = attach->pipe;
	*state = &probe;
	return WEFT_OK;
}

static void probe_detach(void *state, const struct weft_error *why)
{
	(void)state;
	for (unsigned i = 0; i < probe.count; i++) {
		if (probe.done)
			weft_role_fin(probe.streams[i]);
		weft_role_closed(probe.streams[i], probe.done ? WEFT_CAUSE_DONE : WEFT_CAUSE_FAILED,
			probe.done ? NULL : why);
	}
	probe.count = 0;
}

static enum weft_status probe_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	const struct weft_head head = { .body_len = 0 };

	(void)state;
	(void)port;
	(void)fin;
	(void)err;
	*used = len;
	probe.depth++;
	for (size_t i = 0; i < len; i++) {
		struct weft_stream *s = weft_role_incoming(probe.pipe);

		assert_non_null(s);
		probe.streams[probe.count++] = s;
		assert_int_equal(weft_role_head(s, &head, WEFT_HEAD_FINAL), WEFT_OK);
		weft_role_data(s, bytes + i, 1);
	}
	probe.depth--;
	return WEFT_OK;
}

static enum weft_status probe_output(void *state, struct weft_error *err)
{
	(void)state;
	(void)err;
	return WEFT_OK;
}

static void probe_ready(void *state, struct weft_stream *s)
{
	(void)state;
	(void)s;
}

static void probe_credit(void *state, struct weft_stream *s, size_t n)
{
	(void)state;
	(void)s;
	(void)n;
}

static void probe_drain(void *state)
{
	(void)state;
	assert_int_equal(probe.depth, 0);
	probe.drains++;
}

static const struct weft_role_ops probe_ops = {
	.size = sizeof(probe_ops),
	.attach = probe_attach,
	.detach = probe_detach,
	.input = probe_input,
	.output = probe_output,
	.ready = probe_ready,
	.credit = probe_credit,
	.reset = probe_ready,
	.drain = probe_drain,
};

static const struct weft_scheme probe_schemes[] = { { .name = "probe", .port = 1 },
	{ .name = NULL } };

static const struct weft_role probe_role = {
	.size = sizeof(probe_role),
	.caps = WEFT_ROLE_SERVER,
	.schemes = probe_schemes,
	.input_limit = 65536,
	.ops = &probe_ops,
};

static const struct weft_plugin probe_plugin = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "probe",
	.version = "1",
	.role = &probe_role,
};

/* ---- the world ---- */

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_registry *registry;
	struct weft_route routes[2];
	struct weft_transport *end;
	char got[2048];
	size_t len;
	bool fin;
	unsigned requests, closes;
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ignore(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void open_world(struct world *w, const char *scheme,
	enum weft_status (*handler)(struct weft_stream *, void *))
{
	static const struct weft_transport_owner owner = { .ready = ignore };
	struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = no_log, .idle_ms = 600000, .linger_ms = 1
	};
	const struct weft_vhost_options v = { .name = "a", .routes = w->routes };
	struct weft_transport *ends[2];

	*w = (struct world){ .routes = { { .prefix = "", .on_request = handler } } };
	w->routes[0].user = w;
	memset(&probe, 0, sizeof(probe));
	assert_int_equal(weft_registry_create(NULL, &w->registry, NULL), WEFT_OK);
	assert_int_equal(weft_registry_add(w->registry, &probe_plugin, NULL, NULL), WEFT_OK);
	o.registry = w->registry;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(w->ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(w->vh, scheme, ends[0], NULL), WEFT_OK);
	w->end = ends[1];
	assert_int_equal(w->end->ops->start(w->end, &owner, NULL), WEFT_OK);
}

static void close_world(struct world *w)
{
	weft_transport_destroy(w->end);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	weft_registry_release(w->registry);
}

static void say(struct world *w, const char *text)
{
	const struct weft_segment seg = weft_segment_static(text, strlen(text));
	size_t taken = 0;

	assert_int_equal(w->end->ops->write(w->end, &seg, 1, &taken, NULL), WEFT_OK);
}

static void turn(struct world *w)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st;

	assert_true(weft_context_turn(w->ctx, 2) >= 0);
	while ((st = w->end->ops->read(w->end, &got, NULL)) == WEFT_OK) {
		assert_true(w->len + got.len < sizeof(w->got));
		memcpy(w->got + w->len, got.ptr, got.len);
		w->len += got.len;
	}
	w->fin |= st != WEFT_AGAIN;
}

static uint64_t vhosts(const struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c.vhosts_now;
}

static enum weft_status answer(struct weft_stream *s, void *user)
{
	((struct world *)user)->requests++;
	return weft_http_reply_static(s, 200, NULL, "fine", 4);
}

static enum weft_status answer_and_destroy(struct weft_stream *s, void *user)
{
	struct world *w = user;

	weft_vhost_destroy(w->vh);
	return answer(s, user);
}

static const char request[] = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

static void an_idle_connection_ends_with_its_vhost(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "http", answer);
	say(&w, request);
	for (unsigned i = 0; i < TURNS_MAX && !strstr(w.got, "fine"); i++)
		turn(&w);
	assert_false(w.fin);
	weft_vhost_destroy(w.vh);
	for (unsigned i = 0; i < TURNS_MAX && vhosts(&w); i++)
		turn(&w);
	assert_true(w.fin);
	assert_int_equal(vhosts(&w), 0);
	close_world(&w);
}

static void a_vhost_destroyed_in_its_handler_answers_that_request_and_no_other(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "http", answer_and_destroy);
	say(&w, request);
	say(&w, request);
	for (unsigned i = 0; i < TURNS_MAX && vhosts(&w); i++)
		turn(&w);
	assert_non_null(strstr(w.got, "fine"));
	assert_int_equal(w.requests, 1);
	assert_int_equal(vhosts(&w), 0);
	close_world(&w);
}

static enum weft_status drain_all(struct weft_stream *s, void *user)
{
	(void)s;
	((struct world *)user)->requests++;
	weft_context_drain(((struct world *)user)->ctx, 0, NULL, NULL);
	return WEFT_OK;
}

static void a_role_is_not_told_to_drain_while_its_input_runs(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "probe", drain_all);
	say(&w, "x");
	for (unsigned i = 0; i < TURNS_MAX && !probe.drains; i++)
		turn(&w);
	assert_int_equal(w.requests, 1);
	assert_int_equal(probe.drains, 1);
	close_world(&w);
}

/* ---- what is called while the role leaves ---- */

static struct weft_stream *first, *second;

static void answer_the_second(struct weft_owner *owner)
{
	const struct weft_head head = { .status = 200 };

	(void)owner;
	assert_int_equal(
		weft_stream_send_head(second, &head, WEFT_HEAD_FINAL, true, NULL), WEFT_ERR_STATE);
}

static void ref_nothing(struct weft_owner *owner)
{
	(void)owner;
}

static enum weft_status write_owned(struct weft_stream *s, void *user)
{
	static struct weft_owner owner = { .ref = ref_nothing, .release = ref_nothing };
	struct weft_segment seg = weft_segment_static("owned", 5);

	((struct world *)user)->requests++;
	if (first) {
		second = s;
		owner.release = answer_the_second;
		return WEFT_OK;
	}
	first = s;
	seg.owner = &owner;
	return weft_stream_write_segment(s, &seg);
}

static void a_head_is_refused_while_the_role_leaves(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "probe", write_owned);
	say(&w, "xy");
	for (unsigned i = 0; i < TURNS_MAX && w.requests < 2; i++)
		turn(&w);
	assert_int_equal(w.requests, 2);
	close_world(&w);
}

static size_t take_nothing(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	(void)len;
	(void)user;
	return 0;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	assert_int_equal(why->status, WEFT_OK);
	((struct world *)user)->closes++;
}

static enum weft_status hold_back(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = { .on_data = take_nothing, .on_close = on_close };

	((struct world *)user)->requests++;
	weft_stream_set_ops(s, &ops, user);
	return WEFT_OK;
}

static void set_true(void *user)
{
	*(bool *)user = true;
}

static void a_context_ends_though_the_application_takes_nothing(void **state)
{
	bool done = false;
	struct world w;

	(void)state;
	open_world(&w, "probe", hold_back);
	probe.done = true;
	say(&w, "x");
	for (unsigned i = 0; i < TURNS_MAX && !w.requests; i++)
		turn(&w);
	weft_transport_destroy(w.end);
	weft_context_destroy(w.ctx, 10, set_true, &done);
	for (unsigned i = 0; i < TURNS_MAX && !done; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	assert_true(done);
	assert_int_equal(w.closes, 1);
	weft_registry_release(w.registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_connection_ends_with_its_vhost),
		cmocka_unit_test(
			a_vhost_destroyed_in_its_handler_answers_that_request_and_no_other),
		cmocka_unit_test(a_role_is_not_told_to_drain_while_its_input_runs),
		cmocka_unit_test(a_head_is_refused_while_the_role_leaves),
		cmocka_unit_test(a_context_ends_though_the_application_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
