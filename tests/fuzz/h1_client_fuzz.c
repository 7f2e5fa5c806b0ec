/* SPDX-License-Identifier: MIT */
/*
 * A whole HTTP/1.1 client over memory, whose server says anything, in pieces, and ends. What the stream is
 * told must be what the slow reader of reference.c says of the same bytes. The first byte: 'H' for HEAD.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/peer.h"
#include "tests/fuzz/reference.h"
#include "weft/http.h"

enum { INFORMATIONAL_MAX = 100 };

static struct {
	unsigned informational, status, trailers;
	size_t field_count, len;
	uint8_t *body;
	bool ended, closed;
	enum weft_status why;
} seen;

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)user;
	must(!seen.ended && !seen.closed);
	switch (kind) {
	case WEFT_HEAD_INFORMATIONAL:
		must(!seen.status && head->status / 100 == 1);
		seen.informational++;
		break;
	case WEFT_HEAD_FINAL:
		must(!seen.status && head->status);
		seen.status = head->status;
		seen.field_count = head->field_count;
		break;
	default:
		must(seen.status && !seen.trailers++);
	}
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	must(seen.status && !seen.ended && !seen.closed && len);
	seen.body = realloc(seen.body, seen.len + len);
	must(seen.body);
	memcpy(seen.body + seen.len, bytes, len);
	seen.len += len;
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	must(seen.status && !seen.ended && !seen.closed);
	seen.ended = true;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	must(!seen.closed);
	seen.closed = true;
	seen.why = why->status;
}

static const struct weft_stream_ops ops = {
	.on_head = on_head, .on_data = on_data, .on_end = on_end, .on_close = on_close
};

static bool refused(void)
{
	return seen.why == WEFT_ERR_PROTOCOL || seen.why == WEFT_ERR_LIMIT;
}

static void judge_final(const struct ref_message *r, const uint8_t *body)
{
	must(seen.status == r->status && seen.field_count == r->count);
	must(seen.len <= r->body_len && (!seen.len || !memcmp(seen.body, body, seen.len)));
	must(seen.ended == (seen.why == WEFT_OK));
	switch (r->body) {
	case REF_ACCEPTED:
		must(seen.why == WEFT_OK && seen.len == r->body_len);
		break;
	case REF_REFUSED:
		must(refused());
		break;
	default:
		must(seen.why == WEFT_ERR_TRUNCATED || refused());
	}
}

static void judge(uint8_t *in, size_t len, const char *method, uint8_t *body)
{
	struct ref_message r;
	unsigned informational = 0;
	size_t at = 0;

	must(seen.closed);
	for (;; at += r.head_len) {
		ref_response(in + at, len - at, method, body, &r);
		if (r.head != REF_ACCEPTED || r.status / 100 != 1 || r.status == 101)
			break;
		if (++informational > INFORMATIONAL_MAX)
			break;
	}
	if (informational > INFORMATIONAL_MAX) {
		must(seen.why == WEFT_ERR_LIMIT);
		return;
	}
	must(seen.informational == informational);
	if (r.head == REF_ACCEPTED && r.status != 101) {
		judge_final(&r, body);
		return;
	}
	must(!seen.status && !seen.ended);
	must(refused() || (r.head == REF_INCOMPLETE && seen.why == WEFT_ERR_TRUNCATED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weft_request request = { .url = "http://a/", .method = "GET" };
	struct weft_stream *stream;
	struct weft_error err;
	struct fuzz_peer p;
	uint8_t *in, *body;

	if (len < 2)
		return 0;
	memset(&seen, 0, sizeof(seen));
	if (data[0] == 'H')
		request.method = "HEAD";
	fuzz_peer_make(&p, &request.stream.transport);
	must(!weft_http_open(fuzz_context(), &request, &ops, NULL, &stream, &err));
	while (!strstr(p.got, "\r\n\r\n"))
		fuzz_peer_feed(&p, data, 0, 1);
	fuzz_peer_feed(&p, data + 2, len - 2, data[1] == '!' ? len : 1u + data[1] % 64);
	fuzz_peer_finish(&p);
	in = fuzz_bytes(data + 2, len - 2);
	body = fuzz_bytes(data + 2, len - 2);
	judge(in, len - 2, request.method, body);
	free(in);
	free(body);
	free(seen.body);
	fuzz_peer_close(&p);
	return 0;
}
