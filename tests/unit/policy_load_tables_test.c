/* SPDX-License-Identifier: MIT */
/* What a good policy becomes: each field in the tables, all that is left out at its default; counting and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/certs.h"
#include "tests/support/filter.h"
#include "tests/support/folder.h"
#include "tests/support/told.h"
#include "weft/plugin/policy.h"
#include "weft/policy_load.h"

/* Bytes that are had at the moment; sizes must be those that were asked for. */
struct counted {
	struct weft_allocator alloc;
	size_t now, calls, fail_at; /* fail_at 0: never */
};

static void *counted_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct counted *c = user;
	void *moved;

	if (new_len && ++c->calls == c->fail_at)
		return NULL;
	assert_true(c->now >= old_len);
	moved = new_len ? realloc(ptr, new_len) : NULL;
	if (!new_len)
		free(ptr);
	c->now = c->now - old_len + new_len;
	return moved;
}

static void count(struct counted *c)
{
	*c = (struct counted){ .alloc = { .user = c, .resize = counted_resize } };
}

static struct told told;

static const struct weft_policy *good(const char *json)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "none" };
	const struct weft_policy *p = told_parse(&told, json, NULL, &o);

	if (!p || told.problems)
		fail_msg("%s", told.text);
	return p;
}

static void whats_left_out_has_its_default(void **state)
{
	const struct weft_policy *p =
		good("{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"}}}");
	const struct weft_policy_stream *s = &p->streams[0];

	(void)state;
	assert_int_equal(p->schema, WEFT_POLICY_SCHEMA);
	assert_int_equal(p->size, sizeof(*p));
	assert_string_equal(p->name, "p");
	assert_string_equal(p->product, "");
	assert_string_equal(p->release, "");
	assert_non_null(p->life);
	assert_int_equal(p->retry_count + p->trust_count + p->credential_count, 0);
	assert_int_equal(p->stream_count, 1);
	assert_string_equal(s->name, "s");
	assert_string_equal(s->endpoint, "h");
	assert_int_equal(s->port, 0);
	assert_null(s->protocol);
	assert_true(s->tls);
	assert_null(s->trust);
	assert_null(s->credential);
	assert_null(s->retry);
	assert_int_equal(s->share, WEFT_SHARE_POOL);
	assert_int_equal(s->allow, 0);
	assert_null(s->sni);
	assert_null(s->alpn);
	assert_null(s->local_address);
	assert_null(s->proxy);
	assert_true(s->keep_warm_ms == UINT32_MAX);
	assert_true(s->warm_holds && !s->coalesce);
	assert_int_equal(s->connect_ms + s->handshake_ms + s->header_ms + s->idle_ms + s->flush_ms +
				 s->queue_ms + s->timeout_ms,
		0);
	assert_int_equal(s->window_bytes + s->write_high_bytes + s->max_in_flight_bytes, 0);
	assert_false(s->nailed_up || s->opportunistic);
	assert_int_equal(s->metadata_count + s->value_count, 0);
	weft_policy_release(p);
}

static void times_and_sizes_are_those_of_the_text(void **state)
{
	const struct weft_policy *p = good(
		"{\"schema_version\":1,\"product\":\"a\",\"release\":\"\\u00e4\",\"streams\":{"
		"\"s\":"
		"{\"endpoint\":\"${m}.h\",\"port\":8443,\"protocol\":\"h1\",\"share\":\"alone\","
		"\"allow\":[\"not_yet_valid\",\"malformed\"],\"sni\":\"x\",\"alpn\":[\"a\",\"b\"],"
		"\"local_address\":\"::1\",\"proxy\":\"http://p:1\",\"keep_warm_ms\":0,"
		"\"warm_holds\":false,\"connect_ms\":1,\"handshake_ms\":2,\"header_ms\":3,"
		"\"idle_ms\":4,\"flush_ms\":5,\"queue_ms\":6,\"timeout_ms\":86400000,"
		"\"window_bytes\":8,\"write_high_bytes\":9,\"max_in_flight_bytes\":1073741824,"
		"\"nailed_up\":true,\"opportunistic\":true,\"metadata\":{\"m\":{}}}}}");
	const struct weft_policy_stream *s = &p->streams[0];

	(void)state;
	assert_string_equal(p->product, "a");
	assert_string_equal(p->release, "\xc3\xa4");
	assert_string_equal(s->endpoint, "${m}.h");
	assert_int_equal(s->port, 8443);
	assert_string_equal(s->protocol, "h1");
	assert_int_equal(s->share, WEFT_SHARE_ALONE);
	assert_int_equal(s->allow, WEFT_TLS_NOT_YET_VALID | WEFT_TLS_MALFORMED);
	assert_string_equal(s->sni, "x");
	assert_string_equal(s->alpn[0], "a");
	assert_string_equal(s->alpn[1], "b");
	assert_null(s->alpn[2]);
	assert_string_equal(s->local_address, "::1");
	assert_string_equal(s->proxy, "http://p:1");
	assert_int_equal(s->keep_warm_ms, 0);
	assert_false(s->warm_holds);
	assert_int_equal(s->connect_ms, 1);
	assert_int_equal(s->handshake_ms, 2);
	assert_int_equal(s->header_ms, 3);
	assert_int_equal(s->idle_ms, 4);
	assert_int_equal(s->flush_ms, 5);
	assert_int_equal(s->queue_ms, 6);
	assert_int_equal(s->timeout_ms, 86400000);
	assert_int_equal(s->window_bytes, 8);
	assert_int_equal(s->write_high_bytes, 9);
	assert_int_equal(s->max_in_flight_bytes, 1 << 30);
	assert_true(s->nailed_up && s->opportunistic);
	weft_policy_release(p);
}

/* Each word is the flag of the same name. */
static void each_fault_has_its_word(void **state)
{
	static const char *const words[] = { "expired", "not_yet_valid", "wrong_host", "unknown_ca",
		"self_signed", "revoked", "weak", "malformed" };
	static const unsigned flags[] = { WEFT_TLS_EXPIRED, WEFT_TLS_NOT_YET_VALID,
		WEFT_TLS_WRONG_HOST, WEFT_TLS_UNKNOWN_CA, WEFT_TLS_SELF_SIGNED, WEFT_TLS_REVOKED,
		WEFT_TLS_WEAK, WEFT_TLS_MALFORMED };
	char json[200];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct weft_policy *p;

		snprintf(json, sizeof(json),
			"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\","
			"\"allow\":[\"%s\"]}}}",
			words[i]);
		p = good(json);
		assert_int_equal(p->streams[0].allow, flags[i]);
		weft_policy_release(p);
	}
}

static void sections_become_linked_tables(void **state)
{
	const struct weft_policy *p = good(
		"{\"schema_version\":1,\"retry\":{\"r\":{\"backoff_ms\":[1,20,300],\"conceal\":4,"
		"\"jitter_percent\":5,\"validity_ping_ms\":6,\"validity_hangup_ms\":7}},"
		"\"trust_stores\":{\"t\":{\"system\":true,\"verify_dates\":\"once_clock_set\","
		"\"hold\":\"stream\",\"linger_ms\":8,\"keep_tickets\":9,\"pins_sha256\":["
		"\"/////////////////////////////////////////w8=\","
		"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
		"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]},"
		"\"u\":{\"system\":true,\"hold\":\"policy\"}},"
		"\"credentials\":{\"c\":{\"cert\":\"app:x\",\"key\":\"file:/y\"}},"
		"\"streams\":{\"z\":{\"endpoint\":\"h\",\"trust_store\":\"t\",\"credential\":\"c\","
		"\"retry\":\"r\"},\"a\":{\"endpoint\":\"h\",\"trust_store\":\"u\"}}}");
	const struct weft_policy_trust *t = &p->trusts[0];
	const struct weft_policy_retry *r = &p->retries[0];

	(void)state;
	/* streams are found by their names */
	assert_string_equal(p->streams[0].name, "a");
	assert_string_equal(p->streams[1].name, "z");
	assert_ptr_equal(p->streams[1].trust, t);
	assert_ptr_equal(p->streams[1].retry, r);
	assert_ptr_equal(p->streams[1].credential, &p->credentials[0]);
	assert_ptr_equal(p->streams[0].trust, &p->trusts[1]);

	assert_string_equal(r->name, "r");
	assert_int_equal(r->backoff_count, 3);
	assert_int_equal(r->backoff_ms[0], 1);
	assert_int_equal(r->backoff_ms[1], 20);
	assert_int_equal(r->backoff_ms[2], 300);
	assert_int_equal(r->conceal, 4);
	assert_int_equal(r->jitter_percent, 5);
	assert_int_equal(r->validity_ping_ms, 6);
	assert_int_equal(r->validity_hangup_ms, 7);

	assert_string_equal(t->name, "t");
	assert_true(t->system);
	assert_int_equal(t->verify_dates, WEFT_DATES_ONCE_CLOCK_SET);
	assert_int_equal(t->hold, WEFT_HOLD_STREAM);
	assert_int_equal(t->linger_ms, 8);
	assert_int_equal(t->keep_tickets, 9);
	assert_int_equal(t->pin_count, 2);
	for (unsigned i = 0; i < WEFT_SHA256_BYTES; i++)
		assert_int_equal(t->pins[0][i], i);
	assert_int_equal(t->pins[1][0], 0xff);
	assert_int_equal(t->pins[1][31], 0x0f);
	assert_int_equal(p->trusts[1].hold, WEFT_HOLD_POLICY);
	assert_int_equal(p->trusts[1].verify_dates, WEFT_DATES_ALWAYS);
	assert_int_equal(p->trusts[1].pin_count, 0);

	assert_string_equal(p->credentials[0].cert, "app:x");
	assert_string_equal(p->credentials[0].key, "file:/y");
	weft_policy_release(p);
}

static void roles_keys_become_values(void **state)
{
	const struct weft_policy *p = good(
		"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\",\"method\":\"PUT\","
		"\"path\":\"/${a}\",\"headers\":{\"x\":\"${a}\",\"y\":\"\"},"
		"\"expect\":{\"200-299\":\"ok\"},\"redirects\":3,"
		"\"metadata\":{\"a\":{},\"b\":{\"header\":\"x-b\",\"response_header\":\"server\"}}}"
		"}}");
	const struct weft_policy_stream *s = &p->streams[0];
	const struct weft_policy_value *v;

	(void)state;
	assert_int_equal(s->value_count, 5);
	assert_string_equal(weft_policy_value(s, "method")->text, "PUT");
	assert_string_equal(weft_policy_value(s, "path")->text, "/${a}");
	assert_int_equal(weft_policy_value(s, "redirects")->number, 3);
	v = weft_policy_value(s, "headers");
	assert_int_equal(v->pair_count, 2);
	assert_string_equal(v->pairs[0].name, "x");
	assert_string_equal(v->pairs[0].value, "${a}");
	assert_string_equal(v->pairs[1].name, "y");
	assert_string_equal(v->pairs[1].value, "");
	v = weft_policy_value(s, "expect");
	assert_string_equal(v->pairs[0].name, "200-299");
	assert_string_equal(v->pairs[0].value, "ok");
	assert_null(weft_policy_value(s, "port"));
	assert_int_equal(s->metadata_count, 2);
	assert_string_equal(s->metadata[0].name, "a");
	assert_int_equal(s->metadata[0].use_count, 0);
	assert_string_equal(s->metadata[1].name, "b");
	assert_int_equal(s->metadata[1].use_count, 2);
	assert_string_equal(s->metadata[1].uses[0].name, "header");
	assert_string_equal(s->metadata[1].uses[0].value, "x-b");
	assert_string_equal(s->metadata[1].uses[1].name, "response_header");
	assert_string_equal(s->metadata[1].uses[1].value, "server");
	weft_policy_release(p);
}

/* ---- files ---- */

static const struct weft_policy *from_file(const char *path, bool for_static)
{
	struct weft_policy_load_options o = {
		.size = sizeof(o), .tls = "none", .for_static = for_static
	};
	const struct weft_policy *p = NULL;
	struct weft_error err;

	if (weft_policy_load(path, &o, &p, &err))
		fail_msg("%s", err.text);
	return p;
}

static void files_are_looked_for_beside_the_policy(void **state)
{
	char path[TEST_PATH_MAX], key[TEST_PATH_MAX + 8];
	const struct weft_policy *p;

	(void)state;
	test_file_write(test_folder_path(path, "ca.pem"), test_certs_ca()->cert);
	test_file_write(test_folder_path(path, "a.policy.json"),
		"{\"schema_version\":1,\"certs\":{\"c\":{\"pem_file\":\"ca.pem\"}},"
		"\"trust_stores\":{\"t\":{\"certs\":[\"c\"]}},"
		"\"credentials\":{\"c\":{\"cert\":\"app:x\",\"key\":\"file:key.pem\"}}}");
	p = from_file(path, false);
	assert_string_equal(p->name, "a.policy");
	assert_int_equal(p->trusts[0].ca_count, 1);
	snprintf(key, sizeof(key), "file:%s/key.pem", test_folder());
	assert_string_equal(p->credentials[0].key, key);
	weft_policy_release(p);
	/* a compiled one knows nothing of where it was made */
	p = from_file(path, true);
	assert_string_equal(p->credentials[0].key, "file:key.pem");
	weft_policy_release(p);
}

static void files_that_are_not_there_or_too_large_are_told(void **state)
{
	char path[TEST_PATH_MAX];
	const struct weft_policy *p = NULL;
	struct weft_error err;
	FILE *f;

	(void)state;
	assert_int_equal(weft_policy_load(test_folder_path(path, "none.json"), NULL, &p, &err),
		WEFT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "none.json"));
	assert_int_equal(weft_policy_load(test_folder(), NULL, &p, &err), WEFT_ERR_ARGUMENT);
	f = fopen(test_folder_path(path, "huge.json"), "wb");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), (16 << 20) + 1), 0);
	fclose(f);
	assert_int_equal(weft_policy_load(path, NULL, &p, &err), WEFT_ERR_LIMIT);
	assert_null(p);
}

static void other_backends_are_told(void **state)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "nosuch" };

	(void)state;
	assert_null(told_parse(&told, "{\"schema_version\":1}", NULL, &o));
	assert_int_equal(told.problems, 0);
}

/* ---- memory ---- */

static void the_last_reference_frees_all(void **state)
{
	struct counted c;
	struct weft_policy_load_options o = {
		.size = sizeof(o), .allocator = &c.alloc, .tls = "none"
	};
	const struct weft_policy *p;

	(void)state;
	count(&c);
	p = told_parse(
		&told, "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"}}}", NULL, &o);
	assert_non_null(p);
	assert_int_equal(weft_policy_bytes(p), c.now);
	assert_ptr_equal(weft_policy_ref(p), p);
	weft_policy_release(p);
	assert_string_equal(p->streams[0].name, "s");
	weft_policy_release(p);
	assert_int_equal(c.now, 0);
	/* what is wrong leaves nothing either */
	assert_null(told_parse(&told, "{\"schema_version\":1,\"streams\":{\"s\":{}}}", NULL, &o));
	assert_int_equal(c.now, 0);
}

static void static_ones_are_not_counted(void **state)
{
	const struct weft_policy p = { .schema = WEFT_POLICY_SCHEMA, .size = sizeof(p) };

	(void)state;
	assert_ptr_equal(weft_policy_ref(&p), &p);
	weft_policy_release(&p);
	weft_policy_release(&p);
	assert_int_equal(weft_policy_bytes(&p), 0);
	assert_null(weft_policy_ref(NULL));
	weft_policy_release(NULL);
}

/* Everything in it once, and in front of it a text that moves what follows within the blocks of memory. */
static const char with_all[] =
	"{\"schema_version\":1,\"product\":\"%0*d\",\"release\":\"r\","
	"\"retry\":{\"r\":{\"backoff_ms\":[1,2]}},"
	"\"certs\":{\"c\":{\"der_base64\":\"MIAA\"},\"d\":{\"der_base64\":\"MIAB\"},"
	"\"e\":{\"pem_file\":\"ca.pem\"}},"
	"\"trust_stores\":{\"t\":{\"certs\":[\"c\",\"d\",\"e\"],\"crl_file\":\"crl.pem\","
	"\"pins_sha256\":[\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]}},"
	"\"credentials\":{\"c\":{\"cert\":\"app:x\",\"key\":\"file:y\"}},"
	"\"streams\":{\"s\":{\"endpoint\":\"${a}.h\",\"trust_store\":\"t\",\"credential\":\"c\","
	"\"retry\":\"r\",\"alpn\":[\"x\",\"y\"],\"protocol\":\"h1\",\"headers\":{\"x\":\"${a}\"},"
	"\"path\":\"/${b}\",\"expect\":{\"200\":\"ok\"},"
	"\"metadata\":{\"a\":{},\"b\":{},\"c\":{\"header\":\"x-c\"}}},"
	"\"u\":{\"endpoint\":\"h\"}}}";

/*
 * Memory comes in blocks of 16 KiB. With what is in front growing by 8 bytes a time, each single piece is once the
 * one that needs the next block, which is not there.
 */
static void no_memory_anywhere_leaves_nothing(void **state)
{
	enum { ROOM = 16384 };
	char json[ROOM * 2], path[TEST_PATH_MAX];
	size_t crl_len, failed = 0;
	struct counted c;
	struct weft_policy_load_options o = {
		.size = sizeof(o), .allocator = &c.alloc, .tls = "none"
	};
	struct weft_span text = { (const unsigned char *)json, 0 };
	const struct weft_policy *p;
	struct weft_error err;

	(void)state;
	test_file_write(test_folder_path(path, "ca.pem"), test_certs_ca()->cert);
	test_file_write(test_folder_path(path, "crl.pem"), test_certs_crl(&crl_len));
	for (int pad = 8; pad < ROOM; pad += 8) {
		text.len = (size_t)snprintf(json, sizeof(json), with_all, pad, 0);
		told_listen(&told, &o);
		for (size_t fail_at = 1;; fail_at++) {
			enum weft_status st;

			count(&c);
			c.fail_at = fail_at;
			p = NULL;
			st = weft_policy_parse("p.json", text, test_folder(), &o, &p, &err);
			if (st == WEFT_OK)
				break;
			assert_int_equal(st, WEFT_ERR_MEMORY);
			assert_int_equal(err.status, st);
			assert_null(p);
			assert_int_equal(c.now, 0);
			failed++;
		}
		/* what is missing is memory, and nothing in the file */
		assert_int_equal(told.problems, 0);
		assert_int_equal(p->stream_count, 2);
		weft_policy_release(p);
		assert_int_equal(c.now, 0);
	}
	assert_true(failed > ROOM / 8);
}

static int teardown(void **state)
{
	test_certs_free();
	return test_folder_drop(state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whats_left_out_has_its_default),
		cmocka_unit_test(times_and_sizes_are_those_of_the_text),
		cmocka_unit_test(each_fault_has_its_word),
		cmocka_unit_test(sections_become_linked_tables),
		cmocka_unit_test(roles_keys_become_values),
		cmocka_unit_test(files_are_looked_for_beside_the_policy),
		cmocka_unit_test(files_that_are_not_there_or_too_large_are_told),
		cmocka_unit_test(other_backends_are_told),
		cmocka_unit_test(the_last_reference_frees_all),
		cmocka_unit_test(static_ones_are_not_counted),
		cmocka_unit_test(no_memory_anywhere_leaves_nothing),
	};

	filter_tests();
	return cmocka_run_group_tests_name("policy_load_tables", tests, test_folder_make, teardown);
}
