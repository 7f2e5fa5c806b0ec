/* SPDX-License-Identifier: MIT */
/* A small client as a device has one, for scripts/size: one request, believing certificates in DER. */
#include <stdio.h>
#include <stdlib.h>

#include "weft/weft.h"

struct fetch {
	bool over;
	int code; /* of the program */
};

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct fetch *f = user;

	(void)s;
	if (kind == WEFT_HEAD_FINAL)
		f->code = head->status < 400 ? 0 : 1;
}

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
	if (why->status) {
		f->code = 1;
		weft_error_print(stderr, why);
	}
}

static const struct weft_stream_ops ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_close = on_close,
};

static size_t read_file(const char *name, void *out, size_t room)
{
	FILE *f = fopen(name, "rb");
	size_t len = f ? fread(out, 1, room, f) : 0;

	if (f)
		fclose(f);
	return len;
}

int main(int argc, char **argv)
{
	static unsigned char ca[16384];
	struct weft_trust trust = { .ca.ptr = ca };
	struct weft_request request = { .trust = &trust };
	struct fetch fetch = { .code = 1 };
	struct weft_stream *stream;
	struct weft_context *ctx;
	struct weft_error err;

	if (argc != 3) {
		fprintf(stderr, "usage: size-client URL CA.der\n");
		return 2;
	}
	request.url = argv[1];
	trust.ca.len = read_file(argv[2], ca, sizeof(ca));
	if (!trust.ca.len) {
		fprintf(stderr, "%s: cannot be read, or is empty\n", argv[2]);
		return 1;
	}
	if (weft_context_create(NULL, &ctx, &err)) {
		weft_error_print(stderr, &err);
		return 1;
	}
	if (weft_http_open(ctx, &request, &ops, &fetch, &stream, &err)) {
		weft_error_print(stderr, &err);
		fetch.over = true;
	}
	while (!fetch.over && weft_context_turn(ctx, 1000) == WEFT_OK)
		continue;
	weft_context_destroy(ctx, 0, NULL, NULL);
	return fetch.code;
}
