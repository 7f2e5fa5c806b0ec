/* SPDX-License-Identifier: MIT */
/*
 * Weft's server for benchmarks: /hello of 13 bytes, and files.
 * bench-server LOOP TLS FOLDER PORT [TLS-PORT CERT KEY tickets|no-tickets]
 */
#include <stdio.h>
#include <string.h>

#include "weft/weft.h"

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

static enum weft_status listen_at(
	struct weft_vhost *vh, const char *scheme, const char *port, struct weft_error *err)
{
	char url[64];

	snprintf(url, sizeof(url), "%s://127.0.0.1:%s", scheme, port);
	return weft_vhost_listen(vh, url, err);
}

int main(int argc, char **argv)
{
	struct weft_route routes[] = {
		{ .path = "/hello", .on_request = hello },
		{ .prefix = "/", .on_request = weft_http_files },
		{ .on_request = NULL },
	};
	struct weft_context_options options = { .idle_ms = 3600 * 1000 };
	struct weft_vhost_options vhost = { .name = "localhost", .routes = routes };
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_error err;

	if (argc != 5 && argc != 9) {
		fputs("usage: bench-server LOOP TLS FOLDER PORT [TLS-PORT CERT KEY "
		      "tickets|no-tickets]\n",
			stderr);
		return 2;
	}
	options.event = argv[1];
	options.tls = argv[2];
	routes[1].user = argv[3];
	if (argc == 9) {
		vhost.cert_file = argv[6];
		vhost.key_file = argv[7];
		vhost.no_tickets = !strcmp(argv[8], "no-tickets");
	}
	if (weft_context_create(&options, &ctx, &err) ||
		weft_vhost_create(ctx, &vhost, &vh, &err) || listen_at(vh, "http", argv[4], &err) ||
		(argc == 9 && listen_at(vh, "https", argv[5], &err))) {
		weft_error_print(stderr, &err);
		return 1;
	}
	return weft_context_run(ctx) ? 1 : 0;
}
