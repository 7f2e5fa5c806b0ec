/* SPDX-License-Identifier: MIT */
/*
 * Answers of proxies. The first byte says which kind, the second by how much each piece is longer: the verdict,
 * what was said and what is left for the tunnel are the same as in one piece. The rest of the input is
 * also read as a proxy's name, which must come back as it was written.
 */
#include "core/transport/proxy_talk.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	enum weft_status status;
	struct weft_buffer in, out;
	size_t used; /* bytes of the input up to the verdict */
	size_t held; /* the most that waited to be understood */
};

static void talk(
	struct outcome *o, enum weft_proxy_kind kind, const uint8_t *data, size_t len, size_t step)
{
	struct weft_proxy_talk t = { .kind = kind, .host = "a.test", .port = 443 };
	struct weft_error err = { .status = WEFT_OK };
	uint8_t *piece;
	size_t n;

	*o = (struct outcome){ .status = WEFT_AGAIN };
	weft_buffer_init(&o->in, &weft_allocator_system);
	weft_buffer_init(&o->out, &weft_allocator_system);
	o->status = weft_proxy_talk(&t, &o->in, &o->out, &err);
	must(o->status == WEFT_AGAIN && weft_buffer_len(&o->out));
	while (o->used < len && o->status == WEFT_AGAIN) {
		n = len - o->used < step ? len - o->used : step;
		piece = fuzz_bytes(data + o->used, n);
		weft_buffer_append(&o->in, piece, n);
		free(piece);
		o->used += n;
		o->status = weft_proxy_talk(&t, &o->in, &o->out, &err);
		if (o->status == WEFT_AGAIN && weft_buffer_len(&o->in) > o->held)
			o->held = weft_buffer_len(&o->in);
	}
	must(!o->in.failed && !o->out.failed);
	must(o->held < WEFT_PROXY_HEAD_MAX);
	if (o->status < 0)
		must(err.status == o->status && err.text[0]);
	else
		must(o->status == WEFT_OK || o->status == WEFT_AGAIN);
	for (const char *c = err.text; o->status < 0 && *c; c++)
		must(*c >= ' ' && *c < 0x7f);
	if (o->status == WEFT_OK) /* and for good */
		must(weft_proxy_talk(&t, &o->in, &o->out, &err) == WEFT_OK);
}

static void finish(struct outcome *o)
{
	weft_buffer_finish(&o->in);
	weft_buffer_finish(&o->out);
}

static void compare(const struct outcome *whole, const struct outcome *cut, size_t len)
{
	size_t left = weft_buffer_len(&whole->in);

	must(whole->status == cut->status);
	must(weft_buffer_len(&whole->out) == weft_buffer_len(&cut->out));
	must(!memcmp(weft_buffer_bytes(&whole->out), weft_buffer_bytes(&cut->out),
		weft_buffer_len(&cut->out)));
	if (whole->status == WEFT_OK)
		must(left == weft_buffer_len(&cut->in) + len - cut->used);
}

static void name(const uint8_t *data, size_t len)
{
	char *text = fuzz_string(data, len), canonical[WEFT_PROXY_TEXT_MAX];
	char again_text[WEFT_PROXY_TEXT_MAX];
	struct weft_proxy p, again;

	if (weft_proxy_parse(text, &p, NULL) == WEFT_OK) {
		must(p.host[0] && p.port);
		weft_proxy_format(&p, canonical);
		must(weft_proxy_parse(canonical, &again, NULL) == WEFT_OK);
		must(!strcmp(weft_proxy_format(&again, again_text), canonical));
		must(again.kind == p.kind && again.port == p.port && !strcmp(again.host, p.host));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum weft_proxy_kind kind;
	struct outcome whole, cut;
	size_t step;

	if (len < 2)
		return 0;
	kind = data[0] & 1 ? WEFT_PROXY_SOCKS5 : WEFT_PROXY_CONNECT;
	step = 1 + data[1] % 64;
	data += 2;
	len -= 2;
	talk(&whole, kind, data, len, len ? len : 1);
	talk(&cut, kind, data, len, step);
	compare(&whole, &cut, len);
	finish(&whole);
	finish(&cut);
	name(data, len);
	return 0;
}
