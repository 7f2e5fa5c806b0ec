/* SPDX-License-Identifier: MIT */
/*
 * Everything may be ended inside everything: the context in each callback there is, a stream while its body
 * is asked for again; and what is not allowed in a callback is refused, not done.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

enum spot {
	IN_HANDLER,
	IN_SERVER_DATA,
	IN_SERVER_END,
	IN_SERVER_CLOSE,
	IN_CLIENT_DATA,
	IN_CLIENT_END,
	IN_CLIENT_CLOSE,
	IN_WRITABLE,
	IN_TIMER,
	IN_POST,
	IN_DRAINED,
	SPOTS,
};

static const char *const loops[] = {
#ifdef WEFT_HAVE_EVENT_POLL
	"poll",
#endif
#ifdef WEFT_HAVE_EVENT_LIBEVENT
	"libevent",
#endif
	NULL,
};

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_route routes[2];
	struct weft_stream *client;
	struct weft_timer timer;
	enum spot spot; /* where it happens; SPOTS: nowhere */
	void (*happens)(struct world *w);
	unsigned happened, opened, closes, dones;
};

static void at(struct world *w, enum spot spot)
{
	if (spot != w->spot)
		return;
	w->happened++;
	w->happens(w);
}

/* ---- an echo, and its client, which writes more than is taken at once ---- */

static size_t server_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)weft_stream_write(s, bytes, len < 16 ? len : 16);
	at(user, IN_SERVER_DATA);
	return len;
}

static void server_end(struct weft_stream *s, void *user)
{
	weft_stream_finish(s);
	at(user, IN_SERVER_END);
}

static void server_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct world *)user)->closes++;
	at(user, IN_SERVER_CLOSE);
}

static const struct weft_stream_ops server_ops = {
	.on_data = server_data,
	.on_end = server_end,
	.on_close = server_close,
};

static enum weft_status handler(struct weft_stream *s, void *user)
{
	struct world *w = user;

	weft_stream_set_ops(s, &server_ops, w);
	w->opened++;
	at(w, IN_HANDLER);
	return WEFT_OK;
}

static size_t client_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	at(user, IN_CLIENT_DATA);
	return len;
}

static void client_end(struct weft_stream *s, void *user)
{
	(void)s;
	at(user, IN_CLIENT_END);
}

static void client_writable(struct weft_stream *s, void *user)
{
	weft_stream_finish(s);
	at(user, IN_WRITABLE);
}

static void client_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct world *)user)->closes++;
	at(user, IN_CLIENT_CLOSE);
}

static const struct weft_stream_ops client_ops = {
	.on_data = client_data,
	.on_end = client_end,
	.on_writable = client_writable,
	.on_close = client_close,
};

static void timer_due(struct weft_timer *timer, void *user)
{
	(void)timer;
	at(user, IN_TIMER);
}

static void posted(void *user)
{
	at(user, IN_POST);
}

static void drained(void *user)
{
	at(user, IN_DRAINED);
}

static void done(void *user)
{
	((struct world *)user)->dones++;
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_context(struct world *w, const char *event)
{
	const struct weft_context_options o = {
		.event = event, .tls = "none", .log = no_log, .linger_ms = 10, .write_high = 4096
	};

	*w = (struct world){ .routes = { { .prefix = "", .on_request = handler } }, .spot = SPOTS };
	w->routes[0].user = w;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
}

static void open_world(struct world *w, const char *event)
{
	static const char much[8192];
	struct weft_stream_options so = { .body = true };
	struct weft_vhost_options v = { .name = "a", .listen = "tcp://127.0.0.1:0" };
	char url[80];

	open_context(w, event);
	v.routes = w->routes;
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(w->vh, 0, url, sizeof(url)), WEFT_OK);
	so.url = url;
	assert_int_equal(weft_stream_open(w->ctx, &so, &client_ops, w, &w->client, NULL), WEFT_OK);
	w->opened++;
	assert_int_equal(weft_stream_write(w->client, much, sizeof(much)), 4096);
	weft_timer_set(w->ctx, &w->timer, 1000, timer_due, w);
	assert_int_equal(weft_post(weft_context_id(w->ctx), posted, w, NULL), WEFT_OK);
}

static void destroy_now(struct world *w)
{
	weft_timer_cancel(w->ctx, &w->timer);
	weft_context_destroy(w->ctx, 0, done, w);
	/* never while somebody's callback is on the stack */
	assert_int_equal(w->dones, 0);
}

static void the_context_may_end_in_any_callback(void **state)
{
	for (enum spot spot = 0; spot < SPOTS; spot++) {
		struct world w;
		enum weft_status st = WEFT_OK;

		open_world(&w, *state);
		w.spot = spot;
		w.happens = destroy_now;
		if (spot == IN_DRAINED)
			weft_context_drain(w.ctx, 0, drained, &w);
		for (unsigned i = 0; i < TURNS_MAX && st != WEFT_EOF; i++) {
			st = weft_context_turn(w.ctx, 2);
			assert_true(st >= 0);
		}
		assert_int_equal(st, WEFT_EOF);
		assert_int_equal(w.dones, 1);
		assert_int_equal(w.happened, 1);
		assert_int_equal(w.closes, w.opened);
	}
}

static void turn_again(struct world *w)
{
	assert_int_equal(weft_context_turn(w->ctx, 0), WEFT_ERR_STATE);
	assert_int_equal(weft_context_run(w->ctx), WEFT_ERR_STATE);
	w->spot = SPOTS;
}

static void a_turn_within_a_turn_is_refused(void **state)
{
	for (enum spot spot = 0; spot < IN_DRAINED; spot++) {
		struct world w;

		open_world(&w, *state);
		w.spot = spot;
		w.happens = turn_again;
		for (unsigned i = 0; i < TURNS_MAX && w.spot != SPOTS; i++)
			assert_true(weft_context_turn(w.ctx, 2) >= 0);
		assert_int_equal(w.happened, 1);
		weft_timer_cancel(w.ctx, &w.timer);
		weft_context_destroy(w.ctx, 0, done, &w);
		assert_int_equal(w.dones, 1);
		assert_int_equal(w.closes, w.opened);
	}
}

/* ---- a body that is asked for again ---- */

static int listen_at(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* Reads what comes first, then resets. */
static void cut_one(struct world *w, int listener)
{
	static const struct linger at_once = { 1, 0 };
	char bytes[512];
	int fd = -1;

	for (unsigned i = 0; i < TURNS_MAX && fd < 0; i++) {
		assert_true(weft_context_turn(w->ctx, 2) >= 0);
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	}
	assert_true(fd >= 0);
	for (unsigned i = 0; i < TURNS_MAX && recv(fd, bytes, sizeof(bytes), 0) <= 0; i++)
		assert_true(weft_context_turn(w->ctx, 2) >= 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static enum weft_status close_instead(struct weft_stream *s, void *user)
{
	((struct world *)user)->happened++;
	weft_stream_close(s);
	return WEFT_OK;
}

static const struct weft_stream_ops rewind_ops = {
	.body_rewind = close_instead,
	.on_close = client_close,
};

static void a_stream_may_be_closed_while_its_body_is_asked_for_again(void **state)
{
	struct weft_stream_options so = { .method = "PUT", .body = true, .body_len = 10 };
	struct world w;
	unsigned port;
	char url[80];
	int listener = listen_at(&port);

	open_context(&w, *state);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	so.url = url;
	so.idempotent = true;
	so.share = WEFT_SHARE_POOL;
	assert_int_equal(weft_stream_open(w.ctx, &so, &rewind_ops, &w, &w.client, NULL), WEFT_OK);
	assert_int_equal(weft_stream_write(w.client, "12345", 5), 5);
	cut_one(&w, listener);
	for (unsigned i = 0; i < TURNS_MAX && !w.closes; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	assert_int_equal(w.happened, 1);
	assert_int_equal(w.closes, 1);
	weft_context_destroy(w.ctx, 0, done, &w);
	assert_int_equal(w.dones, 1);
	close(listener);
}

/* ---- timers ---- */

enum { ENOUGH = 1000 };

static void set_again(struct weft_timer *timer, void *user)
{
	struct world *w = user;

	if (++w->happened < ENOUGH)
		weft_timer_set(w->ctx, timer, 0, set_again, w);
}

static void a_timer_that_sets_itself_leaves_room_for_the_rest_of_the_turn(void **state)
{
	struct world w;

	open_context(&w, *state);
	weft_timer_set(w.ctx, &w.timer, 0, set_again, &w);
	for (unsigned i = 0; i < TURNS_MAX && !w.happened; i++)
		assert_int_equal(weft_context_turn(w.ctx, 2), WEFT_OK);
	assert_int_equal(w.happened, 1);
	weft_timer_cancel(w.ctx, &w.timer);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
}

static void a_timer_that_outlives_its_context_can_be_set_in_another(void **state)
{
	struct weft_timer timer = { .queued = false };
	struct world w;

	open_context(&w, *state);
	weft_timer_set(w.ctx, &timer, 1000, timer_due, &w);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	assert_false(timer.queued);
	open_context(&w, *state);
	w.spot = IN_TIMER;
	w.happens = destroy_now;
	weft_timer_set(w.ctx, &timer, 1000, timer_due, &w);
	assert_int_equal(weft_context_run(w.ctx), WEFT_OK);
	assert_int_equal(w.dones, 1);
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; loops[i]; i++) {
		void *loop = (void *)(uintptr_t)loops[i];
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(the_context_may_end_in_any_callback, loop),
			cmocka_unit_test_prestate(a_turn_within_a_turn_is_refused, loop),
			cmocka_unit_test_prestate(
				a_stream_may_be_closed_while_its_body_is_asked_for_again, loop),
			cmocka_unit_test_prestate(
				a_timer_that_sets_itself_leaves_room_for_the_rest_of_the_turn,
				loop),
			cmocka_unit_test_prestate(
				a_timer_that_outlives_its_context_can_be_set_in_another, loop),
		};

		failed += cmocka_run_group_tests_name(loops[i], tests, NULL, NULL);
	}
	return failed;
}
