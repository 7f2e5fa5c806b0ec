/* SPDX-License-Identifier: MIT */
/*
 * A whole HTTP/2 server over memory, fed with anything in pieces. Input: a byte for the size of the pieces ('!': all
 * at once), a byte that says whether the preface and SETTINGS are given ('P': no), frames. Whatever comes, the handler
 * is told of requests that are whole, each stream ends exactly once, what is answered are frames of a server, and
 * nothing is left behind.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h2_frames.h"
#include "tests/fuzz/peer.h"
#include "weft/http.h"
#include "weft/vhost.h"

static unsigned begun, ended;

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	size_t taken = 0;

	(void)user;
	must(len);
	/* an echo, which stops reading when its way back is full */
	if (bytes)
		taken = weft_stream_write(s, bytes, len);
	must(taken <= len);
	return taken;
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

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	must(why);
	ended++;
	must(ended <= begun);
}

static bool is_text(const char *text)
{
	must(text && *text);
	for (; *text; text++)
		must((unsigned char)*text > ' ' && *text != 0x7f);
	return true;
}

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops echo = { .on_data = on_data,
		.on_writable = on_writable,
		.on_end = on_end,
		.on_close = on_close };
	static const struct weft_stream_ops plain = { .on_close = on_close };
	const struct weft_head *head = weft_stream_request(s);
	static const struct weft_field trailer = { "x-trailer", 9, "yes", 3 };
	static const struct weft_head trailers = { .fields = &trailer, .field_count = 1 };

	(void)user;
	begun++;
	must(is_text(head->method) && is_text(head->target));
	must(head->version < 20 || is_text(head->authority));
	for (size_t i = 0; i < head->field_count; i++) {
		must(strlen(head->fields[i].name) == head->fields[i].name_len);
		must(strlen(head->fields[i].value) == head->fields[i].value_len);
	}
	weft_stream_set_ops(s, strcmp(head->method, "POST") ? &plain : &echo, NULL);
	if (!strcmp(head->method, "POST"))
		return weft_http_reply_head(s, 200, NULL, 0, -1);
	if (!strcmp(head->method, "CONNECT"))
		return weft_http_error(s, 403);
	if (strlen(head->target) % 2)
		return weft_http_reply(s, 200, "text/plain", "hello", 5);
	must(!weft_http_reply_head(s, 200, NULL, 0, -1));
	(void)weft_stream_write(s, "hello", 5);
	return weft_stream_send_head(s, &trailers, WEFT_HEAD_TRAILER, true, NULL);
}

static struct weft_vhost *vhost(void)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = on_request },
		{ .on_request = NULL } };
	const struct weft_vhost_options o = { .name = "fuzz", .routes = routes };
	static struct weft_vhost *vh;
	struct weft_error err;

	if (!vh)
		must(!weft_vhost_create(fuzz_context(), &o, &vh, &err));
	return vh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				      "\0\0\0\x04\0\0\0\0";
	struct weft_transport *other;
	struct weft_error err;
	struct fuzz_peer p;

	if (len < 3)
		return 0;
	begun = ended = 0;
	fuzz_peer_make(&p, &other);
	must(!weft_transport_serve(vhost(), "http", other, &err));
	if (data[1] != 'P')
		fuzz_peer_feed(&p, (const uint8_t *)preface, sizeof(preface), sizeof(preface));
	fuzz_peer_feed(&p, data + 2, len - 2, data[0] == '!' ? len : 1u + data[0] % 64);
	fuzz_peer_finish(&p);
	/* where it took it for HTTP/2 at all */
	if (data[1] != 'P')
		h2_frames_check((const uint8_t *)p.got, p.len,
			1u << 4 | 1u << 3 | 1u << 7 | 1u << 8 | 1u << 6 | 1u << 0 | 1u << 1 |
				1u << 9);
	fuzz_peer_close(&p);
	must(begun == ended);
	return 0;
}
