/* SPDX-License-Identifier: MIT */
/*
 * Policies from any text: it is refused with at least one problem, each at a place that the text has and in its order,
 * or it becomes tables in which everything is linked as their header says.
 */
#include "tests/fuzz/fuzz.h"
#include "weft/policy_load.h"

struct heard {
	const uint8_t *data;
	size_t len, last; /* where the problem before was */
	unsigned failures;
};

/* The offset of a place, which must be in the text. */
static size_t offset_of(const struct heard *h, unsigned line, unsigned column)
{
	size_t at = 0;

	must(line && column);
	while (--line) {
		const uint8_t *newline = memchr(h->data + at, '\n', h->len - at);

		must(newline);
		at = (size_t)(newline - h->data) + 1;
	}
	must(!memchr(h->data + at, '\n', column - 1 <= h->len - at ? column - 1 : h->len - at));
	at += column - 1;
	must(at <= h->len);
	return at;
}

static void tell(void *user, const struct weft_policy_problem *p)
{
	struct heard *h = user;
	size_t at = offset_of(h, p->line, p->column);

	must(!strcmp(p->file, "p.json") && p->path && p->text && p->text[0]);
	must(at >= h->last);
	h->last = at;
	h->failures += !p->warning;
}

static void check_spans(const struct weft_span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		must(spans[i].len && spans[i].ptr);
		must(!i || spans[i - 1].len < spans[i].len ||
			(spans[i - 1].len == spans[i].len &&
				memcmp(spans[i - 1].ptr, spans[i].ptr, spans[i].len) < 0));
	}
}

static void check_trust(const struct weft_policy_trust *t)
{
	must(t->name && (t->ca_count || t->system));
	check_spans(t->ca, t->ca_count);
	check_spans(t->crl, t->crl_count);
	must(t->pin_count <= WEFT_PINS_MAX);
	for (size_t i = 1; i < t->pin_count; i++)
		must(memcmp(t->pins[i - 1], t->pins[i], sizeof(*t->pins)) < 0);
}

static void check_pairs(const struct weft_policy_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must(strlen(pairs[i].name) + strlen(pairs[i].value) < SIZE_MAX);
}

/* Whether one is an entry of the table. */
static void check_within(const void *one, const void *table, size_t size, size_t count)
{
	uintptr_t at = (uintptr_t)one, from = (uintptr_t)table;

	must(!one || (at >= from && at < from + size * count && (at - from) % size == 0));
}

static void check_stream(const struct weft_policy *p, const struct weft_policy_stream *s)
{
	must(s->name[0] && s->endpoint[0]);
	check_within(s->trust, p->trusts, sizeof(*s->trust), p->trust_count);
	check_within(s->credential, p->credentials, sizeof(*s->credential), p->credential_count);
	check_within(s->retry, p->retries, sizeof(*s->retry), p->retry_count);
	must(s->tls || !(s->trust || s->credential || s->allow || s->sni || s->alpn));
	must(!(s->allow & ~WEFT_TLS_ALLOW_ALL));
	must(weft_policy_find(p, s->name) == s);
	for (size_t i = 0; i < s->metadata_count; i++)
		check_pairs(s->metadata[i].uses, s->metadata[i].use_count);
	for (size_t i = 0; i < s->value_count; i++) {
		must(s->values[i].key[0]);
		check_pairs(s->values[i].pairs, s->values[i].pair_count);
	}
}

static void check_tables(const struct weft_policy *p)
{
	must(p->schema == WEFT_POLICY_SCHEMA && p->size == sizeof(*p) && p->life);
	must(!strcmp(p->name, "p") && p->product && p->release);
	for (size_t i = 0; i < p->retry_count; i++)
		must(p->retries[i].name && p->retries[i].backoff_count);
	for (size_t i = 0; i < p->trust_count; i++)
		check_trust(&p->trusts[i]);
	for (size_t i = 0; i < p->credential_count; i++)
		must(p->credentials[i].cert[0] && p->credentials[i].key[0]);
	for (size_t i = 0; i < p->stream_count; i++) {
		must(!i || strcmp(p->streams[i - 1].name, p->streams[i].name) < 0);
		check_stream(p, &p->streams[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct weft_registry *registry;
	uint8_t *copy = fuzz_bytes(data, len);
	struct heard heard = { .data = copy, .len = len };
	/* whatever the clock says, an input means the same; what is named is looked for where nothing is */
	struct weft_policy_load_options o = {
		.size = sizeof(o),
		.now = 1800000000,
		.tell = tell,
		.user = &heard,
	};
	const struct weft_policy *p = NULL;
	struct weft_error err;
	enum weft_status st;

	if (!registry)
		must(weft_registry_create(NULL, &registry, &err) == WEFT_OK);
	o.registry = registry;
	st = weft_policy_parse(
		"p.json", (struct weft_span){ copy, len }, "/nonexistent", &o, &p, &err);
	must(st == WEFT_OK || st == WEFT_ERR_ARGUMENT);
	must((st == WEFT_OK) == !heard.failures);
	must((st == WEFT_OK) == (p != NULL));
	if (p)
		check_tables(p);
	weft_policy_release(p);
	free(copy);
	return 0;
}
