/* SPDX-License-Identifier: MIT */
/* A web server: a fixed answer, one that is made for each request, and a directory of files. */
#include <signal.h>
#include <stdio.h>

#include "weft/weft.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* A body that is always the same is not copied. */
static enum weft_status on_hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	const struct weft_head *request = weft_stream_request(s);
	const struct weft_field *agent = weft_head_find(request, "user-agent");
	char text[1024], peer[WEFT_ADDRESS_TEXT_MAX];
	struct weft_conn_info conn;
	int len;

	(void)user;
	if (weft_stream_conn_info(s, &conn))
		return WEFT_ERR_STATE;
	len = snprintf(text, sizeof(text), "%s %.400s\nfrom %s\nby %.400s\n", request->method,
		request->target, weft_address_format(&conn.peer, peer, sizeof(peer)),
		agent ? agent->value : "nobody");
	return weft_http_reply(s, 200, "text/plain", text, (size_t)len);
}

static enum weft_status start(struct weft_context *ctx, const char *port,
	const struct weft_route *routes, struct weft_error *err)
{
	struct weft_vhost_options options = { .name = "localhost", .routes = routes };
	struct weft_vhost *vhost;
	enum weft_status st;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%s", port);
	options.listen = url;
	st = weft_vhost_create(ctx, &options, &vhost, err);
	if (st == WEFT_OK)
		st = weft_vhost_listener(vhost, 0, url, sizeof(url));
	if (st)
		return st;
	printf("listening %s\n", url);
	fflush(stdout);
	return WEFT_OK;
}

int main(int argc, char **argv)
{
	struct weft_route routes[] = {
		{ .path = "/hello", .on_request = on_hello },
		{ .path = "/request", .on_request = on_request },
		{ .on_request = NULL }, /* the files, where there is a directory */
		{ .on_request = NULL },
	};
	struct weft_context_options options = { .tls = "none" };
	struct weft_context *ctx;
	struct weft_error err;

	if (argc > 2)
		routes[2] = (struct weft_route){
			.prefix = "/", .on_request = weft_http_files, .user = argv[2]
		};
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (weft_context_create(&options, &ctx, &err)) {
		weft_error_print(stderr, &err);
		return 1;
	}
	if (start(ctx, argc > 1 ? argv[1] : "8080", routes, &err)) {
		weft_error_print(stderr, &err);
		weft_context_destroy(ctx, 0, NULL, NULL);
		return 1;
	}
	while (!stopped && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	/* what runs may finish within a second */
	weft_context_destroy(ctx, 1000, NULL, NULL);
	return weft_context_run(ctx) == WEFT_OK ? 0 : 1;
}
