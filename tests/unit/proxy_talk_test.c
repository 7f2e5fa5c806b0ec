/* SPDX-License-Identifier: MIT */
/*
 * What is said to a proxy and made of its answers: each answer whole, cut in two at every place, and byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/transport/proxy_talk.h"

/* One conversation, with answers of any bytes. */
struct talk {
	struct weft_proxy_talk t;
	struct weft_buffer in, out;
	struct weft_error err;
	enum weft_status st;
};

static void begin(struct talk *k, enum weft_proxy_kind kind, const char *host, uint16_t port)
{
	memset(k, 0, sizeof(*k));
	k->t = (struct weft_proxy_talk){ .kind = kind, .host = host, .port = port };
	weft_buffer_init(&k->in, &weft_allocator_system);
	weft_buffer_init(&k->out, &weft_allocator_system);
	k->st = weft_proxy_talk(&k->t, &k->in, &k->out, &k->err);
	assert_int_equal(k->st, WEFT_AGAIN);
}

static void end(struct talk *k)
{
	weft_buffer_finish(&k->in);
	weft_buffer_finish(&k->out);
}

/* As transports do: not after the talk has ended, whose rest is the tunnel's. */
static void feed(struct talk *k, const char *bytes, size_t len)
{
	weft_buffer_append(&k->in, bytes, len);
	if (k->st == WEFT_AGAIN)
		k->st = weft_proxy_talk(&k->t, &k->in, &k->out, &k->err);
}

static void expect_out(const struct talk *k, const char *bytes, size_t len)
{
	assert_int_equal(weft_buffer_len(&k->out), len);
	assert_memory_equal(weft_buffer_bytes(&k->out), bytes, len);
}

struct answer {
	const char *bytes;
	size_t len;
	enum weft_status status;
	const char *told; /* the error's text has it; of a tunnel: what came through it */
};

#define ANSWER(text, status, told)                   \
	{                                            \
		text, sizeof(text) - 1, status, told \
	}

static void expect_end(const struct talk *k, const struct answer *a)
{
	if (k->st != a->status)
		fail_msg("%.40s: %s (%s)", a->bytes, weft_status_name(k->st), k->err.text);
	if (k->st < 0) {
		if (!strstr(k->err.text, a->told))
			fail_msg("\"%s\" has not \"%s\"", k->err.text, a->told);
	} else if (k->st == WEFT_OK) {
		assert_int_equal(weft_buffer_len(&k->in), strlen(a->told));
		assert_memory_equal(weft_buffer_bytes(&k->in), a->told, strlen(a->told));
	}
}

static void try_answers(enum weft_proxy_kind kind, const struct answer *answers, size_t count)
{
	struct talk k;

	for (size_t i = 0; i < count; i++) {
		const struct answer *a = &answers[i];

		for (size_t cut = 0; cut <= a->len; cut++) {
			begin(&k, kind, "a.test", 443);
			feed(&k, a->bytes, cut);
			feed(&k, a->bytes + cut, a->len - cut);
			expect_end(&k, a);
			end(&k);
		}
		begin(&k, kind, "a.test", 443);
		for (size_t at = 0; at < a->len; at++)
			feed(&k, a->bytes + at, 1);
		expect_end(&k, a);
		end(&k);
	}
}

static void connect_names_the_target_in_both_places(void **state)
{
	static const char name[] = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n";
	static const char v6[] = "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n";
	struct talk k;

	(void)state;
	begin(&k, WEFT_PROXY_CONNECT, "a.test", 443);
	expect_out(&k, name, sizeof(name) - 1);
	end(&k);
	begin(&k, WEFT_PROXY_CONNECT, "::1", 80);
	expect_out(&k, v6, sizeof(v6) - 1);
	end(&k);
}

static void any_success_of_connect_is_a_tunnel(void **state)
{
	static const struct answer answers[] = {
		ANSWER("HTTP/1.1 200 Connection established\r\n\r\n", WEFT_OK, ""),
		ANSWER("HTTP/1.0 204\r\nVia: x\r\n\r\n", WEFT_OK, ""),
		/* RFC 9110 section 9.3.6: these fields mean nothing here */
		ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", WEFT_OK, "abc"),
		ANSWER("HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n", WEFT_OK,
			"\r\n\r\n"),
		ANSWER("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
		       "HTTP/1.1 200 OK\r\n\r\nSSH-2.0",
			WEFT_OK, "SSH-2.0"),
		ANSWER("HTTP/1.1 200 OK\r\n", WEFT_AGAIN, ""),
		ANSWER("HTTP/1.1 100 Continue\r\n\r\n", WEFT_AGAIN, ""),
	};

	(void)state;
	try_answers(WEFT_PROXY_CONNECT, answers, sizeof(answers) / sizeof(answers[0]));
}

static void other_answers_of_connect_are_errors(void **state)
{
	static const struct answer answers[] = {
		ANSWER("HTTP/1.1 403 Forbidden\r\n\r\n", WEFT_ERR_REFUSED,
			"answered 403 Forbidden to CONNECT a.test:443"),
		ANSWER("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", WEFT_ERR_REFUSED,
			"a user and password are not supported"),
		ANSWER("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", WEFT_ERR_REFUSED, "302 Found"),
		ANSWER("HTTP/1.1 503\r\n\r\n", WEFT_ERR_REFUSED, "answered 503 to"),
		ANSWER("HTTP/1.1 500 \x1b[2J\xff\r\n\r\n", WEFT_ERR_REFUSED, "500 ?[2J? to"),
		ANSWER("HTTP/1.1 101 Switching\r\n\r\n", WEFT_ERR_PROTOCOL, "101"),
		ANSWER("SSH-2.0-OpenSSH_9.2\r\n", WEFT_ERR_PROTOCOL, "else than HTTP/1.1"),
		ANSWER("\r\nHTTP/1.1 200 OK\r\n\r\n", WEFT_ERR_PROTOCOL, "else than HTTP/1.1"),
		ANSWER("HTTP/2 200\r\n\r\n", WEFT_ERR_PROTOCOL, "else than HTTP/1.1"),
		ANSWER("HTTP/1.1 20 OK\r\n\r\n", WEFT_ERR_PROTOCOL, "without a status"),
		ANSWER("HTTP/1.1 2000 OK\r\n\r\n", WEFT_ERR_PROTOCOL, "without a status"),
		ANSWER("HTTP/1.1 600 OK\r\n\r\n", WEFT_ERR_PROTOCOL, "without a status"),
		ANSWER("HTTP/1.x 200 OK\r\n\r\n", WEFT_ERR_PROTOCOL, "without a status"),
		ANSWER("HTTP/1.\r\n\r\n", WEFT_ERR_PROTOCOL, "without a status"),
		ANSWER("HTTP/1.1 200 OK\nVia: x\n\n", WEFT_ERR_PROTOCOL, "ends without CR"),
		ANSWER("HTTP/1.1 200 OK\r\nVia: x\n\r\n", WEFT_ERR_PROTOCOL, "ends without CR"),
	};

	(void)state;
	try_answers(WEFT_PROXY_CONNECT, answers, sizeof(answers) / sizeof(answers[0]));
}

static void heads_without_end_are_given_up(void **state)
{
	static const char early[] = "HTTP/1.1 103 Early\r\nLink: something\r\n\r\n";
	struct talk k;
	size_t sent;

	(void)state;
	begin(&k, WEFT_PROXY_CONNECT, "a.test", 443);
	feed(&k, "HTTP/1.1 200 OK\r\n", 17);
	for (sent = 17; k.st == WEFT_AGAIN; sent += 8)
		feed(&k, "a: 234\r\n", 8);
	assert_int_equal(k.st, WEFT_ERR_LIMIT);
	assert_in_range(sent, WEFT_PROXY_HEAD_MAX, WEFT_PROXY_HEAD_MAX + 8);
	end(&k);

	/* and heads of which none is the last */
	begin(&k, WEFT_PROXY_CONNECT, "a.test", 443);
	for (sent = 0; k.st == WEFT_AGAIN; sent += sizeof(early) - 1)
		feed(&k, early, sizeof(early) - 1);
	assert_int_equal(k.st, WEFT_ERR_LIMIT);
	assert_in_range(sent, WEFT_PROXY_HEAD_MAX, WEFT_PROXY_HEAD_MAX + sizeof(early));
	end(&k);
}

/* RFC 1928 sections 3 and 4: a name, and literals as what they are. */
static void socks_target_is_of_its_type(void **state)
{
	static const struct {
		const char *host, *asked;
		size_t len;
	} targets[] = {
		{ "a.test", "\5\1\0\3\6a.test\1\xbb", 13 },
		{ "192.0.2.1", "\5\1\0\1\xc0\0\2\1\1\xbb", 10 },
		{ "2001:db8::2", "\5\1\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\1\xbb", 22 },
	};
	struct talk k;

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		begin(&k, WEFT_PROXY_SOCKS5, targets[i].host, 443);
		expect_out(&k, "\5\1\0", 3);
		weft_buffer_consume(&k.out, 3);
		feed(&k, "\5\0", 2);
		assert_int_equal(k.st, WEFT_AGAIN);
		expect_out(&k, targets[i].asked, targets[i].len);
		end(&k);
	}
}

static void longest_name_fits(void **state)
{
	char host[WEFT_URL_NAME_MAX + 1];
	struct talk k;

	(void)state;
	memset(host, 'n', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	begin(&k, WEFT_PROXY_SOCKS5, host, 1);
	feed(&k, "\5\0", 2);
	assert_int_equal(weft_buffer_len(&k.out), 3 + 5 + WEFT_URL_NAME_MAX + 2);
	assert_int_equal(weft_buffer_bytes(&k.out)[7], WEFT_URL_NAME_MAX);
	end(&k);
}

static void socks_success_is_a_tunnel(void **state)
{
	static const struct answer answers[] = {
		ANSWER("\5\0\5\0\0\1\0\0\0\0\0\0", WEFT_OK, ""),
		ANSWER("\5\0\5\0\0\1\x7f\0\0\1\0\x50hello", WEFT_OK, "hello"),
		ANSWER("\5\0\5\0\0\3\4name\0\x50!", WEFT_OK, "!"),
		ANSWER("\5\0\5\0\0\3\0\0\x50!", WEFT_OK, "!"),
		ANSWER("\5\0\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50ok", WEFT_OK, "ok"),
		ANSWER("\5\0\5\0\0\1\0\0\0\0\0", WEFT_AGAIN, ""),
		ANSWER("\5\0", WEFT_AGAIN, ""),
	};

	(void)state;
	try_answers(WEFT_PROXY_SOCKS5, answers, sizeof(answers) / sizeof(answers[0]));
}

static void socks_refusals_are_words(void **state)
{
	static const struct answer answers[] = {
		ANSWER("\5\xff", WEFT_ERR_REFUSED, "asks for a user and password"),
		ANSWER("\5\2", WEFT_ERR_PROTOCOL, "method 2, which was not offered"),
		ANSWER("\4\0", WEFT_ERR_PROTOCOL, "else than SOCKS 5"),
		ANSWER("HTTP/1.1 400 Bad Request\r\n\r\n", WEFT_ERR_PROTOCOL, "else than SOCKS 5"),
		ANSWER("\5\0\4\0\0\1", WEFT_ERR_PROTOCOL, "else than SOCKS 5"),
		ANSWER("\5\0\5\1\0\1\0\0\0\0\0\0", WEFT_ERR_REFUSED, "1, general failure"),
		ANSWER("\5\0\5\2\0\1\0\0\0\0\0\0", WEFT_ERR_REFUSED, "not allowed by its rules"),
		ANSWER("\5\0\5\3", WEFT_ERR_UNREACHABLE, "network unreachable"),
		ANSWER("\5\0\5\4", WEFT_ERR_UNREACHABLE,
			"answered 4, host unreachable, to connecting to a.test:443"),
		ANSWER("\5\0\5\5", WEFT_ERR_REFUSED, "connection refused"),
		ANSWER("\5\0\5\6", WEFT_ERR_UNREACHABLE, "TTL expired"),
		ANSWER("\5\0\5\7", WEFT_ERR_REFUSED, "command not supported"),
		ANSWER("\5\0\5\x8", WEFT_ERR_REFUSED, "address type not supported"),
		ANSWER("\5\0\5\x9", WEFT_ERR_REFUSED, "answered 9, which means nothing"),
		ANSWER("\5\0\5\xff", WEFT_ERR_REFUSED, "answered 255"),
		ANSWER("\5\0\5\0\0\2", WEFT_ERR_PROTOCOL, "address of type 2"),
	};

	(void)state;
	try_answers(WEFT_PROXY_SOCKS5, answers, sizeof(answers) / sizeof(answers[0]));
}

/* ---- the name of a proxy ---- */

static void names_are_read_and_written_in_one_way(void **state)
{
	static const struct {
		const char *text, *canonical;
	} names[] = {
		{ "http://proxy.test:3128", "http://proxy.test:3128" },
		{ "HTTP://Proxy.TEST:03128/", "http://proxy.test:3128" },
		{ "socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080" },
		{ "Socks5://[::1]:1", "socks5://[::1]:1" },
	};
	char text[WEFT_PROXY_TEXT_MAX];
	struct weft_proxy p, again;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(weft_proxy_parse(names[i].text, &p, NULL), WEFT_OK);
		assert_string_equal(weft_proxy_format(&p, text), names[i].canonical);
		assert_int_equal(weft_proxy_parse(text, &again, NULL), WEFT_OK);
		assert_string_equal(again.host, p.host);
		assert_int_equal(again.port, p.port);
		assert_int_equal(again.kind, p.kind);
	}
}

static void bad_names_are_told(void **state)
{
	static const struct {
		const char *text, *told;
	} names[] = {
		{ "", "of no kind that is known" },
		{ "proxy:3128", "of no kind that is known" },
		{ "https://proxy:3128", "of no kind that is known" },
		{ "socks5h://proxy:3128", "of no kind that is known" },
		{ "http://proxy", "no port" },
		{ "http://proxy:0", "no port" },
		{ "http://proxy:70000", "a port number" },
		{ "http://:3128", "a host" },
		{ "http://proxy:3128/pac", "behind the port" },
		{ "http://proxy:3128?x", "behind the port" },
		{ "http://me:secret@proxy:3128", "a user and password are not supported" },
		{ "http://[nonsense]:1", "IPv6" },
	};
	struct weft_proxy p;
	struct weft_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(weft_proxy_parse(names[i].text, &p, &err), WEFT_ERR_ARGUMENT);
		if (!strstr(err.text, names[i].told) || strncmp(err.text, "proxy", 5))
			fail_msg("%s: \"%s\"", names[i].text, err.text);
		assert_null(strstr(err.text, "secret"));
	}
}

static void target_is_connect_to_where_that_is_given(void **state)
{
	char host[WEFT_URL_NAME_MAX + 1];
	struct weft_error err;
	uint16_t port;

	(void)state;
	assert_int_equal(weft_proxy_target("a.test", 5, "", host, &port, &err), WEFT_OK);
	assert_string_equal(host, "a.test");
	assert_int_equal(port, 5);
	assert_int_equal(weft_proxy_target("a.test", 5, "192.0.2.1:6", host, &port, &err), WEFT_OK);
	assert_string_equal(host, "192.0.2.1");
	assert_int_equal(port, 6);
	assert_int_equal(weft_proxy_target("a.test", 5, "[::1]:7", host, &port, &err), WEFT_OK);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 7);
	assert_int_equal(
		weft_proxy_target("a.test", 5, "unix:/x", host, &port, &err), WEFT_ERR_ARGUMENT);
	assert_non_null(strstr(err.text, "no socket of this machine"));
	assert_int_equal(
		weft_proxy_target("fe80::1%lo", 5, "", host, &port, &err), WEFT_ERR_ARGUMENT);
	assert_non_null(strstr(err.text, "zone"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_names_the_target_in_both_places),
		cmocka_unit_test(any_success_of_connect_is_a_tunnel),
		cmocka_unit_test(other_answers_of_connect_are_errors),
		cmocka_unit_test(heads_without_end_are_given_up),
		cmocka_unit_test(socks_target_is_of_its_type),
		cmocka_unit_test(longest_name_fits),
		cmocka_unit_test(socks_success_is_a_tunnel),
		cmocka_unit_test(socks_refusals_are_words),
		cmocka_unit_test(names_are_read_and_written_in_one_way),
		cmocka_unit_test(bad_names_are_told),
		cmocka_unit_test(target_is_connect_to_where_that_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
