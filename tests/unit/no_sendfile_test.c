/* SPDX-License-Identifier: MIT */
/* A loop whose net has no sendfile, which is optional: files are sent all the same. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/plugin/event.h"
#include "weft/plugin/plugin.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000, FILE_LEN = 100000 };

struct world {
	int fd;
	unsigned char bytes[FILE_LEN], got[FILE_LEN];
	size_t len;
	bool closed;
};

static enum weft_status send_it(struct weft_stream *s, void *user)
{
	struct world *w = user;
	const struct weft_segment seg = {
		.kind = WEFT_SEGMENT_FILE, .fd = w->fd, .off = 0, .len = FILE_LEN
	};
	enum weft_status st = weft_stream_write_segment(s, &seg);

	weft_stream_finish(s);
	return st;
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct world *w = user;

	(void)s;
	assert_true(w->len + len <= FILE_LEN);
	memcpy(w->got + w->len, bytes, len);
	w->len += len;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	assert_int_equal(why->status, WEFT_OK);
	((struct world *)user)->closed = true;
}

static void files_are_sent_without_sendfile(void **state)
{
	static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };
	static struct world w;
	const struct weft_route routes[] = { { .prefix = "", .on_request = send_it, .user = &w },
		{ .prefix = NULL } };
	const struct weft_vhost_options v = {
		.name = "a", .listen = "tcp://127.0.0.1:0", .routes = routes
	};
	struct weft_context_options o = { .event = "bare", .tls = "none" };
	struct weft_net_ops net = weft_net_posix;
	struct weft_event_ops event;
	struct weft_plugin bare = { WEFT_PLUGIN_HEAD, .kind = WEFT_PLUGIN_EVENT, .name = "bare",
		.version = "1", .event = &event };
	struct weft_stream_options so = { .url = NULL };
	char name[] = "/tmp/weft-test-XXXXXX", url[80];
	const struct weft_plugin *poll;
	struct weft_context *ctx;
	struct weft_stream *s;
	struct weft_vhost *vh;

	(void)state;
	for (size_t i = 0; i < FILE_LEN; i++)
		w.bytes[i] = (unsigned char)(i * 7 + i / 256);
	w.fd = mkstemp(name);
	assert_true(w.fd >= 0);
	unlink(name);
	assert_int_equal(write(w.fd, w.bytes, FILE_LEN), FILE_LEN);
	assert_int_equal(weft_registry_create(NULL, &o.registry, NULL), WEFT_OK);
	assert_int_equal(
		weft_registry_find(o.registry, WEFT_PLUGIN_EVENT, "poll", &poll, NULL), WEFT_OK);
	event = *poll->event;
	net.sendfile = NULL;
	event.net = &net;
	assert_int_equal(weft_registry_add(o.registry, &bare, NULL, NULL), WEFT_OK);
	assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	so.url = url;
	assert_int_equal(weft_stream_open(ctx, &so, &ops, &w, &s, NULL), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && !w.closed; i++)
		assert_true(weft_context_turn(ctx, 2) >= 0);
	assert_int_equal(w.len, FILE_LEN);
	assert_memory_equal(w.got, w.bytes, FILE_LEN);
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_registry_release(o.registry);
	close(w.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_sent_without_sendfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
