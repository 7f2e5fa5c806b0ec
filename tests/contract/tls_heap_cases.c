/* SPDX-License-Identifier: MIT */
/* What trust stores cost, and that all of it is given back: early by a trim, whole at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"
#include "tests/support/heap.h"

enum { STORE_MAX = 400, MINTED = 140, SLACK = 1024 };

/* Where this is not, certificates are minted. */
static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";

/* Valgrind has a malloc of its own. */
static void need_count(void)
{
	long before = heap_now();
	void *volatile block = malloc(4096);
	bool counted = heap_now() >= before + 4096;

	free(block);
	if (!counted) {
		print_message("the heap is not counted here\n");
		skip();
	}
}

struct store {
	char *text;
	struct weft_span ca[STORE_MAX];
	size_t count;
};

static char *load(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	long len;

	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END) && (len = ftell(f)) > 0) {
		rewind(f);
		text = calloc(1, (size_t)len + 1);
		if (text && fread(text, 1, (size_t)len, f) != (size_t)len)
			text[0] = '\0';
	}
	fclose(f);
	return text;
}

/* What a backend cannot read, such as a curve that it does not know, is left out. */
static void add(struct store *s, const struct weft_tls_ops *ops, const char *at, const char *end)
{
	struct weft_span one = { (const unsigned char *)at, (size_t)(end - at) };
	struct weft_tls_cert cert;

	if (s->count < STORE_MAX && (!ops->cert_read || !ops->cert_read(one, &cert, NULL)))
		s->ca[s->count++] = one;
}

static void store_fill(struct store *s, const struct weft_tls_ops *ops)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", last[] = "\n-----END";
	char *at, *end;

	memset(s, 0, sizeof(*s));
	s->text = load(bundle);
	for (at = s->text; at && (at = strstr(at, begin)) != NULL; at = end) {
		end = strstr(at, last);
		end = end ? strchr(end + 1, '\n') : NULL;
		if (!end)
			break;
		add(s, ops, at, end);
	}
	while (s->count < MINTED) {
		char subject[32];
		const struct test_cert *made;

		snprintf(subject, sizeof(subject), "CN=Root %zu", s->count);
		made = test_mint(&(struct test_recipe){
			.subject = subject, .self_signed = true, .ca = true });
		add(s, ops, made->cert, made->cert + made->cert_len);
	}
}

static long cost(const struct weft_tls_ops *ops, struct weft_tls_ctx_options *o)
{
	long before = heap_now(), now;
	struct weft_error err;
	void *ctx;

	if (ops->ctx_create(o, &ctx, &err))
		fail_msg("%s", err.text);
	now = heap_now();
	ops->ctx_destroy(ctx);
	return now - before;
}

static struct weft_span span_of(const char *bytes, size_t len)
{
	return (struct weft_span){ (const unsigned char *)bytes, len };
}

static void set_identity(struct weft_tls_ctx_options *o)
{
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);

	o->cert_chain = span_of(own->cert, own->cert_len);
	o->key = span_of(own->key, own->key_len);
}

/* What a context with the whole store takes beyond one that has only one of them. */
static long store_cost(const struct weft_tls_ops *ops, const struct store *s, bool server)
{
	struct weft_tls_ctx_options o = { .size = sizeof(o), .alloc = &weft_allocator_system };
	long whole;

	o.server = server;
	o.client_auth = server ? WEFT_TLS_CLIENT_AUTH_OPTIONAL : WEFT_TLS_CLIENT_AUTH_NONE;
	if (server)
		set_identity(&o);
	o.ca = s->ca;
	o.ca_count = s->count;
	(void)cost(ops, &o); /* what is made once, is */
	whole = cost(ops, &o);
	o.ca_count = 1;
	return whole - cost(ops, &o);
}

static void assert_trimmed(struct tls_end *e, long store)
{
	long before = heap_now(), freed;

	e->ops->ctx_trim(e->ctx);
	freed = before - heap_now();
	if (freed < store / 10 * 8)
		fail_msg("the store takes %ld bytes, %ld were given back", store, freed);
}

static void trim_gives_a_store_back(void **state)
{
	const struct tls_setting *setting = *state;
	const struct weft_tls_ops *ops = setting->client->ops;
	struct tls_wish wish = { .tickets = false };
	struct weft_buffer plain;
	struct store store;
	struct tls_pair p;
	long cost;

	need_count();
	if (!ops->ctx_trim)
		skip();
	store_fill(&store, ops);
	wish.store = store.ca;
	wish.store_count = store.count;
	wish.client_auth = ops->caps & WEFT_TLS_CAN_CLIENT_AUTH ? WEFT_TLS_CLIENT_AUTH_OPTIONAL
								: WEFT_TLS_CLIENT_AUTH_NONE;
	weft_buffer_init(&plain, &weft_allocator_system);
	tls_pair_open(&p, setting, &wish);
	cost = store_cost(ops, &store, false);
	assert_true(cost > (long)store.count * 500);
	assert_trimmed(&p.client, cost);
	if (wish.client_auth)
		assert_trimmed(&p.server, store_cost(ops, &store, true));
	tls_end_encrypt(&p.client, "ping", 4);
	tls_carry(&p, true, &plain);
	tls_end_encrypt(&p.server, "pong", 4);
	tls_carry(&p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), 8);
	tls_pair_destroy(&p);
	weft_buffer_finish(&plain);
	free(store.text);
}

/* Round by round another kind: with the bundle alone, with credentials, broken at the third one, with a bad key. */
static void one_round(const struct weft_tls_ops *ops, struct store *s, int kind)
{
	struct weft_tls_ctx_options o = { .size = sizeof(o), .alloc = &weft_allocator_system };
	struct weft_span third = s->ca[2];
	const enum weft_status expected = kind < 2 ? WEFT_OK : WEFT_ERR_TLS;
	enum weft_status st;
	void *ctx;

	o.ca = s->ca;
	o.ca_count = s->count;
	if (kind & 1)
		set_identity(&o);
	if (kind == 2)
		s->ca[2].len /= 2;
	if (kind == 3)
		o.key.len /= 2;
	st = ops->ctx_create(&o, &ctx, NULL);
	assert_int_equal(st, expected);
	if (st == WEFT_OK)
		ops->ctx_destroy(ctx);
	s->ca[2] = third;
}

static void bundles_come_and_go_without_a_trace(void **state)
{
#ifdef WEFT_TEST_SANITIZED
	enum { ROUNDS = 40 };
#else
	enum { ROUNDS = 1000 };
#endif
	enum { KINDS = 4 };
	const struct tls_setting *setting = *state;
	struct store store;
	long before, grown;

	need_count();
	store_fill(&store, setting->client->ops);
	for (int i = 0; i < KINDS; i++)
		one_round(setting->client->ops, &store, i);
	before = heap_now();
	for (int i = 0; i < ROUNDS; i++)
		one_round(setting->client->ops, &store, i % KINDS);
	grown = heap_now() - before;
	if (grown < -SLACK || grown > SLACK)
		fail_msg("%d rounds changed the heap by %ld bytes", ROUNDS, grown);
	free(store.text);
}

const struct CMUnitTest tls_heap_tests[] = {
	cmocka_unit_test(trim_gives_a_store_back),
	cmocka_unit_test(bundles_come_and_go_without_a_trace),
};
const size_t tls_heap_count = sizeof(tls_heap_tests) / sizeof(*tls_heap_tests);
