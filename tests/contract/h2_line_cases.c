/* SPDX-License-Identifier: MIT */
/* The harness of the HTTP/2 suite. */
#include "tests/contract/h2_line.h"

#include <stdlib.h>

#include "tests/support/still_clock.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { HEAD = 9, QUIET_TURNS = 12 };

void h2_pass(uint32_t ms)
{
	still_clock_ms += ms;
}

/* ---- what is said ---- */

static void put32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

void h2_say_often(struct peer *p, unsigned times, unsigned type, unsigned flags, uint32_t stream,
	const void *bytes, size_t len)
{
	unsigned char *all = malloc(times * (HEAD + len)), *at = all;

	assert_non_null(all);
	for (unsigned i = 0; i < times; i++, at += HEAD + len) {
		put32(at, (uint32_t)len << 8 | type);
		at[4] = (unsigned char)flags;
		put32(at + 5, stream);
		if (len)
			memcpy(at + HEAD, bytes, len);
	}
	peer_send_bytes(p, all, times * (HEAD + len));
	/* the transport has copied it */
	free(all);
}

void h2_say(struct peer *p, unsigned type, unsigned flags, uint32_t stream, const void *bytes,
	size_t len)
{
	h2_say_often(p, 1, type, flags, stream, bytes, len);
}

void h2_say_number(struct peer *p, unsigned type, uint32_t stream, uint32_t number)
{
	unsigned char bytes[4];

	put32(bytes, number);
	h2_say(p, type, 0, stream, bytes, 4);
}

void h2_set(struct peer *p, unsigned setting, uint32_t value)
{
	unsigned char bytes[6] = { 0, (unsigned char)setting };

	put32(bytes + 2, value);
	h2_say(p, H2_SETTINGS, 0, 0, bytes, 6);
}

static size_t text(char *to, const char *from)
{
	size_t len = strlen(from);

	assert_true(len < 64);
	to[0] = (char)len;
	memcpy(to + 1, from, len);
	return len + 1;
}

void h2_get(struct peer *p, uint32_t stream, const char *path, const char *priority)
{
	/* :method GET, :scheme http, :authority a, and :path by the number of its name */
	static const char head[] = "\x82\x86\x01\x01"
				   "a\x04";
	char block[256];
	size_t len = sizeof(head) - 1;

	memcpy(block, head, len);
	len += text(block + len, path);
	if (priority) {
		block[len++] = 0;
		len += text(block + len, "priority");
		len += text(block + len, priority);
	}
	h2_say(p, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream, block, len);
}

void h2_post(struct peer *p, uint32_t stream)
{
	h2_say(p, H2_HEADERS, H2_END_HEADERS, stream,
		"\x83\x86\x84\x01\x01"
		"a",
		6);
}

void h2_answer(struct peer *p, uint32_t stream)
{
	h2_say(p, H2_HEADERS, H2_END_HEADERS, stream, "\x88", 1);
	h2_say(p, H2_DATA, H2_END_STREAM, stream, "ok", 2);
}

/* ---- what comes ---- */

static uint32_t get32(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

bool h2_next(struct peer *p, struct h2_frame *f)
{
	const unsigned char *at = (const unsigned char *)p->got + p->mark;
	size_t there = p->len - p->mark;

	if (there < HEAD)
		return false;
	*f = (struct h2_frame){ .type = at[3],
		.flags = at[4],
		.stream = get32(at + 5),
		.bytes = at + HEAD,
		.len = get32(at) >> 8 };
	if (there < HEAD + f->len)
		return false;
	p->mark += HEAD + f->len;
	return true;
}

static bool fits(const struct h2_frame *f, unsigned type, uint32_t stream)
{
	return f->type == type && f->stream == stream;
}

void h2_expect(struct peer *p, unsigned type, uint32_t stream, struct h2_frame *f)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX; i++) {
		while (h2_next(p, f)) {
			if (fits(f, type, stream))
				return;
		}
		if (p->fin || p->reset)
			break;
		peer_turn(p);
	}
	fail_msg("no frame of type %u came for stream %u%s", type, stream,
		p->fin || p->reset ? ", but the end" : "");
}

uint32_t h2_number(const struct h2_frame *f, size_t at)
{
	assert_true(f->len >= at + 4);
	return get32(f->bytes + at);
}

void h2_expect_error(struct peer *p, unsigned type, uint32_t stream, uint32_t code)
{
	struct h2_frame f;

	h2_expect(p, type, stream, &f);
	assert_int_equal(h2_number(&f, type == H2_GOAWAY ? 4 : 0), code);
}

unsigned h2_count(struct peer *p, unsigned type, uint32_t stream)
{
	struct h2_frame f;
	unsigned n = 0;

	for (unsigned i = 0; i < QUIET_TURNS; i++) {
		peer_turn(p);
		while (h2_next(p, &f))
			n += fits(&f, type, stream);
	}
	return n;
}

uint32_t h2_windows(struct peer *p, uint32_t stream)
{
	struct h2_frame f;
	uint32_t sum = 0;

	for (unsigned i = 0; i < QUIET_TURNS; i++) {
		peer_turn(p);
		while (h2_next(p, &f)) {
			if (fits(&f, H2_WINDOW_UPDATE, stream))
				sum += h2_number(&f, 0);
		}
	}
	return sum;
}

void h2_settled(struct peer *p)
{
	struct h2_frame f;

	do
		h2_expect(p, H2_SETTINGS, 0, &f);
	while (!(f.flags & H2_ACK));
}

void h2_dial(struct peer *p, struct world *w, uint32_t window)
{
	peer_dial(p, w, "http");
	peer_send_bytes(p, PREFACE, sizeof(PREFACE) - 1);
	h2_set(p, H2_SET_WINDOW, window);
	h2_say(p, H2_SETTINGS, H2_ACK, 0, NULL, 0);
	h2_settled(p);
}

void h2_meet(struct peer *p, uint32_t streams)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && p->len < sizeof(PREFACE) - 1; i++)
		peer_turn(p);
	assert_true(p->len >= sizeof(PREFACE) - 1);
	assert_memory_equal(p->got, PREFACE, sizeof(PREFACE) - 1);
	p->mark = sizeof(PREFACE) - 1;
	h2_set(p, H2_SET_STREAMS, streams);
	h2_say(p, H2_SETTINGS, H2_ACK, 0, NULL, 0);
	h2_settled(p);
}
