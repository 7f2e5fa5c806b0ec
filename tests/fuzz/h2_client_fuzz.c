/* SPDX-License-Identifier: MIT */
/*
 * A whole HTTP/2 client over memory, whose server says anything, in pieces, and ends. Input: a byte for the method
 * ('H' HEAD, 'P' POST, else GET), one for the size of the pieces ('!': all at once), one that says whether the server's
 * SETTINGS are given ('S': no), frames. The stream's events come in order, and its end exactly once.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h2_frames.h"
#include "tests/fuzz/peer.h"
#include "weft/http.h"

static struct {
	unsigned status, trailers;
	bool ended, closed;
	enum weft_status why;
} seen;

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)user;
	must(!seen.ended && !seen.closed);
	for (size_t i = 0; i < head->field_count; i++)
		must(head->fields[i].name_len && head->fields[i].name[0] != ':');
	switch (kind) {
	case WEFT_HEAD_INFORMATIONAL:
		must(!seen.status && head->status / 100 == 1);
		break;
	case WEFT_HEAD_FINAL:
		must(!seen.status && head->status >= 200 && head->version == 20);
		seen.status = head->status;
		break;
	default:
		must(seen.status && !seen.trailers++);
	}
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	must(seen.status && !seen.ended && !seen.closed && bytes && len);
	must(*(const char *)user != 'H');
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
	must(seen.ended == (why->status == WEFT_OK));
	seen.closed = true;
	seen.why = why->status;
}

static const struct weft_stream_ops ops = {
	.on_head = on_head, .on_data = on_data, .on_end = on_end, .on_close = on_close
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const alpn[] = { "h2", NULL };
	static const uint8_t settings[] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };
	struct weft_request request = { .url = "http://a/", .stream.alpn = alpn };
	struct weft_stream *stream;
	struct weft_error err;
	struct fuzz_peer p;
	char method;

	if (len < 4)
		return 0;
	memset(&seen, 0, sizeof(seen));
	method = (char)data[0];
	request.method = method == 'H' ? "HEAD" : method == 'P' ? "POST" : "GET";
	if (method == 'P')
		request.body = (struct weft_span){ (const unsigned char *)"a body", 6 };
	fuzz_peer_make(&p, &request.stream.transport);
	must(!weft_http_open(fuzz_context(), &request, &ops, &method, &stream, &err));
	if (data[2] != 'S')
		fuzz_peer_feed(&p, settings, sizeof(settings), sizeof(settings));
	fuzz_peer_feed(&p, data + 3, len - 3, data[1] == '!' ? len : 1u + data[1] % 64);
	fuzz_peer_finish(&p);
	must(p.len < 24 || !memcmp(p.got, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24));
	if (p.len > 24)
		h2_frames_check((const uint8_t *)p.got + 24, p.len - 24,
			1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 |
				1u << 9);
	fuzz_peer_close(&p);
	must(seen.closed);
	return 0;
}
