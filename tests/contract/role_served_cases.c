/* SPDX-License-Identifier: MIT */
/* The handlers that the suite's servers share. */
#include "tests/contract/role_served.h"

#include <stdio.h>

struct served served;

static void got_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	const struct weft_field *f = weft_head_find(head, "check");

	(void)s;
	(void)user;
	assert_int_equal(kind, WEFT_HEAD_TRAILER);
	assert_false(served.ended);
	snprintf(served.trailer, sizeof(served.trailer), "%s", f ? f->value : "");
}

static size_t got_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	if (served.hold)
		return 0;
	for (size_t i = 0; i < len; i++, served.len++) {
		if (served.len < sizeof(served.body) - 1)
			served.body[served.len] = ((const char *)bytes)[i];
	}
	return len;
}

static void got_end(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	served.ended = true;
}

void served_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	served.closes++;
	served.why = *why;
	served.stream = NULL;
}

const struct weft_stream_ops served_ops = {
	.on_head = got_head,
	.on_data = got_data,
	.on_end = got_end,
	.on_close = served_close,
};

enum weft_status served_keep(struct weft_stream *s, void *user)
{
	(void)user;
	served.stream = s;
	weft_stream_set_ops(s, &served_ops, NULL);
	return WEFT_OK;
}

static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void echo_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static void echo_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

const struct weft_stream_ops served_echo_ops = {
	.on_data = echo_data,
	.on_end = echo_end,
	.on_writable = echo_writable,
	.on_close = served_close,
};

void served_wait(struct world *w, unsigned closes)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && served.closes < closes; i++)
		world_turn(w);
	assert_int_equal(served.closes, closes);
}
