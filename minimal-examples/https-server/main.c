/* SPDX-License-Identifier: MIT */
/* A server with a certificate of its own; each answer tells what the TLS connection agreed on. */
#include <signal.h>
#include <stdio.h>

#include "weft/weft.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	struct weft_conn_info conn;
	char text[512];
	int len;

	(void)user;
	if (weft_stream_conn_info(s, &conn))
		return WEFT_ERR_STATE;
	len = snprintf(text, sizeof(text), "TLS 1.%u, %s\nprotocol %s\nname %.200s\n",
		(conn.tls_version & 0xffu) - 1, conn.tls_cipher,
		conn.alpn[0] ? conn.alpn : "not negotiated", conn.sni[0] ? conn.sni : "not sent");
	return weft_http_reply(s, 200, "text/plain", text, (size_t)len);
}

static const struct weft_route routes[] = {
	{ .prefix = "/", .on_request = on_request },
	{ .on_request = NULL },
};

static enum weft_status start(
	struct weft_context *ctx, char **files, const char *port, struct weft_error *err)
{
	struct weft_vhost_options options = {
		.name = "localhost",
		.cert_file = files[0],
		.key_file = files[1],
		.routes = routes,
	};
	struct weft_vhost *vhost;
	enum weft_status st;
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%s", port);
	options.listen = url;
	st = weft_vhost_create(ctx, &options, &vhost, err);
	if (st == WEFT_OK)
		st = weft_vhost_listener(vhost, 0, url, sizeof(url));
	if (st)
		return st;
	printf("listening %s, TLS by %s\n", url, weft_context_tls(ctx));
	fflush(stdout);
	return WEFT_OK;
}

int main(int argc, char **argv)
{
	struct weft_context *ctx;
	struct weft_error err;

	if (argc < 3) {
		fprintf(stderr, "usage: https-server CERT.pem KEY.pem [PORT]\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (weft_context_create(NULL, &ctx, &err)) {
		weft_error_print(stderr, &err);
		return 1;
	}
	if (start(ctx, argv + 1, argc > 3 ? argv[3] : "8443", &err)) {
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
