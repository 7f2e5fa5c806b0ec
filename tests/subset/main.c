/* SPDX-License-Identifier: MIT */
/*
 * The part of the weft command that scripts/check-subsets needs, for builds that have none: which plugins there
 * are, a server, a client. Nothing but the public API, no JSON, no thread.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "weft/weft.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int fail(const struct weft_error *err)
{
	weft_error_print(stderr, err);
	return 1;
}

/* ---- plugins [MODULE] ---- */

static int list_plugins(const char *module)
{
	struct weft_plugin_info info;
	struct weft_registry *r;
	struct weft_error err;
	int code = 0;

	if (weft_registry_create(NULL, &r, &err))
		return fail(&err);
	if (module && weft_registry_load(r, module, &err))
		code = fail(&err);
	for (size_t i = 0; !code && weft_registry_info(r, i, &info); i++)
		printf("%s-%s\n", info.kind, info.name);
	weft_registry_release(r);
	return code;
}

/* ---- serve URL [CERT KEY] ---- */

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

static const struct weft_route routes[] = {
	{ .path = "/hello", .on_request = hello },
	{ .on_request = NULL },
};

static int serve(struct weft_context *ctx, const char *listen, char **files)
{
	const struct weft_vhost_options options = {
		.name = "localhost",
		.listen = listen,
		.routes = routes,
		.cert_file = files ? files[0] : NULL,
		.key_file = files ? files[1] : NULL,
	};
	struct weft_vhost *vhost;
	struct weft_error err;
	char url[128];

	if (weft_vhost_create(ctx, &options, &vhost, &err) ||
		weft_vhost_listener(vhost, 0, url, sizeof(url)))
		return fail(&err);
	printf("listening %s\n", url);
	fflush(stdout);
	while (!stopped && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	return 0;
}

/* ---- get URL [CA] ---- */

struct fetch {
	bool over, failed;
};

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	return fwrite(bytes, 1, len, stdout);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct fetch *f = user;

	(void)s;
	f->over = true;
	f->failed = why->status != WEFT_OK;
	if (f->failed)
		weft_error_print(stderr, why);
}

static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };

static int get(struct weft_context *ctx, const char *url, const char *ca_file)
{
	const struct weft_trust trust = { .ca_file = ca_file };
	const struct weft_request request = { .url = url, .trust = ca_file ? &trust : NULL };
	struct fetch f = { .over = false };
	struct weft_stream *stream;
	struct weft_error err;

	if (weft_http_open(ctx, &request, &ops, &f, &stream, &err))
		return fail(&err);
	while (!f.over && weft_context_turn(ctx, 1000) == WEFT_OK)
		continue;
	return f.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct weft_context *ctx;
	struct weft_error err;
	int code;

	if (!strcmp(what, "plugins"))
		return list_plugins(argv[2]);
	if (argc < 3 || (strcmp(what, "serve") && strcmp(what, "get"))) {
		fprintf(stderr,
			"usage: subset plugins [MODULE] | serve URL [CERT KEY] | get URL [CA]\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (weft_context_create(NULL, &ctx, &err))
		return fail(&err);
	code = what[0] == 's' ? serve(ctx, argv[2], argc > 4 ? argv + 3 : NULL)
			      : get(ctx, argv[2], argv[3]);
	weft_context_destroy(ctx, 0, NULL, NULL);
	return code;
}
