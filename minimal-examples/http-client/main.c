/* SPDX-License-Identifier: MIT */
/* Several requests, asked for at once: those to the same place wait for, and share, one connection. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

/* The user pointer of each stream. */
struct fetch {
	const char *url;
	unsigned *running, *failed;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	const struct fetch *f = user;

	(void)s;
	if (kind == WEFT_HEAD_FINAL)
		printf("%s: %u %s\n", f->url, head->status, weft_http_reason(head->status));
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	return fwrite(bytes, 1, len, stdout);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	const struct fetch *f = user;

	(void)s;
	--*f->running;
	if (!why->status)
		return;
	++*f->failed;
	fprintf(stderr, "%s: %s\n", f->url, why->text);
}

static const struct weft_stream_ops ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_close = on_close,
};

static void open_one(struct weft_context *ctx, struct fetch *f, const char *ca_file)
{
	const struct weft_trust trust = { .ca_file = ca_file };
	const struct weft_request request = {
		.url = f->url,
		.share = WEFT_SHARE_POOL,
		.trust = ca_file ? &trust : NULL,
	};
	struct weft_stream *stream;
	struct weft_error err;

	/* nothing is called for a stream that did not open */
	if (weft_http_open(ctx, &request, &ops, f, &stream, &err)) {
		fprintf(stderr, "%s: %s\n", f->url, err.text);
		++*f->failed;
		return;
	}
	++*f->running;
}

int main(int argc, char **argv)
{
	const char *ca_file = argc > 3 && !strcmp(argv[1], "--cacert") ? argv[2] : NULL;
	int first = ca_file ? 3 : 1;
	unsigned running = 0, failed = 0;
	struct weft_counters counters;
	struct weft_context *ctx;
	struct weft_error err;
	struct fetch *fetches;

	if (argc <= first || argv[first][0] == '-') {
		fprintf(stderr, "usage: http-client [--cacert CA.pem] URL...\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	fetches = calloc((size_t)(argc - first), sizeof(*fetches));
	if (!fetches || weft_context_create(NULL, &ctx, &err)) {
		fprintf(stderr, "http-client: %s\n", fetches ? err.text : "no memory");
		free(fetches);
		return 1;
	}
	for (int i = first; i < argc; i++) {
		fetches[i - first] = (struct fetch){ argv[i], &running, &failed };
		open_one(ctx, &fetches[i - first], ca_file);
	}
	while (running && !stopped && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	weft_context_counters(ctx, &counters);
	printf("%d requests, %u failed, %llu connections opened\n", argc - first, failed,
		(unsigned long long)counters.conns_opened);
	weft_context_destroy(ctx, 0, NULL, NULL);
	free(fetches);
	return failed || stopped ? 1 : 0;
}
