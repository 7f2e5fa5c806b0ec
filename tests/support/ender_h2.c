/* SPDX-License-Identifier: MIT */
/* The server of endings, in HTTP/2: frames by hand, HPACK by nghttp2's inflater. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/ender.h"

enum { HEAD = 9 };

static void put32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

void ender_h2_frame(struct ender_line *l, unsigned type, unsigned flags, int32_t stream,
	const void *bytes, size_t len)
{
	unsigned char frame[HEAD + 64];

	assert_true(len <= 64);
	put32(frame, (uint32_t)len << 8 | type);
	frame[4] = (unsigned char)flags;
	put32(frame + 5, (uint32_t)stream);
	if (len)
		memcpy(frame + HEAD, bytes, len);
	ender_say(l, frame, HEAD + len);
}

static void reset(struct ender_line *l, int32_t stream, uint32_t code)
{
	unsigned char bytes[4];

	put32(bytes, code);
	ender_h2_frame(l, NGHTTP2_RST_STREAM, 0, stream, bytes, 4);
}

static void goaway(struct ender *e, struct ender_line *l, int32_t last)
{
	unsigned char bytes[8];

	put32(bytes, (uint32_t)last);
	put32(bytes + 4, NGHTTP2_NO_ERROR);
	ender_h2_frame(l, NGHTTP2_GOAWAY, 0, 0, bytes, 8);
	for (unsigned i = 0; i < e->sights; i++) {
		if (e->seen[i].line == l->number && e->seen[i].stream > last)
			e->seen[i].disclaimed = true;
	}
}

static void limit(struct ender_line *l, uint32_t streams)
{
	unsigned char bytes[6] = { 0, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS };

	put32(bytes + 2, streams);
	ender_h2_frame(l, NGHTTP2_SETTINGS, 0, 0, bytes, 6);
}

static struct ender_sight *find(struct ender *e, const struct ender_line *l, int32_t stream)
{
	for (unsigned i = 0; i < e->sights; i++) {
		if (e->seen[i].line == l->number && e->seen[i].stream == stream)
			return &e->seen[i];
	}
	return NULL;
}

static void headers(struct ender *e, struct ender_line *l, int32_t stream, unsigned flags,
	const unsigned char *bytes, size_t len)
{
	struct ender_sight *s = NULL;
	nghttp2_nv nv;
	int what;

	assert_true(flags & NGHTTP2_FLAG_END_HEADERS);
	for (;;) {
		ssize_t n = nghttp2_hd_inflate_hd2(l->inflater, &nv, &what, bytes, len, 1);

		assert_true(n >= 0);
		bytes += n;
		len -= (size_t)n;
		if (what & NGHTTP2_HD_INFLATE_EMIT && nv.namelen == 5 &&
			!memcmp(nv.name, ":path", 5)) {
			assert_null(find(e, l, stream));
			s = ender_see(e, l, (unsigned)strtoul((char *)nv.value + 8, NULL, 10));
		}
		if (what & NGHTTP2_HD_INFLATE_FINAL)
			break;
	}
	nghttp2_hd_inflate_end_headers(l->inflater);
	assert_non_null(s);
	s->stream = stream;
	s->left = 1024; /* until the end is told */
	s->whole = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

static void frame(struct ender *e, struct ender_line *l, const unsigned char *in, size_t len)
{
	int32_t stream = (int32_t)((unsigned)in[5] << 24 | (unsigned)in[6] << 16 |
				   (unsigned)in[7] << 8 | in[8]);
	struct ender_sight *s = find(e, l, stream);

	if (in[3] == NGHTTP2_SETTINGS && !(in[4] & NGHTTP2_FLAG_ACK) && l->prefaced && !l->said_fin)
		ender_h2_frame(l, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
	if (in[3] == NGHTTP2_HEADERS)
		headers(e, l, stream, in[4], in + HEAD + (in[4] & NGHTTP2_FLAG_PRIORITY ? 5 : 0),
			len - HEAD - (in[4] & NGHTTP2_FLAG_PRIORITY ? 5 : 0));
	if (in[3] == NGHTTP2_DATA && s) {
		(void)ender_body(s, in + HEAD, len - HEAD);
		s->whole = s->whole || (in[4] & NGHTTP2_FLAG_END_STREAM);
	}
}

void ender_h2_input(struct ender *e, struct ender_line *l)
{
	size_t at = 0, len;

	if (!l->inflater) {
		if (l->len < NGHTTP2_CLIENT_MAGIC_LEN)
			return;
		assert_memory_equal(l->in, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
		assert_int_equal(nghttp2_hd_inflate_new(&l->inflater), 0);
		at = NGHTTP2_CLIENT_MAGIC_LEN;
		if (!l->deaf && !(e->point == ENDER_BEFORE && !e->struck)) {
			limit(l, 100);
			l->prefaced = true;
		}
	}
	while (l->len - at >= HEAD) {
		len = HEAD + ((size_t)l->in[at] << 16 | (size_t)l->in[at + 1] << 8 | l->in[at + 2]);
		if (l->len - at < len)
			break;
		frame(e, l, l->in + at, len);
		at += len;
	}
	l->len -= at;
	memmove(l->in, l->in + at, l->len);
}

void ender_h2_answer(struct ender *e, struct ender_line *l, struct ender_sight *s, unsigned part)
{
	bool close = e->way == ENDER_CLOSE && l->number == e->striking && e->point != ENDER_IDLE &&
		     s == e->seen;
	/* :status 200, content-length 16, connection: close */
	static const unsigned char fields[] = "\x88\x0f\x0d\x02"
					      "16\x00\x0a"
					      "connection\x05"
					      "close";
	char digest[17];

	ask_digest(s->id, s->body, s->body_len, digest);
	if (part == 0) {
		ender_h2_frame(l, NGHTTP2_HEADERS, 0, s->stream, fields, 3);
	} else if (part == 1) {
		ender_h2_frame(l, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, s->stream,
			fields + 3, close ? sizeof(fields) - 1 - 3 : 3);
		ender_h2_frame(l, NGHTTP2_DATA, 0, s->stream, digest, 8);
	} else {
		ender_h2_frame(l, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, s->stream, digest + 8, 8);
	}
}

void ender_h2_misdirected(struct ender_line *l, struct ender_sight *s)
{
	ender_h2_frame(l, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
		s->stream,
		"\x08\x03"
		"421",
		5);
	s->disclaimed = s->answered = true;
}

void ender_h2_strike(struct ender *e, struct ender_line *l, struct ender_sight *s)
{
	static const uint32_t codes[] = {
		[ENDER_REFUSED] = NGHTTP2_REFUSED_STREAM,
		[ENDER_CANCEL] = NGHTTP2_CANCEL,
		[ENDER_INTERNAL] = NGHTTP2_INTERNAL_ERROR,
		[ENDER_HTTP_1_1] = NGHTTP2_HTTP_1_1_REQUIRED,
	};

	if (!l->prefaced && e->way != ENDER_MALFORMED) {
		limit(l, 100);
		l->prefaced = true;
	}
	switch (e->way) {
	case ENDER_CLEAN:
		return;
	case ENDER_REFUSED:
	case ENDER_HTTP_1_1:
		s->disclaimed = true;
		/* fall through */
	case ENDER_CANCEL:
	case ENDER_INTERNAL:
		reset(l, s->stream, codes[e->way]);
		s->answered = true;
		return;
	case ENDER_GOAWAY_BELOW:
		goaway(e, l, 0);
		return;
	case ENDER_GOAWAY_AT:
		goaway(e, l, s ? s->stream : 0);
		return;
	case ENDER_GOAWAY_TWICE:
		goaway(e, l, INT32_MAX);
		goaway(e, l, s ? s->stream : 0);
		return;
	case ENDER_GOAWAY_ABOVE:
		goaway(e, l, INT32_MAX);
		return;
	case ENDER_FEWER:
		limit(l, 1);
		return;
	case ENDER_NONE:
		limit(l, 0);
		e->later = 20;
		return;
	default:
		ender_h2_frame(l, NGHTTP2_DATA, 0, 0, "what is this", 12);
		return;
	}
}
