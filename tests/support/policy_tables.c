/* SPDX-License-Identifier: MIT */
/* Policies without a file. */
#include "tests/support/policy_tables.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned tables_live;

static void *must(void *ptr)
{
	if (!ptr)
		abort();
	return ptr;
}

struct tables *tables_make(const char *name)
{
	struct tables *t = must(calloc(1, sizeof(*t)));

	t->policy = (struct weft_policy){
		.schema = WEFT_POLICY_SCHEMA,
		.size = sizeof(t->policy),
		.name = name,
		.trusts = t->trusts,
		.credentials = t->credentials,
		.streams = t->streams,
	};
	tables_live++;
	return t;
}

const char *tables_text(struct tables *t, const char *text)
{
	char *name = t->names[t->name_count];

	if (t->name_count++ == TABLES_NAMES)
		abort();
	snprintf(name, sizeof(t->names[0]), "%s", text);
	return name;
}

const char *tables_name(struct tables *t, char letter, size_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%c%zu", letter, number % 1000000);
	return tables_text(t, text);
}

/* ---- stores ---- */

/* The order of the tables: length first, then bytes. */
static int compare(const void *a, const void *b)
{
	const struct weft_span *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->ptr, y->ptr, x->len);
}

static void add(struct weft_span *spans, size_t *count, size_t max, struct weft_span span)
{
	if (*count == max)
		abort();
	spans[(*count)++] = span;
	qsort(spans, *count, sizeof(*spans), compare);
}

struct weft_policy_trust *tables_trust(
	struct tables *t, const char *name, const struct test_cert *const *ca)
{
	size_t at = t->policy.trust_count++, len;
	struct weft_policy_trust *trust = &t->trusts[at];
	unsigned char *der;

	if (at == TABLES_MAX)
		abort();
	*trust = (struct weft_policy_trust){
		.name = name,
		.ca = t->spans[at].ca,
		.crl = t->spans[at].crl,
		.hold = WEFT_HOLD_CONNECTION,
	};
	for (; *ca; ca++) {
		der = test_cert_der(*ca, &len);
		add(t->spans[at].ca, &trust->ca_count, TABLES_CERTS,
			(struct weft_span){ der, len });
	}
	return trust;
}

struct weft_policy_trust *tables_trust_of(
	struct tables *t, const char *name, const struct test_cert *ca)
{
	const struct test_cert *const one[] = { ca, NULL };

	return tables_trust(t, name, one);
}

static struct weft_span copy(struct weft_span from)
{
	unsigned char *bytes = must(malloc(from.len));

	memcpy(bytes, from.ptr, from.len);
	return (struct weft_span){ bytes, from.len };
}

void tables_crl(struct tables *t, struct weft_policy_trust *trust, struct weft_span crl)
{
	add(t->spans[trust - t->trusts].crl, &trust->crl_count, 1, copy(crl));
}

void tables_junk(struct tables *t, struct weft_policy_trust *trust)
{
	/* it looks like one at first, and is longer than any */
	static const unsigned char junk[2000] = { 0x30, 0x82, 0x07, 0xcc };
	const struct weft_span span = { junk, sizeof(junk) };

	add(t->spans[trust - t->trusts].ca, &trust->ca_count, TABLES_CERTS, copy(span));
}

struct weft_policy_credential *tables_credential(
	struct tables *t, const char *name, const char *cert, const char *key)
{
	struct weft_policy_credential *c = &t->credentials[t->policy.credential_count++];

	if (t->policy.credential_count > sizeof(t->credentials) / sizeof(*t->credentials))
		abort();
	*c = (struct weft_policy_credential){ .name = name, .cert = cert, .key = key };
	return c;
}

/* ---- streams ---- */

struct weft_policy_stream *tables_stream(struct tables *t, const char *name, const char *protocol,
	unsigned port, const struct weft_policy_trust *trust)
{
	static const struct weft_policy_value path = { .key = "path", .text = "/digest/1" };
	struct weft_policy_stream *s = &t->streams[t->policy.stream_count++];

	if (t->policy.stream_count > TABLES_MAX)
		abort();
	*s = (struct weft_policy_stream){
		.name = name,
		.endpoint = "127.0.0.1",
		.port = (uint16_t)port,
		.protocol = protocol,
		.tls = true,
		.trust = trust,
		.share = WEFT_SHARE_POOL,
		.keep_warm_ms = UINT32_MAX,
		.warm_holds = true,
	};
	if (strcmp(protocol, "raw")) {
		s->values = &path;
		s->value_count = 1;
	}
	return s;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct weft_policy_stream *)a)->name,
		((const struct weft_policy_stream *)b)->name);
}

const struct weft_policy *tables_static(struct tables *t)
{
	qsort(t->streams, t->policy.stream_count, sizeof(t->streams[0]), by_name);
	return &t->policy;
}

static void end(const struct weft_policy *policy)
{
	tables_free((struct tables *)(uintptr_t)policy);
}

const struct weft_policy *tables_loaded(struct tables *t)
{
	t->life.bytes = sizeof(*t);
	t->life.end = end;
	atomic_init(&t->life.refs, 1);
	t->policy.life = &t->life;
	return tables_static(t);
}

void tables_free(struct tables *t)
{
	for (size_t i = 0; i < t->policy.trust_count; i++) {
		for (size_t k = 0; k < t->trusts[i].ca_count; k++)
			free((void *)(uintptr_t)t->spans[i].ca[k].ptr);
		for (size_t k = 0; k < t->trusts[i].crl_count; k++)
			free((void *)(uintptr_t)t->spans[i].crl[k].ptr);
	}
	free(t);
	tables_live--;
}
