/* SPDX-License-Identifier: MIT */
/* Input that a role leaves for later is kept whole, or the connection ends: never with a hole in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/plugin/plugin.h"
#include "weft/plugin/role.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000, ENOUGH = 8 };

static bool no_memory;

/* ---- a role that waits for eight bytes ---- */

static struct {
	char got[ENOUGH + 1];
	bool fails; /* memory runs out as it leaves what is not enough */
	bool ended;
	struct weft_error why;
} eight;

static enum weft_status eight_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	(void)attach;
	(void)err;
	*state = &eight;
	return WEFT_OK;
}

static void eight_detach(void *state, const struct weft_error *why)
{
	(void)state;
	no_memory = false;
	eight.ended = true;
	eight.why = *why;
}

static enum weft_status eight_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	(void)state;
	(void)port;
	(void)fin;
	(void)err;
	*used = 0;
	no_memory = eight.fails;
	if (len < ENOUGH)
		return WEFT_OK;
	memcpy(eight.got, bytes, ENOUGH);
	*used = len;
	return WEFT_OK;
}

static enum weft_status eight_output(void *state, struct weft_error *err)
{
	(void)state;
	(void)err;
	return WEFT_OK;
}

static void eight_ready(void *state, struct weft_stream *s)
{
	(void)state;
	(void)s;
}

static void eight_credit(void *state, struct weft_stream *s, size_t n)
{
	(void)state;
	(void)s;
	(void)n;
}

static const struct weft_role_ops eight_ops = {
	.size = sizeof(eight_ops),
	.attach = eight_attach,
	.detach = eight_detach,
	.input = eight_input,
	.output = eight_output,
	.ready = eight_ready,
	.credit = eight_credit,
	.reset = eight_ready,
};

static const struct weft_scheme eight_schemes[] = { { .name = "eight", .port = 1 },
	{ .name = NULL } };

static const struct weft_role eight_role = {
	.size = sizeof(eight_role),
	.caps = WEFT_ROLE_SERVER,
	.schemes = eight_schemes,
	.input_limit = 64,
	.ops = &eight_ops,
};

static const struct weft_plugin eight_plugin = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "eight",
	.version = "1",
	.role = &eight_role,
};

/* ---- the world ---- */

struct world {
	struct weft_context *ctx;
	struct weft_registry *registry;
	struct weft_transport *end;
};

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	(void)user;
	return new_len && no_memory ? NULL
				    : weft_allocator_system.resize(NULL, ptr, old_len, new_len);
}

static const struct weft_allocator alloc = { .resize = resize };

static enum weft_status handler(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_OK;
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = handler }, { 0 } };

static void ignore(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void open_world(struct world *w)
{
	static const struct weft_transport_owner owner = { .ready = ignore };
	const struct weft_vhost_options v = { .name = "a", .routes = routes };
	struct weft_context_options o = {
		.event = "poll", .tls = "none", .allocator = &alloc, .linger_ms = 1
	};
	struct weft_transport *ends[2];
	struct weft_vhost *vh;

	memset(&eight, 0, sizeof(eight));
	assert_int_equal(weft_registry_create(NULL, &w->registry, NULL), WEFT_OK);
	assert_int_equal(weft_registry_add(w->registry, &eight_plugin, NULL, NULL), WEFT_OK);
	o.registry = w->registry;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(w->ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(vh, "eight", ends[0], NULL), WEFT_OK);
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

static void pieces_are_put_together(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	say(&w, "abc");
	for (unsigned i = 0; i < 3; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	say(&w, "defgh");
	for (unsigned i = 0; i < TURNS_MAX && !eight.got[0]; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	assert_string_equal(eight.got, "abcdefgh");
	close_world(&w);
}

static void no_memory_to_keep_a_piece_ends_the_connection(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	eight.fails = true;
	say(&w, "abc");
	for (unsigned i = 0; i < 10 && !eight.ended; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	no_memory = false;
	assert_true(eight.ended);
	assert_int_equal(eight.why.status, WEFT_ERR_MEMORY);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_put_together),
		cmocka_unit_test(no_memory_to_keep_a_piece_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
