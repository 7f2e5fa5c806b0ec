/* SPDX-License-Identifier: MIT */
/*
 * Compares all tables of a compiled policy with the file's, loaded. The policy is the one that was compiled into
 * this program, or, for policy_tool_test.py, that of a library.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "weft/policy_load.h"
#include "weft/weft.h"

extern const struct weft_policy compiled;

#define SAME(what)                                           \
	do {                                                 \
		if (!(what)) {                               \
			printf("%d: %s\n", __LINE__, #what); \
			return 0;                            \
		}                                            \
	} while (0)

static int texts(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static int lists(const char *const *a, const char *const *b)
{
	size_t i = 0;

	if (!a || !b)
		return a == b;
	while (a[i] && b[i] && !strcmp(a[i], b[i]))
		i++;
	return !a[i] && !b[i];
}

static int pairs(const struct weft_policy_pair *a, const struct weft_policy_pair *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		SAME(texts(a[i].name, b[i].name) && texts(a[i].value, b[i].value));
	return 1;
}

static int trusts(const struct weft_policy_trust *a, const struct weft_policy_trust *b)
{
	SAME(texts(a->name, b->name) && lists(a->certs, b->certs));
	SAME(weft_policy_trust_equal(a, b) && a->ca_count == b->ca_count);
	SAME(a->hold == b->hold && a->linger_ms == b->linger_ms &&
		a->keep_tickets == b->keep_tickets);
	return 1;
}

static int streams(const struct weft_policy_stream *a, const struct weft_policy_stream *b)
{
	SAME(texts(a->name, b->name) && texts(a->endpoint, b->endpoint) && a->port == b->port);
	SAME(texts(a->protocol, b->protocol) && a->tls == b->tls && a->share == b->share);
	SAME(!a->trust == !b->trust && (!a->trust || texts(a->trust->name, b->trust->name)));
	SAME(!a->credential == !b->credential &&
		(!a->credential || texts(a->credential->name, b->credential->name)));
	SAME(!a->retry == !b->retry && (!a->retry || texts(a->retry->name, b->retry->name)));
	SAME(a->allow == b->allow && texts(a->sni, b->sni) && lists(a->alpn, b->alpn));
	SAME(texts(a->local_address, b->local_address) && texts(a->proxy, b->proxy));
	SAME(a->keep_warm_ms == b->keep_warm_ms && a->warm_holds == b->warm_holds);
	SAME(a->coalesce == b->coalesce);
	SAME(a->connect_ms == b->connect_ms && a->handshake_ms == b->handshake_ms);
	SAME(a->header_ms == b->header_ms && a->idle_ms == b->idle_ms &&
		a->flush_ms == b->flush_ms);
	SAME(a->queue_ms == b->queue_ms && a->timeout_ms == b->timeout_ms);
	SAME(a->window_bytes == b->window_bytes && a->write_high_bytes == b->write_high_bytes);
	SAME(a->max_in_flight_bytes == b->max_in_flight_bytes);
	SAME(a->nailed_up == b->nailed_up && a->opportunistic == b->opportunistic);
	SAME(a->metadata_count == b->metadata_count && a->value_count == b->value_count);
	for (size_t i = 0; i < a->metadata_count; i++) {
		SAME(texts(a->metadata[i].name, b->metadata[i].name));
		SAME(a->metadata[i].use_count == b->metadata[i].use_count);
		SAME(pairs(a->metadata[i].uses, b->metadata[i].uses, a->metadata[i].use_count));
	}
	for (size_t i = 0; i < a->value_count; i++) {
		const struct weft_policy_value *v = &a->values[i], *w = &b->values[i];

		SAME(texts(v->key, w->key) && texts(v->text, w->text) && v->number == w->number);
		SAME(v->pair_count == w->pair_count && pairs(v->pairs, w->pairs, v->pair_count));
	}
	return 1;
}

static int retries(const struct weft_policy_retry *a, const struct weft_policy_retry *b)
{
	SAME(texts(a->name, b->name) && a->backoff_count == b->backoff_count);
	SAME(!memcmp(a->backoff_ms, b->backoff_ms, a->backoff_count * sizeof(*a->backoff_ms)));
	SAME(a->conceal == b->conceal && a->jitter_percent == b->jitter_percent);
	SAME(a->validity_ping_ms == b->validity_ping_ms &&
		a->validity_hangup_ms == b->validity_hangup_ms);
	return 1;
}

static int policies(const struct weft_policy *a, const struct weft_policy *b)
{
	SAME(a->schema == b->schema && a->size == b->size && texts(a->name, b->name));
	SAME(texts(a->product, b->product) && texts(a->release, b->release));
	SAME(a->trust_count == b->trust_count && a->stream_count == b->stream_count);
	SAME(a->retry_count == b->retry_count && a->credential_count == b->credential_count);
	for (size_t i = 0; i < a->trust_count; i++)
		SAME(trusts(&a->trusts[i], &b->trusts[i]));
	for (size_t i = 0; i < a->retry_count; i++)
		SAME(retries(&a->retries[i], &b->retries[i]));
	for (size_t i = 0; i < a->credential_count; i++)
		SAME(texts(a->credentials[i].name, b->credentials[i].name) &&
			texts(a->credentials[i].cert, b->credentials[i].cert) &&
			texts(a->credentials[i].key, b->credentials[i].key));
	for (size_t i = 0; i < a->stream_count; i++)
		SAME(streams(&a->streams[i], &b->streams[i]));
	return 1;
}

/* A table of another schema is refused by name. */
static int refuses_another_schema(void)
{
	struct weft_policy other = compiled;
	struct weft_context *ctx;
	struct weft_error err;

	other.schema++;
	SAME(weft_context_create(NULL, &ctx, &err) == WEFT_OK);
	SAME(weft_context_use_policy(ctx, &compiled, NULL, &err) == WEFT_OK);
	SAME(weft_context_use_policy(ctx, &other, NULL, &err) == WEFT_ERR_ABI);
	SAME(weft_context_policy(ctx) == &compiled);
	printf("%s\n", err.text);
	weft_context_destroy(ctx, 0, NULL, NULL);
	return 1;
}

static const struct weft_policy *tables_of(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	const struct weft_policy *tables = handle ? dlsym(handle, "compiled") : NULL;

	if (!tables)
		printf("%s\n", dlerror());
	return tables; /* which stay */
}

int main(int argc, char **argv)
{
	const struct weft_policy_load_options options = { .size = sizeof(options),
		.for_static = true };
	const struct weft_policy *loaded, *tables = argc > 2 ? tables_of(argv[2]) : &compiled;
	struct weft_error err;
	int same;

	if (argc < 2 || !tables || weft_policy_load(argv[1], &options, &loaded, &err)) {
		printf("%s\n",
			argc > 1 && tables ? err.text : "expected a file, and maybe a library");
		return 2;
	}
	same = policies(loaded, tables);
	weft_policy_release(loaded);
	return same && (argc > 2 || refuses_another_schema()) ? 0 : 1;
}
