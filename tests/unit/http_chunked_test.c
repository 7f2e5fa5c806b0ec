/* SPDX-License-Identifier: MIT */
/* The chunked coding, in any pieces and through any window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/chunked.h"

enum { OUT_MAX = 70000 };

struct outcome {
	enum weft_status status;
	struct weft_http_refusal no;
	size_t used; /* of all input */
	char out[OUT_MAX];
	size_t len;
};

/* Decodes what lies in memory of its own, up to the first thing that is not data. */
static void decode_piece(
	struct weft_http_chunked *dec, const char *in, size_t len, size_t max, struct outcome *o)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct weft_span data;
	size_t used, at = 0;

	assert_non_null(copy);
	memcpy(copy, in, len);
	do {
		o->status = weft_http_chunked_decode(
			dec, copy + at, len - at, max, &used, &data, &o->no);
		assert_true(used <= len - at);
		at += used;
		if (o->status)
			assert_int_equal(data.len, 0);
		if (data.len) {
			assert_true(data.len <= max && o->len + data.len <= OUT_MAX);
			assert_ptr_equal(data.ptr + data.len, copy + at);
			memcpy(o->out + o->len, data.ptr, data.len);
			o->len += data.len;
		}
	} while (!o->status);
	o->used += at;
	free(copy);
}

static void decode(
	struct outcome *o, const char *in, size_t len, size_t first, size_t step, size_t max)
{
	struct weft_http_chunked dec = { .left = 0 };

	o->status = WEFT_AGAIN;
	o->no = (struct weft_http_refusal){ .status = 0 };
	o->used = o->len = 0;
	for (size_t at = 0, n = first; o->status == WEFT_AGAIN; at += n, n = step) {
		n = n < len - at ? n : len - at;
		decode_piece(&dec, in + at, n, max, o);
		if (at + n == len)
			break;
	}
}

static void same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->no.status, b->no.status);
	assert_ptr_equal(a->no.why, b->no.why);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->out, b->out, a->len);
}

static void decode_all_ways(struct outcome *o, const char *in, size_t len)
{
	static const size_t windows[] = { SIZE_MAX, 3, 1 };
	static struct outcome other;

	decode(o, in, len, len, len, SIZE_MAX);
	for (size_t w = 0; w < sizeof(windows) / sizeof(*windows); w++) {
		for (size_t cut = 0; cut <= len; cut++) {
			decode(&other, in, len, cut, len, windows[w]);
			same(o, &other);
		}
		decode(&other, in, len, 1, 1, windows[w]);
		same(o, &other);
	}
}

static struct outcome result; /* too large for the stack */

static void bodies_are_decoded(void **state)
{
	static const struct {
		const char *in, *out, *rest;
	} cases[] = {
		{ "0\r\n\r\n", "", "\r\n" },
		{ "0\r\n", "", "" },
		{ "000000000000000\r\n", "", "" },
		{ "5\r\nhello\r\n0\r\n\r\n", "hello", "\r\n" },
		{ "1\r\na\r\n2\r\nbc\r\n0\r\nx: y\r\n\r\nGET", "abc", "x: y\r\n\r\nGET" },
		{ "00a\r\n0123456789\r\n0\r\n", "0123456789", "" },
		{ "A\r\n0123456789\r\n0\r\n", "0123456789", "" },
		{ "000000000000001\r\n\r\r\n0\r\n", "\r", "" },
		{ "4\r\n0\r\n\r\r\n0\r\n", "0\r\n\r", "" },
		/* extensions do not matter */
		{ "1;a\r\nx\r\n0\r\n", "x", "" },
		{ "1;a=b;c=\"d e;\xc3\xa4\t\"\r\nx\r\n0;end\r\n", "x", "" },
		{ "1;\r\nx\r\n0;;\r\n", "x", "" },
		{ "1 \t ;a\r\nx\r\n0\t;b \r\n", "x", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].in), rest = strlen(cases[i].rest);

		decode_all_ways(&result, cases[i].in, len);
		if (result.status != WEFT_EOF)
			fail_msg("\"%s\": %s", cases[i].in, weft_status_name(result.status));
		assert_int_equal(result.len, strlen(cases[i].out));
		assert_memory_equal(result.out, cases[i].out, result.len);
		assert_int_equal(result.used, len - rest);
	}
}

static void bad_chunks_are_refused(void **state)
{
	static const struct {
		const char *in;
		size_t at; /* with which byte */
		const char *words;
	} cases[] = {
		{ "\r\n", 1, "without a size" },
		{ ";a\r\n", 1, "without a size" },
		{ " 1\r\n", 1, "without a size" },
		{ "-1\r\n", 1, "without a size" },
		{ "+1\r\n", 1, "without a size" },
		{ "g\r\n", 1, "without a size" },
		{ "\n", 1, "without a size" },
		{ "0x1\r\n", 2, "not hexadecimal" },
		{ "1g\r\n", 2, "not hexadecimal" },
		{ "1\n", 2, "not hexadecimal" },
		{ "1,\r\n", 2, "not hexadecimal" },
		{ "1 2\r\n", 3, "white space behind" },
		{ "1 \r\n", 3, "white space behind" },
		{ "1\t\r\n", 3, "white space behind" },
		{ "1\r\r\n", 3, "CR without LF" },
		{ "1\rx", 3, "CR without LF" },
		{ "0\rx", 3, "CR without LF" },
		{ "1\r\nxy\r\n", 5, "longer than its size" },
		{ "1\r\nx\n", 5, "longer than its size" },
		{ "1\r\nx0\r\n", 5, "longer than its size" },
		{ "1\r\nx\rx", 6, "CR without LF" },
		{ "1\r\nx\r\n\r\n", 7, "without a size" },
		{ "1;a\n", 4, "a control character" },
		{ "1;a\x01\r\n", 4, "a control character" },
		{ "1;\x7f\r\n", 3, "a control character" },
		{ "1;a\rb\r\n", 5, "CR without LF" },
		{ "0000000000000001\r\n", 16, "more than 15 digits" },
		{ "ffffffffffffffff\r\n", 16, "more than 15 digits" },
		{ "10000000000000000\r\n", 16, "more than 15 digits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		decode_all_ways(&result, cases[i].in, strlen(cases[i].in));
		if (result.status != WEFT_ERR_PROTOCOL || !strstr(result.no.why, cases[i].words))
			fail_msg("\"%s\": %s, %s", cases[i].in, weft_status_name(result.status),
				result.no.why ? result.no.why : "");
		assert_int_equal(result.no.status, 400);
		assert_int_equal(result.used, cases[i].at);
	}
}

static void nul_is_no_grammar(void **state)
{
	static const char text[] = "3;ab\r\nxyz\r\n0\r\n";

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		copy[at] = 0;
		decode_all_ways(&result, copy, sizeof(text) - 1);
		/* among the data it is a byte as any other */
		if (at >= 6 && at < 9)
			assert_int_equal(result.status, WEFT_EOF);
		else
			assert_int_equal(result.status, WEFT_ERR_PROTOCOL);
	}
}

static void unfinished_bodies_wait(void **state)
{
	static const char text[] = "2;e\r\nab\r\n0\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		decode_all_ways(&result, text, len);
		assert_int_equal(result.status, WEFT_AGAIN);
		assert_int_equal(result.used, len);
	}
}

static void largest_size_is_no_overflow(void **state)
{
	struct weft_http_chunked dec = { .left = 0 };
	static const char in[] = "fffffffffffffff\r\nabc";
	struct weft_http_refusal no;
	struct weft_span data;
	size_t used;

	(void)state;
	assert_int_equal(weft_http_chunked_decode(&dec, (const unsigned char *)in, sizeof(in) - 1,
				 SIZE_MAX, &used, &data, &no),
		WEFT_OK);
	assert_int_equal(used, sizeof(in) - 1);
	assert_int_equal(data.len, 3);
	assert_int_equal(dec.left, 0xfffffffffffffff - 3);
}

/* A closed window stops at the first byte of data, and loses nothing. */
static void closed_window_takes_grammar_only(void **state)
{
	struct weft_http_chunked dec = { .left = 0 };
	static const char in[] = "2\r\nab\r\n0\r\n";
	const unsigned char *p = (const unsigned char *)in;
	struct weft_http_refusal no;
	struct weft_span data;
	size_t used;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(weft_http_chunked_decode(
					 &dec, p, strlen((const char *)p), 0, &used, &data, &no),
			WEFT_OK);
		assert_int_equal(data.len, 0);
		assert_int_equal(used, i ? 0 : 3);
		p += used;
	}
	assert_int_equal(
		weft_http_chunked_decode(&dec, p, strlen((const char *)p), 1, &used, &data, &no),
		WEFT_OK);
	assert_int_equal(data.len, 1);
	assert_memory_equal(data.ptr, "a", 1);
	p += used;
	assert_int_equal(
		weft_http_chunked_decode(&dec, p, strlen((const char *)p), 9, &used, &data, &no),
		WEFT_OK);
	assert_memory_equal(data.ptr, "b", 1);
	p += used;
	/* behind the data a closed window is in nobody's way */
	assert_int_equal(
		weft_http_chunked_decode(&dec, p, strlen((const char *)p), 0, &used, &data, &no),
		WEFT_EOF);
	assert_int_equal(used, strlen((const char *)p));
	assert_int_equal(weft_http_chunked_decode(&dec, p, 1, 1, &used, &data, &no), WEFT_EOF);
	assert_int_equal(used, 0);
}

/* What stands between the size and its CRLF is bounded, all chunks of a body together. */
static void extensions_are_bounded(void **state)
{
	enum { MAX = 16384, EACH = 64 };
	static char text[MAX / EACH * (EACH + 10) + 64];
	size_t len = 0;

	(void)state;
	/* ';' itself does not count, the CR does */
	for (int i = 0; i < MAX / EACH; i++) {
		memcpy(text + len, "1;", 2);
		memset(text + len + 2, 'e', EACH - 1);
		memcpy(text + len + 2 + EACH - 1, "\r\nx\r\n", 5);
		len += 2 + EACH - 1 + 5;
	}
	memcpy(text + len, "0\r\n", 3);
	decode(&result, text, len + 3, len + 3, 1, SIZE_MAX);
	assert_int_equal(result.status, WEFT_EOF);
	assert_int_equal(result.len, MAX / EACH);
	decode(&result, text, len + 3, 1, 1, 1);
	assert_int_equal(result.status, WEFT_EOF);
	memcpy(text + len, "0;\r\n", 4);
	decode(&result, text, len + 4, len + 4, 1, SIZE_MAX);
	assert_int_equal(result.status, WEFT_ERR_PROTOCOL);
	assert_int_equal(result.no.status, 400);
	assert_int_equal(result.used, len + 3);
	decode(&result, text, len + 4, 7, 7, SIZE_MAX);
	assert_int_equal(result.status, WEFT_ERR_PROTOCOL);
	assert_int_equal(result.used, len + 3);
}

static void chunk_heads_are_written(void **state)
{
	static const struct {
		uint64_t len;
		const char *text;
	} cases[] = {
		{ 0, "0\r\n" },
		{ 1, "1\r\n" },
		{ 15, "f\r\n" },
		{ 16, "10\r\n" },
		{ 0x1a2b, "1a2b\r\n" },
		{ 16384, "4000\r\n" },
		{ 0xffffffff, "ffffffff\r\n" },
		{ 0x100000000, "100000000\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *out = malloc(WEFT_HTTP_CHUNK_HEAD_MAX);

		assert_non_null(out);
		assert_int_equal(weft_http_chunk_head(out, cases[i].len), strlen(cases[i].text));
		assert_memory_equal(out, cases[i].text, strlen(cases[i].text));
		free(out);
	}
}

static void what_is_written_can_be_read(void **state)
{
	static char text[OUT_MAX * 2], body[OUT_MAX];
	size_t len = 0, at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 7 >> 2);
	for (size_t n = 1; at + n <= sizeof(body); at += n, n = n * 3 + 1) {
		len += weft_http_chunk_head(text + len, n);
		memcpy(text + len, body + at, n);
		memcpy(text + len + n, "\r\n", 2);
		len += n + 2;
	}
	len += weft_http_chunk_head(text + len, 0);
	decode(&result, text, len, 10, 1000, 777);
	assert_int_equal(result.status, WEFT_EOF);
	assert_int_equal(result.used, len);
	assert_int_equal(result.len, at);
	assert_memory_equal(result.out, body, at);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_decoded),
		cmocka_unit_test(bad_chunks_are_refused),
		cmocka_unit_test(nul_is_no_grammar),
		cmocka_unit_test(unfinished_bodies_wait),
		cmocka_unit_test(largest_size_is_no_overflow),
		cmocka_unit_test(closed_window_takes_grammar_only),
		cmocka_unit_test(extensions_are_bounded),
		cmocka_unit_test(chunk_heads_are_written),
		cmocka_unit_test(what_is_written_can_be_read),
	};

	return cmocka_run_group_tests_name("http chunked", tests, NULL, NULL);
}
