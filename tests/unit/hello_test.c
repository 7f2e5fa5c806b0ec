/* SPDX-License-Identifier: MIT */
/* Looking at a ClientHello. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/transport/hello.h"

/* Builds handshake bytes; lengths are filled in when a vector ends. */
struct maker {
	unsigned char bytes[40000];
	size_t len;
};

static void put(struct maker *m, unsigned value, unsigned bytes)
{
	while (bytes--)
		m->bytes[m->len++] = (unsigned char)(value >> 8 * bytes);
}

static size_t begin(struct maker *m, unsigned bytes)
{
	put(m, 0, bytes);
	return m->len;
}

static void end(struct maker *m, size_t start, unsigned bytes)
{
	size_t len = m->len - start;

	for (unsigned i = 0; i < bytes; i++)
		m->bytes[start - 1 - i] = (unsigned char)(len >> 8 * i);
}

static void put_name(struct maker *m, const char *text, unsigned length_bytes)
{
	put(m, (unsigned)strlen(text), length_bytes);
	memcpy(m->bytes + m->len, text, strlen(text));
	m->len += strlen(text);
}

static void put_extensions(
	struct maker *m, const char *sni, const char *const *alpn, size_t padding)
{
	size_t all = begin(m, 2), ext, list;

	put(m, 21, 2);
	put(m, (unsigned)padding, 2);
	memset(m->bytes + m->len, 0, padding);
	m->len += padding;
	if (sni) {
		put(m, 0, 2);
		ext = begin(m, 2);
		list = begin(m, 2);
		put(m, 0, 1);
		put_name(m, sni, 2);
		end(m, list, 2);
		end(m, ext, 2);
	}
	if (alpn) {
		put(m, 16, 2);
		ext = begin(m, 2);
		list = begin(m, 2);
		for (; *alpn; alpn++)
			put_name(m, *alpn, 1);
		end(m, list, 2);
		end(m, ext, 2);
	}
	end(m, all, 2);
}

/* A hello in records of at most fragment bytes each. */
static void make(struct maker *out, const char *sni, const char *const *alpn, size_t padding,
	size_t fragment)
{
	static struct maker m;
	size_t body;

	m.len = 0;
	put(&m, 1, 1);
	body = begin(&m, 3);
	put(&m, 0x0303, 2);
	memset(m.bytes + m.len, 0xaa, 32);
	m.len += 32;
	put_name(&m, "a session id", 1);
	put_name(&m, "suites", 2);
	put_name(&m, "c", 1);
	if (sni || alpn || padding)
		put_extensions(&m, sni, alpn, padding);
	end(&m, body, 3);
	out->len = 0;
	for (size_t at = 0; at < m.len; at += fragment) {
		size_t n = m.len - at < fragment ? m.len - at : fragment;

		put(out, 22, 1);
		put(out, 0x0301, 2);
		put(out, (unsigned)n, 2);
		memcpy(out->bytes + out->len, m.bytes + at, n);
		out->len += n;
	}
}

static const char *const two[] = { "h2", "http/1.1", NULL };

static enum weft_status parse(
	const struct maker *m, size_t len, struct weft_hello *hello, size_t *need)
{
	unsigned char *copy = malloc(len ? len : 1);
	enum weft_status st;

	assert_non_null(copy);
	memcpy(copy, m->bytes, len);
	st = weft_hello_parse(copy, len, hello, need);
	free(copy);
	return st;
}

static void names_are_read(void **state)
{
	static const size_t fragments[] = { 16384, 100, 7, 1 };
	static struct maker m;
	struct weft_hello hello;
	size_t need;

	(void)state;
	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++) {
		make(&m, "WWW.Example.test", two, 5, fragments[i]);
		assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
		assert_string_equal(hello.sni, "www.example.test");
		assert_string_equal(hello.alpn, "h2,http/1.1");
		make(&m, NULL, two, 0, fragments[i]);
		assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
		assert_string_equal(hello.sni, "");
		make(&m, "a", NULL, 0, fragments[i]);
		assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
		assert_string_equal(hello.sni, "a");
		assert_string_equal(hello.alpn, "");
		make(&m, NULL, NULL, 0, fragments[i]);
		assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
	}
}

/* Every cut asks for more, and for no more than there is to come. */
static void cuts_ask_for_more(void **state)
{
	static const size_t fragments[] = { 16384, 50, 3 };
	static struct maker m;
	struct weft_hello hello;
	size_t need;

	(void)state;
	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++) {
		make(&m, "localhost", two, 0, fragments[i]);
		for (size_t len = 0; len < m.len; len++) {
			assert_int_equal(parse(&m, len, &hello, &need), WEFT_AGAIN);
			assert_true(need > len && need <= m.len);
		}
		/* what follows does not matter */
		memset(m.bytes + m.len, 0xff, 10);
		assert_int_equal(parse(&m, m.len + 10, &hello, &need), WEFT_OK);
	}
}

static void other_things_are_refused(void **state)
{
	static struct maker m;
	struct weft_hello hello;
	size_t need;

	(void)state;
	memcpy(m.bytes, "GET / HTTP/1.1", 14);
	assert_int_equal(parse(&m, 14, &hello, &need), WEFT_ERR_PROTOCOL);
	assert_int_equal(parse(&m, 1, &hello, &need), WEFT_ERR_PROTOCOL);
	make(&m, "a", two, 0, 16384);
	m.bytes[1] = 2; /* SSL 2 */
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_ERR_PROTOCOL);
	make(&m, "a", two, 0, 16384);
	m.bytes[5] = 2; /* ServerHello */
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_ERR_PROTOCOL);
	make(&m, "a", two, 0, 16384);
	m.bytes[6] = 1; /* far too long */
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_ERR_PROTOCOL);
	make(&m, "a", two, 17000, 16384);
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_ERR_PROTOCOL);
	make(&m, "a", two, 16000, 16384);
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
}

/* No change of a byte makes it read past the end (a sanitizer tells) or ask for nonsense. */
static void changes_are_survived(void **state)
{
	static struct maker m;
	struct weft_hello hello;
	size_t need;

	(void)state;
	for (size_t at = 0;; at++) {
		make(&m, "localhost", two, 3, 40);
		if (at == m.len)
			break;
		for (unsigned value = 0; value < 256; value++) {
			enum weft_status st;

			m.bytes[at] = (unsigned char)value;
			st = parse(&m, m.len, &hello, &need);
			assert_true(st == WEFT_OK || st == WEFT_AGAIN || st == WEFT_ERR_PROTOCOL);
			if (st == WEFT_AGAIN)
				assert_true(need > m.len && need <= m.len + 70000);
			assert_non_null(memchr(hello.sni, '\0', sizeof(hello.sni)));
			assert_non_null(memchr(hello.alpn, '\0', sizeof(hello.alpn)));
		}
	}
}

static void long_names_are_cut(void **state)
{
	static struct maker m;
	char name[256], longer[301];
	const char *many[9] = { NULL };
	struct weft_hello hello;
	size_t need;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	memset(longer, 'n', 300);
	longer[300] = '\0';
	make(&m, name, NULL, 0, 16384);
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
	assert_string_equal(hello.sni, name);
	make(&m, longer, NULL, 0, 16384);
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
	assert_string_equal(hello.sni, "");
	name[60] = '\0';
	for (int i = 0; i < 8; i++)
		many[i] = name;
	make(&m, NULL, many, 0, 16384);
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
	assert_int_equal(strlen(hello.alpn), 4 * 60 + 3);
}

static void name_with_a_nul_is_none(void **state)
{
	static struct maker m;
	struct weft_hello hello;
	size_t need;

	(void)state;
	make(&m, "localhost#evil", NULL, 0, 16384);
	*(unsigned char *)memchr(m.bytes, '#', m.len) = 0;
	assert_int_equal(parse(&m, m.len, &hello, &need), WEFT_OK);
	assert_string_equal(hello.sni, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(cuts_ask_for_more),
		cmocka_unit_test(other_things_are_refused),
		cmocka_unit_test(changes_are_survived),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(name_with_a_nul_is_none),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
