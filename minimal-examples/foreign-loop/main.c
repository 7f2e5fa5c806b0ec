/* SPDX-License-Identifier: MIT */
/*
 * An application that has a libevent loop already, with a timer and a pipe in it, lends it to Weft for
 * one request. Afterwards the loop is as it was, and goes on.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "weft/weft.h"

enum { TICKS_AFTER = 3 };

struct app {
	struct event_base *base;
	struct weft_context *ctx; /* NULL: Weft is gone */
	int pipe[2], ticks_after, rc;
};

/* The application's own timer writes into the application's own pipe. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct app *app = arg;

	(void)fd;
	(void)what;
	if (write(app->pipe[1], "t", 1) != 1)
		event_base_loopbreak(app->base);
}

static void on_pipe(evutil_socket_t fd, short what, void *arg)
{
	struct app *app = arg;
	char tick;

	(void)what;
	if (read(fd, &tick, 1) != 1)
		return;
	printf("tick %s\n", app->ctx ? "with Weft" : "after Weft");
	if (!app->ctx && ++app->ticks_after == TICKS_AFTER)
		event_base_loopbreak(app->base);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct app *app = arg;

	(void)sig;
	(void)what;
	app->rc = 1;
	event_base_loopbreak(app->base);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	return fwrite(bytes, 1, len, stdout);
}

static void on_gone(void *user)
{
	((struct app *)user)->ctx = NULL;
}

/* Destroying is legal in any callback; the memory goes at the end of Weft's turn. */
static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct app *app = user;

	if (why->status)
		app->rc = weft_error_print(stderr, why) != WEFT_OK;
	else
		printf("status %u\n", weft_stream_response(s)->status);
	weft_context_destroy(app->ctx, 0, on_gone, app);
}

static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };

static enum weft_status fetch(struct app *app, const char *url, struct weft_error *err)
{
	const struct weft_context_options options = {
		.event = "libevent",
		.foreign_loop = app->base,
	};
	const struct weft_request request = { .url = url };
	struct weft_stream *stream;
	enum weft_status st = weft_context_create(&options, &app->ctx, err);

	return st ? st : weft_http_open(app->ctx, &request, &ops, app, &stream, err);
}

int main(int argc, char **argv)
{
	const struct timeval period = { .tv_usec = 20000 };
	struct app app = { .base = event_base_new() };
	struct event *events[4];
	struct weft_error err;

	if (argc != 2 || !app.base || pipe(app.pipe)) {
		fprintf(stderr, "usage: foreign-loop URL\n");
		return 2;
	}
	events[0] = event_new(app.base, -1, EV_PERSIST, on_timer, &app);
	events[1] = event_new(app.base, app.pipe[0], EV_READ | EV_PERSIST, on_pipe, &app);
	events[2] = evsignal_new(app.base, SIGINT, on_signal, &app);
	events[3] = evsignal_new(app.base, SIGTERM, on_signal, &app);
	for (size_t i = 0; i < 4; i++)
		event_add(events[i], i ? NULL : &period);
	if (fetch(&app, argv[1], &err))
		app.rc = weft_error_print(stderr, &err) != WEFT_OK;
	else
		event_base_dispatch(app.base);
	weft_context_destroy(app.ctx, 0, NULL, NULL);
	for (size_t i = 0; i < 4; i++)
		event_free(events[i]);
	event_base_free(app.base);
	return app.rc;
}
