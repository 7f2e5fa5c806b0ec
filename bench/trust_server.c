/* SPDX-License-Identifier: MIT */
/* Whom the streams of bench-trust talk to: it sends back what comes, and ends when they do. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "trust.h"

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void on_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static void on_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static enum weft_status echo(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = on_data,
		.on_writable = on_writable,
		.on_end = on_end,
	};

	weft_stream_set_ops(s, &ops, user);
	return WEFT_OK;
}

_Noreturn static void serve(const struct trust_args *args, int tell)
{
	static const struct weft_route routes[] = {
		{ .prefix = "", .on_request = echo },
		{ .on_request = NULL },
	};
	char cert[512], key[512], url[512];
	struct weft_vhost_options vhost = {
		.name = "localhost",
		.listen = url,
		.cert_file = cert,
		.key_file = key,
		.routes = routes,
		.no_tickets = true,
	};
	struct weft_context_options options = {
		.event = args->event,
		.tls = args->tls,
		.idle_ms = 3600 * 1000,
	};
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_error err;

	snprintf(url, sizeof(url), "tls+unix:%s/socket", args->folder);
	snprintf(cert, sizeof(cert), "%s/server.pem", args->folder);
	snprintf(key, sizeof(key), "%s/server.key", args->folder);
	if (weft_context_create(&options, &ctx, &err) || weft_vhost_create(ctx, &vhost, &vh, &err))
		trust_die("the server", err.text);
	if (write(tell, "", 1) != 1)
		trust_die("the server", "nobody waits for it");
	close(tell);
	exit(weft_context_run(ctx) ? 1 : 0);
}

pid_t trust_server(const struct trust_args *args)
{
	char word;
	int ends[2];
	bool listens;
	pid_t pid;

	if (pipe(ends))
		trust_die("the server", "no pipe");
	pid = fork();
	if (pid < 0)
		trust_die("the server", "cannot fork");
	if (!pid) {
		/* whatever becomes of who measures, nothing is left behind */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		serve(args, ends[1]);
	}
	close(ends[1]);
	listens = read(ends[0], &word, 1) == 1;
	close(ends[0]);
	if (!listens)
		trust_die("the server", "does not listen");
	return pid;
}
