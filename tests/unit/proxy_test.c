/* SPDX-License-Identifier: MIT */
/* What proxies answer, cut at every byte: accepted, refused, or waited for, and never more than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/transport/proxy.h"

struct row {
	const char *bytes;
	size_t len; /* 0: of the text */
	enum weft_status status;
	const char *text; /* in the error */
	size_t behind;    /* bytes that belong to the target */
};

/* Each prefix is waited for; it is the whole that decides, or the first byte that can be nothing else. */
static void judge(enum weft_proxy_kind kind, bool greeted, const struct row *row)
{
	size_t len = row->len ? row->len : strlen(row->bytes);
	enum weft_status st = WEFT_AGAIN;
	struct weft_error err;

	for (size_t n = 1; n <= len && st == WEFT_AGAIN; n++) {
		struct weft_proxy_answer a = { .kind = kind, .greeted = greeted };
		unsigned char *exact = malloc(n);

		memcpy(exact, row->bytes, n);
		st = weft_proxy_understand(&a, exact, n, &err);
		free(exact);
		if (st == WEFT_OK)
			assert_int_equal(a.used, len - row->behind);
		if (st == WEFT_OK)
			assert_int_equal(n, len - row->behind);
	}
	if (st != row->status)
		fail_msg("\"%.40s\": %d, expected %d", row->bytes, st, row->status);
	if (row->text && !strstr(err.text, row->text))
		fail_msg("\"%.40s\": \"%s\" does not say \"%s\"", row->bytes, err.text, row->text);
}

static void answers_to_connect_are_understood_at_every_cut(void **state)
{
	static const struct row rows[] = {
		{ "HTTP/1.1 200 Connection established\r\n\r\n", 0, WEFT_OK, NULL, 0 },
		{ "HTTP/1.0 200\r\n\r\n", 0, WEFT_OK, NULL, 0 },
		{ "HTTP/1.1 204 x\r\nVia: y\r\nContent-Length: 5\r\n\r\nhello", 0, WEFT_OK, NULL,
			5 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 x\r\n\r\n", 0, WEFT_OK, NULL, 0 },
		{ "HTTP/1.1 403 Forbidden\r\n\r\n", 0, WEFT_ERR_REFUSED, "status 403", 0 },
		{ "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 0, WEFT_ERR_REFUSED,
			"status 407", 0 },
		{ "HTTP/1.1 301 x\r\n\r\n", 0, WEFT_ERR_REFUSED, "status 301", 0 },
		{ "SSH-2.0-x\r\n", 0, WEFT_ERR_PROTOCOL, "expected a response to CONNECT", 0 },
		{ "HTTP/2 200\r\n\r\n", 0, WEFT_ERR_PROTOCOL, "expected a response", 0 },
		{ "HTTP/1.1 20\r\n\r\n", 0, WEFT_ERR_PROTOCOL, "expected a response", 0 },
		{ "HTTP/1.1 2000 x\r\n\r\n", 0, WEFT_ERR_PROTOCOL, "expected a response", 0 },
		{ "HTTP/1.x 200 x\r\n\r\n", 0, WEFT_ERR_PROTOCOL, "expected a response", 0 },
		{ "HTTP/1.1 200 x\r\nno end", 0, WEFT_AGAIN, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		judge(WEFT_PROXY_CONNECT, false, &rows[i]);
}

static void an_endless_answer_is_not_waited_for(void **state)
{
	struct weft_proxy_answer a = { .kind = WEFT_PROXY_CONNECT };
	static char bytes[20000] = "HTTP/1.1 200 x\r\n";
	struct weft_error err;

	(void)state;
	memset(bytes + 16, 'a', sizeof(bytes) - 16);
	assert_int_equal(weft_proxy_understand(&a, (unsigned char *)bytes, sizeof(bytes), &err),
		WEFT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "16384"));
}

static void socks_answers_are_understood_at_every_cut(void **state)
{
	static const struct row greetings[] = {
		{ "\5\0", 2, WEFT_OK, NULL, 0 },
		{ "\5\xff", 2, WEFT_ERR_REFUSED, "wants authentication", 0 },
		{ "\5\2", 2, WEFT_ERR_PROTOCOL, "no authentication", 0 },
		{ "\4\0", 2, WEFT_ERR_PROTOCOL, "SOCKS version 5", 0 },
	};
	static const struct row replies[] = {
		{ "\5\0\0\1\1\2\3\4\0\7", 10, WEFT_OK, NULL, 0 },
		{ "\5\0\0\1\1\2\3\4\0\7hi", 12, WEFT_OK, NULL, 2 },
		{ "\5\0\0\3\1x\0\7", 8, WEFT_OK, NULL, 0 },
		{ "\5\0\0\4"
		  "0123456789abcdef\0\7",
			22, WEFT_OK, NULL, 0 },
		{ "\5\5\0\1\0\0\0\0\0\0", 10, WEFT_ERR_REFUSED, "connection refused", 0 },
		{ "\5\2\0\1\0\0\0\0\0\0", 10, WEFT_ERR_REFUSED, "do not allow", 0 },
		{ "\5\x77\0\1\0\0\0\0\0\0", 10, WEFT_ERR_REFUSED, "nobody knows", 0 },
		{ "\5\0\0\2\0\0\0\0\0\0", 10, WEFT_ERR_PROTOCOL, "address of a kind", 0 },
		{ "HTTP/1.1 400\r\n", 14, WEFT_ERR_PROTOCOL, "SOCKS version 5", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
		judge(WEFT_PROXY_SOCKS5, false, &greetings[i]);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		judge(WEFT_PROXY_SOCKS5, true, &replies[i]);
}

static void proxies_are_named_by_scheme_host_and_port(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "http://proxy.example:3128", true },
		{ "http://proxy.example:3128/", true },
		{ "socks5://[::1]:1080", true },
		{ "http://proxy.example", false },
		{ "http://:80", false },
		{ "http://u:p@proxy.example:80", false },
		{ "http://proxy.example:80/x", false },
		{ "https://proxy.example:80", false },
		{ "proxy.example:80", false },
		{ "", false },
	};
	enum weft_proxy_kind kind;
	struct weft_error err;
	struct weft_url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum weft_status st = weft_proxy_parse(rows[i].text, &kind, &url, &err);

		if ((st == WEFT_OK) != rows[i].good)
			fail_msg("%s: %d", rows[i].text, st);
		if (st)
			assert_non_null(strstr(err.text, "proxy"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_to_connect_are_understood_at_every_cut),
		cmocka_unit_test(an_endless_answer_is_not_waited_for),
		cmocka_unit_test(socks_answers_are_understood_at_every_cut),
		cmocka_unit_test(proxies_are_named_by_scheme_host_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
