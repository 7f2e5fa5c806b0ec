/* SPDX-License-Identifier: MIT */
/*
 * The Nth allocation of ours fails, for each N that a policy's life makes: taken into use, a stream opened, answered and
 * closed, exchanged, given up. Nothing half-made is left, and the same succeeds later in the same context.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/named.h"

/* The client's heap. */
static struct {
	unsigned count, fails_at;
	long live; /* bytes that are not given back */
} heap;

static void *failing_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++heap.count == heap.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		heap.live += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator failing = { .resize = failing_resize };
static const struct weft_context_options options = {
	.allocator = &failing,
	.keep_warm_ms = 3600000,
	.linger_ms = 1,
};

static enum weft_status provide(
	void *user, const char *name, struct weft_policy_secret *out, struct weft_error *err)
{
	const struct test_cert *cert = test_cert(TEST_CERT_CLIENT);
	bool key = !strcmp(name, "key");

	(void)user;
	(void)err;
	out->pem = (struct weft_span){ (const unsigned char *)(key ? cert->key : cert->cert),
		key ? cert->key_len : cert->cert_len };
	return WEFT_OK;
}

static const struct weft_policy_use use = { .size = sizeof(use), .provide = provide };

/* a: a store with all that one can have; b: another one, that lingers. */
static const struct weft_policy *load(const struct duo *d, enum weft_hold hold)
{
	unsigned port = (unsigned)strtoul(strrchr(d->base, ':') + 1, NULL, 10);
	const struct test_cert *const both[] = { test_certs_ca(), test_certs_other_ca(), NULL };
	struct tables *t = tables_make("memory");
	struct weft_policy_trust *a = tables_trust(t, "store a", both),
				 *b = tables_trust_of(t, "store b", test_certs_ca());
	const char *crl;
	size_t crl_len;

	crl = test_certs_crl(&crl_len);
	tables_crl(t, a, (struct weft_span){ (const unsigned char *)crl, crl_len });
	a->hold = b->hold = hold;
	a->keep_tickets = 2;
	b->linger_ms = 3600000;
	tables_stream(t, "a", "h1", port, a)->credential =
		tables_credential(t, "device", "app:cert", "app:key");
	tables_stream(t, "b", "h1", port, b)->warm_holds = false;
	return tables_loaded(t);
}

static bool is_memory(enum weft_status st)
{
	if (st)
		assert_int_equal(st, WEFT_ERR_MEMORY);
	return st != WEFT_OK;
}

/* To the end of the stream; false: there was no memory for it. */
static bool visit(struct duo *d, const char *name)
{
	struct named n = { .user = NULL };
	struct weft_error err;

	if (is_memory(named_try(&n, d->client, name, &err))) {
		assert_int_equal(n.closes, 0);
		return false;
	}
	duo_until(d, n.closes);
	assert_int_equal(n.closes, 1);
	return n.why.status == WEFT_OK;
}

static bool use_one(struct duo *d, enum weft_hold hold)
{
	const struct weft_policy *policy = load(d, hold), *before = weft_context_policy(d->client);
	struct weft_error err;
	bool failed = is_memory(weft_context_use_policy(d->client, policy, &use, &err));

	assert_ptr_equal(weft_context_policy(d->client), failed ? before : policy);
	weft_policy_release(policy);
	return !failed;
}

/* All of a policy's life; whether nothing failed. */
static bool live(struct duo *d, enum weft_hold hold)
{
	bool ok = use_one(d, hold);

	if (!weft_context_policy(d->client))
		return false;
	ok &= visit(d, "a");
	ok &= visit(d, "b");
	ok &= use_one(d, hold);
	ok &= visit(d, "a");
	return ok;
}

static void end_policy(struct duo *d)
{
	assert_int_equal(weft_context_use_policy(d->client, NULL, NULL, NULL), WEFT_OK);
	duo_until(d, !duo_client_counts(d).conns_now);
}

static unsigned live_once(enum weft_hold hold, unsigned fails_at)
{
	unsigned count;
	struct duo d;
	bool ok;

	heap.live = 0;
	heap.fails_at = 0;
	duo_open(&d, NULL, &options, NULL, false);
	heap.count = 0;
	heap.fails_at = fails_at;
	ok = live(&d, hold);
	count = heap.count;
	assert_true(ok || fails_at);
	/* what failed once does not fail for ever */
	heap.fails_at = 0;
	end_policy(&d);
	assert_true(use_one(&d, hold) && visit(&d, "a") && visit(&d, "b"));
	end_policy(&d);
	/* one lingers still, and that is all */
	assert_int_equal(duo_client_counts(&d).vhosts_now, 1);
	duo_close(&d);
	assert_int_equal(heap.live, 0);
	assert_int_equal(tables_live, 0);
	return count;
}

static void every_allocation_may_fail(enum weft_hold hold)
{
	unsigned total = live_once(hold, 0);

	assert_in_range(total, 20, 2000);
	for (unsigned n = 1; n <= total; n++)
		(void)live_once(hold, n);
}

static void every_allocation_may_fail_held_by_connections(void **state)
{
	(void)state;
	every_allocation_may_fail(WEFT_HOLD_CONNECTION);
}

static void every_allocation_may_fail_held_by_streams(void **state)
{
	(void)state;
	every_allocation_may_fail(WEFT_HOLD_STREAM);
}

static void every_allocation_may_fail_held_by_the_policy(void **state)
{
	(void)state;
	every_allocation_may_fail(WEFT_HOLD_POLICY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail_held_by_connections),
		cmocka_unit_test(every_allocation_may_fail_held_by_streams),
		cmocka_unit_test(every_allocation_may_fail_held_by_the_policy),
	};

	return duo_main("policy, memory", tests, sizeof(tests) / sizeof(*tests), DUO_TLS);
}
