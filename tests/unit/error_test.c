/* SPDX-License-Identifier: MIT */
/* Statuses, errors and their texts, and certificates' faults in words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/status.h"
#include "weft/trust.h"

enum { TEXT_MAX = sizeof(((struct weft_error *)0)->text) };

static void names_are_stable_and_unique(void **state)
{
	const int first = WEFT_ERR_SHUTDOWN, last = WEFT_EOF;

	(void)state;
	assert_string_equal(weft_status_name(WEFT_OK), "ok");
	assert_string_equal(weft_status_name(WEFT_ERR_NOT_REPLAYABLE), "not_replayable");
	assert_string_equal(weft_status_name(WEFT_ERR_TIMEOUT), "timeout");
	assert_string_equal(weft_status_name((enum weft_status)(first - 1)), "unknown");
	assert_string_equal(weft_status_name((enum weft_status)(last + 1)), "unknown");
	for (int i = first; i <= last; i++) {
		const char *name = weft_status_name((enum weft_status)i);

		assert_string_not_equal(name, "unknown");
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (int k = first; k < i; k++)
			assert_string_not_equal(name, weft_status_name((enum weft_status)k));
	}
}

static void error_says_what_happened(void **state)
{
	struct weft_error err;

	(void)state;
	assert_int_equal(
		weft_error_set(&err, WEFT_ERR_TLS, -53, "record %d of %s", 3, "a"), WEFT_ERR_TLS);
	assert_int_equal(err.status, WEFT_ERR_TLS);
	assert_int_equal(err.native, -53);
	assert_string_equal(err.text, "record 3 of a");
	assert_int_equal(weft_error_set(NULL, WEFT_ERR_LIMIT, 0, "x"), WEFT_ERR_LIMIT);
}

static void errno_becomes_a_status(void **state)
{
	static const struct {
		int value;
		enum weft_status status;
	} cases[] = {
		{ ECONNREFUSED, WEFT_ERR_REFUSED },
		{ ECONNRESET, WEFT_ERR_RESET },
		{ EPIPE, WEFT_ERR_RESET },
		{ ECONNABORTED, WEFT_ERR_RESET },
		{ ENETUNREACH, WEFT_ERR_UNREACHABLE },
		{ EHOSTUNREACH, WEFT_ERR_UNREACHABLE },
		{ EADDRNOTAVAIL, WEFT_ERR_UNREACHABLE },
		{ ETIMEDOUT, WEFT_ERR_TIMEOUT },
		{ EMFILE, WEFT_ERR_LIMIT },
		{ ENFILE, WEFT_ERR_LIMIT },
		{ ENOMEM, WEFT_ERR_MEMORY },
		{ ENOBUFS, WEFT_ERR_MEMORY },
		{ EADDRINUSE, WEFT_ERR_EXISTS },
		{ EEXIST, WEFT_ERR_EXISTS },
		{ ENOENT, WEFT_ERR_NOT_FOUND },
		{ EACCES, WEFT_ERR_IO },
		{ EIO, WEFT_ERR_IO },
		{ 0, WEFT_ERR_IO },
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_error err;

		assert_int_equal(
			weft_error_errno(&err, cases[i].value, "open %s", "f"), cases[i].status);
		assert_int_equal(err.status, cases[i].status);
		assert_int_equal(err.native, cases[i].value);
		snprintf(text, sizeof(text), "open f: %s", strerror(cases[i].value));
		assert_string_equal(err.text, text);
	}
	assert_int_equal(weft_error_errno(NULL, ENOENT, "x"), WEFT_ERR_NOT_FOUND);
}

static void prefix_keeps_what_was_there(void **state)
{
	struct weft_error err;

	(void)state;
	weft_error_set(&err, WEFT_ERR_VERIFY, 7, "expired");
	assert_int_equal(weft_error_prefix(&err, "vhost %s", "a"), WEFT_ERR_VERIFY);
	assert_string_equal(err.text, "vhost a: expired");
	assert_int_equal(err.native, 7);
	assert_int_equal(weft_error_prefix(&err, "b"), WEFT_ERR_VERIFY);
	assert_string_equal(err.text, "b: vhost a: expired");
	assert_int_equal(weft_error_prefix(NULL, "x"), WEFT_ERR_STATE);
}

/* Text that does not fit is cut, and nothing else of the error is touched. */
static void long_texts_are_cut(void **state)
{
	enum { LONG = 600 };
	char text[LONG + 1];

	(void)state;
	memset(text, 't', LONG);
	text[LONG] = 0;
	for (int len = TEXT_MAX - 20; len < TEXT_MAX + 20; len++) {
		struct weft_error *err = malloc(sizeof(*err));
		const size_t kept = len < TEXT_MAX ? (size_t)len : TEXT_MAX - 1;

		assert_non_null(err);
		weft_error_set(err, WEFT_ERR_IO, 1, "%.*s", len, text);
		assert_int_equal(strlen(err->text), kept);
		weft_error_errno(err, ENOENT, "%.*s", len, text);
		assert_true(strlen(err->text) >= kept && strlen(err->text) < TEXT_MAX);
		assert_memory_equal(err->text, text, kept);
		assert_int_equal(err->native, ENOENT);
		weft_error_set(err, WEFT_ERR_IO, 1, "%.*s", len, text);
		weft_error_prefix(err, "%.*s", 30, text);
		assert_int_equal(strlen(err->text), TEXT_MAX - 1);
		assert_memory_equal(err->text + 30, ": t", 3);
		weft_error_prefix(err, "%s", text);
		assert_int_equal(strlen(err->text), TEXT_MAX - 1);
		assert_int_equal(err->status, WEFT_ERR_IO);
		assert_int_equal(err->native, 1);
		free(err);
	}
}

static void error_is_printed_in_one_line(void **state)
{
	struct weft_error err;
	char line[64] = "";
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	weft_error_set(&err, WEFT_ERR_NOT_FOUND, 0, "no %s", "such thing");
	assert_int_equal(weft_error_print(f, &err), WEFT_ERR_NOT_FOUND);
	rewind(f);
	assert_true(fread(line, 1, sizeof(line) - 1, f) > 0);
	assert_string_equal(line, "not_found: no such thing\n");
	fclose(f);
}

static void faults_are_told_in_words(void **state)
{
	char text[512];

	(void)state;
	assert_string_equal(weft_tls_faults_text(0, text, sizeof(text)), "");
	assert_string_equal(
		weft_tls_faults_text(WEFT_TLS_EXPIRED, text, sizeof(text)), "certificate expired");
	assert_string_equal(
		weft_tls_faults_text(WEFT_TLS_REVOKED | WEFT_TLS_WRONG_HOST, text, sizeof(text)),
		"certificate is for another host; certificate revoked");
	/* bits that mean nothing say nothing */
	assert_string_equal(weft_tls_faults_text(
				    ~(WEFT_TLS_ALLOW_ALL | WEFT_TLS_WRONG_PIN), text, sizeof(text)),
		"");
	for (unsigned bit = 1; bit <= WEFT_TLS_WRONG_PIN; bit <<= 1) {
		assert_memory_equal(
			weft_tls_faults_text(bit, text, sizeof(text)), "certificate ", 12);
		assert_null(strchr(text, ';'));
	}
}

static void faults_are_cut_to_the_room(void **state)
{
	char all[512];
	size_t len;

	(void)state;
	weft_tls_faults_text(WEFT_TLS_ALLOW_ALL, all, sizeof(all));
	len = strlen(all);
	for (size_t room = 1; room <= len + 1; room++) {
		char *text = malloc(room);

		assert_non_null(text);
		assert_ptr_equal(weft_tls_faults_text(WEFT_TLS_ALLOW_ALL, text, room), text);
		assert_int_equal(strlen(text), room - 1);
		assert_memory_equal(text, all, room - 1);
		free(text);
	}
	assert_ptr_equal(weft_tls_faults_text(1, all, 0), all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_stable_and_unique),
		cmocka_unit_test(error_says_what_happened),
		cmocka_unit_test(errno_becomes_a_status),
		cmocka_unit_test(prefix_keeps_what_was_there),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(error_is_printed_in_one_line),
		cmocka_unit_test(faults_are_told_in_words),
		cmocka_unit_test(faults_are_cut_to_the_room),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
