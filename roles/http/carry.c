/* SPDX-License-Identifier: MIT */
/* Requests for a role on their own stream: accepted, or told how to ask. */
#include "roles/http/carry.h"

#include <stdio.h>
#include <string.h>

#include "weft/http.h"

enum { HTTP_2 = 20 };

/* A 426 names what is spoken here; where nobody upgrades by a field, an offer of something else is 501. */
static unsigned refusal(const struct weft_head *request, const char *token, char *text, size_t len)
{
	if (request->version < HTTP_2) {
		snprintf(text, len, "426 Upgrade Required: here it is \"upgrade: %s\"\n", token);
		return 426;
	}
	if (weft_head_find(request, "upgrade")) {
		snprintf(text, len, "501 Not Implemented: here :protocol is %s\n", token);
		return 501;
	}
	snprintf(text, len, "400 Bad Request: here it is CONNECT with :protocol %s\n", token);
	return 400;
}

static enum weft_status refuse(struct weft_stream *s, const char *token, struct weft_error *err)
{
	const struct weft_head *request = weft_stream_request(s);
	const struct weft_field fields[] = {
		weft_field("content-type", "text/plain; charset=utf-8"),
		weft_field("upgrade", token),
	};
	char text[128];
	struct weft_head head = { .fields = fields, .field_count = 2 };
	bool bare = request->method && !strcmp(request->method, "HEAD");
	enum weft_status st;

	head.status = refusal(request, token, text, sizeof(text));
	head.body_len = (int64_t)strlen(text);
	if (head.status != 426)
		head.field_count--;
	st = weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, bare, err);
	if (st)
		return st;
	if (!bare)
		(void)weft_stream_write(s, text, strlen(text));
	weft_stream_finish(s);
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"the request does not ask for \"%s\", and was answered %u", token, head.status);
}

enum weft_status weft_http_carry(
	void *state, struct weft_stream *s, const char *token, struct weft_error *err)
{
	(void)state;
	/* with a body to come, or the connection to be closed, an offer is as good as none */
	if (weft_http_accept_upgrade(s, token) == WEFT_OK)
		return WEFT_OK;
	return refuse(s, token, err);
}
