/* SPDX-License-Identifier: MIT */
/*
 * The peer on libwebsockets: /hello of 13 bytes, and files.
 * bench-lws PORT FOLDER [CERT KEY]; with a certificate the port speaks TLS.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hello[] = "Hello, World\n";

static int reply_hello(struct lws *wsi)
{
	unsigned char buf[LWS_PRE + 1024], *start = buf + LWS_PRE, *p = start;
	unsigned char *end = buf + sizeof(buf);

	if (lws_add_http_common_headers(
		    wsi, HTTP_STATUS_OK, "text/plain", sizeof(hello) - 1, &p, end) ||
		lws_finalize_http_header(wsi, &p, end))
		return -1;
	/* head and body in one write: the best that it can do */
	memcpy(p, hello, sizeof(hello) - 1);
	p += sizeof(hello) - 1;
	if (lws_write(wsi, start, (size_t)(p - start), LWS_WRITE_HTTP_HEADERS) < 0)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_http(
	struct lws *wsi, enum lws_callback_reasons reason, void *session, void *in, size_t len)
{
	const char *folder = lws_context_user(lws_get_context(wsi));
	char path[512];
	int n;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
		if (len == 6 && !memcmp(in, "/hello", 6))
			return reply_hello(wsi);
		snprintf(path, sizeof(path), "%s%s", folder, (const char *)in);
		n = lws_serve_http_file(wsi, path, "application/octet-stream", NULL, 0);
		return n < 0 || (n > 0 && lws_http_transaction_completed(wsi)) ? -1 : 0;
	case LWS_CALLBACK_HTTP_FILE_COMPLETION:
		return lws_http_transaction_completed(wsi) ? -1 : 0;
	default:
		return lws_callback_http_dummy(wsi, reason, session, in, len);
	}
}

int main(int argc, char **argv)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "http", .callback = on_http },
		{ .name = NULL },
	};
	struct lws_context_creation_info info = { .iface = "127.0.0.1" };
	struct lws_context *ctx;

	if (argc != 3 && argc != 5) {
		fputs("usage: bench-lws PORT FOLDER [CERT KEY]\n", stderr);
		return 2;
	}
	lws_set_log_level(LLL_ERR, NULL);
	info.port = atoi(argv[1]);
	info.user = argv[2];
	info.protocols = protocols;
	info.keepalive_timeout = 3600;
	if (argc == 5) {
		info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.alpn = "http/1.1";
		info.ssl_cert_filepath = argv[3];
		info.ssl_private_key_filepath = argv[4];
	}
	ctx = lws_create_context(&info);
	if (!ctx)
		return 1;
	while (lws_service(ctx, 0) >= 0)
		continue;
	lws_context_destroy(ctx);
	return 0;
}
