/* SPDX-License-Identifier: MIT */
/* weft policy diff: what two policies mean differently, by section, name and key. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/*
 * Either side as flat lines "section.name.key" and a value: compared as such. Of members of a set there may be
 * several of one key, and their content tells them apart.
 */
struct fact {
	char *key, *value;
	struct weft_span content; /* of a member; the policy's */
};

struct facts {
	const struct policy_options *o;
	struct weft_registry *registry;
	struct fact *all;
	size_t count;
};

static void say(struct facts *f, const char *value, const char *fmt, ...) WEFT_PRINTF(3, 4);

static void say(struct facts *f, const char *value, const char *fmt, ...)
{
	struct fact *more = realloc(f->all, (f->count + 1) * sizeof(*more));
	struct fact fact = { .key = NULL };
	va_list args;

	if (!more)
		abort(); /* a command of its own, without memory */
	f->all = more;
	va_start(args, fmt);
	if (vasprintf(&fact.key, fmt, args) < 0)
		abort();
	va_end(args);
	fact.value = strdup(value ? value : "");
	if (!fact.value)
		abort();
	f->all[f->count++] = fact;
}

static void say_member(struct facts *f, const char *value, struct weft_span content,
	const char *section, const char *name, const char *key)
{
	say(f, value, "%s.%s.%s", section, name, key);
	f->all[f->count - 1].content = content;
}

static void say_number(struct facts *f, unsigned long value, const char *section, const char *name,
	const char *key)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", value);
	say(f, text, "%s.%s.%s", section, name, key);
}

static void say_flag(
	struct facts *f, bool value, const char *section, const char *name, const char *key)
{
	say(f, value ? "true" : "false", "%s.%s.%s", section, name, key);
}

static void say_trust(struct facts *f, const struct weft_policy_trust *t)
{
	static const char section[] = "trust_stores";
	char text[POLICY_CERT_TEXT], pin[POLICY_PIN_TEXT];

	say_flag(f, t->system, section, t->name, "system");
	for (size_t i = 0; i < t->ca_count; i++)
		say_member(f, policy_cert_text(f->o, f->registry, t->ca[i], text), t->ca[i],
			section, t->name, "certs");
	for (size_t i = 0; i < t->crl_count; i++) {
		snprintf(text, sizeof(text), "a revocation list of %zu bytes", t->crl[i].len);
		say_member(f, text, t->crl[i], section, t->name, "crl_file");
	}
	for (size_t i = 0; i < t->pin_count; i++)
		say_member(f, policy_pin_text(t->pins[i], pin),
			(struct weft_span){ t->pins[i], WEFT_SHA256_BYTES }, section, t->name,
			"pins_sha256");
	say(f, policy_dates_word(t->verify_dates), "%s.%s.verify_dates", section, t->name);
	say(f, policy_hold_word(t->hold), "%s.%s.hold", section, t->name);
	say_number(f, t->linger_ms, section, t->name, "linger_ms");
	say_number(f, t->keep_tickets, section, t->name, "keep_tickets");
}

static void say_retry(struct facts *f, const struct weft_policy_retry *r)
{
	char *all = NULL;
	size_t len;
	FILE *to = open_memstream(&all, &len);

	if (!to)
		abort();
	for (size_t i = 0; i < r->backoff_count; i++)
		fprintf(to, "%s%u", i ? ", " : "", r->backoff_ms[i]);
	if (fclose(to))
		abort();
	say(f, all, "retry.%s.backoff_ms", r->name);
	free(all);
	say_number(f, r->conceal, "retry", r->name, "conceal");
	say_number(f, r->jitter_percent, "retry", r->name, "jitter_percent");
	say_number(f, r->validity_ping_ms, "retry", r->name, "validity_ping_ms");
	say_number(f, r->validity_hangup_ms, "retry", r->name, "validity_hangup_ms");
}

static void say_numbers(struct facts *f, const struct weft_policy_stream *s)
{
	const struct {
		const char *key;
		uint32_t value;
	} all[] = {
		{ "port", s->port },
		{ "connect_ms", s->connect_ms },
		{ "handshake_ms", s->handshake_ms },
		{ "header_ms", s->header_ms },
		{ "idle_ms", s->idle_ms },
		{ "flush_ms", s->flush_ms },
		{ "queue_ms", s->queue_ms },
		{ "timeout_ms", s->timeout_ms },
		{ "window_bytes", s->window_bytes },
		{ "write_high_bytes", s->write_high_bytes },
		{ "max_in_flight_bytes", s->max_in_flight_bytes },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		say_number(f, all[i].value, "streams", s->name, all[i].key);
	if (s->keep_warm_ms != UINT32_MAX)
		say_number(f, s->keep_warm_ms, "streams", s->name, "keep_warm_ms");
}

static void say_own(struct facts *f, const struct weft_policy_stream *s)
{
	char number[24];

	for (size_t i = 0; i < s->value_count; i++) {
		const struct weft_policy_value *v = &s->values[i];

		for (size_t k = 0; k < v->pair_count; k++)
			say(f, v->pairs[k].value, "streams.%s.%s.%s", s->name, v->key,
				v->pairs[k].name);
		snprintf(number, sizeof(number), "%lld", (long long)v->number);
		if (!v->pairs)
			say(f, v->text ? v->text : number, "streams.%s.%s", s->name, v->key);
	}
	for (size_t i = 0; i < s->metadata_count; i++) {
		const struct weft_policy_metadata *m = &s->metadata[i];

		say(f, "known", "streams.%s.metadata.%s", s->name, m->name);
		for (size_t k = 0; k < m->use_count; k++)
			say(f, m->uses[k].value, "streams.%s.metadata.%s.%s", s->name, m->name,
				m->uses[k].name);
	}
	for (size_t i = 0; s->alpn && s->alpn[i]; i++)
		say(f, s->alpn[i], "streams.%s.alpn[%zu]", s->name, i);
}

static void say_stream(struct facts *f, const struct weft_policy_stream *s)
{
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "endpoint", s->endpoint },
		{ "protocol", s->protocol ? s->protocol : "auto" },
		{ "trust_store", s->trust ? s->trust->name : NULL },
		{ "credential", s->credential ? s->credential->name : NULL },
		{ "retry", s->retry ? s->retry->name : NULL },
		{ "sni", s->sni },
		{ "local_address", s->local_address },
		{ "proxy", s->proxy },
		{ "share", s->share == WEFT_SHARE_POOL ? "pool" : "alone" },
	};
	char allow[128];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].value)
			say(f, texts[i].value, "streams.%s.%s", s->name, texts[i].key);
	}
	say(f, policy_allow_words(s->allow, allow), "streams.%s.allow", s->name);
	say_flag(f, s->tls, "streams", s->name, "tls");
	say_flag(f, s->warm_holds, "streams", s->name, "warm_holds");
	say_flag(f, s->coalesce, "streams", s->name, "coalesce");
	say_flag(f, s->nailed_up, "streams", s->name, "nailed_up");
	say_flag(f, s->opportunistic, "streams", s->name, "opportunistic");
	say_numbers(f, s);
	say_own(f, s);
}

static int by_place(const void *a, const void *b)
{
	const struct fact *p = a, *q = b;
	int order = strcmp(p->key, q->key);

	if (order || p->content.len != q->content.len)
		return order ? order : p->content.len < q->content.len ? -1 : 1;
	return p->content.len ? memcmp(p->content.ptr, q->content.ptr, p->content.len) : 0;
}

static struct facts facts_of(
	const struct policy_options *o, struct weft_registry *registry, const struct weft_policy *p)
{
	struct facts f = { .o = o, .registry = registry };

	say(&f, p->product, "product");
	say(&f, p->release, "release");
	for (size_t i = 0; i < p->trust_count; i++)
		say_trust(&f, &p->trusts[i]);
	for (size_t i = 0; i < p->retry_count; i++)
		say_retry(&f, &p->retries[i]);
	for (size_t i = 0; i < p->credential_count; i++) {
		say(&f, p->credentials[i].cert, "credentials.%s.cert", p->credentials[i].name);
		say(&f, p->credentials[i].key, "credentials.%s.key", p->credentials[i].name);
	}
	for (size_t i = 0; i < p->stream_count; i++)
		say_stream(&f, &p->streams[i]);
	qsort(f.all, f.count, sizeof(*f.all), by_place);
	return f;
}

static void forget(struct facts *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->all[i].key);
		free(f->all[i].value);
	}
	free(f->all);
}

static size_t compare(const struct facts *a, const struct facts *b)
{
	size_t i = 0, k = 0, differences = 0;

	while (i < a->count || k < b->count) {
		int order = i == a->count   ? 1
			    : k == b->count ? -1
					    : by_place(&a->all[i], &b->all[k]);

		if (order < 0)
			printf("- %s: %s\n", a->all[i].key, a->all[i].value);
		else if (order > 0)
			printf("+ %s: %s\n", b->all[k].key, b->all[k].value);
		else if (strcmp(a->all[i].value, b->all[k].value) != 0)
			printf("! %s: %s -> %s\n", a->all[i].key, a->all[i].value, b->all[k].value);
		else
			differences--;
		differences++;
		i += order <= 0;
		k += order >= 0;
	}
	return differences;
}

static bool knows(const struct weft_policy *p, const char *trust)
{
	for (size_t i = 0; i < p->trust_count; i++) {
		if (!strcmp(p->trusts[i].name, trust))
			return true;
	}
	return false;
}

/* A store that was only called something else. */
static void tell_renamed(const struct weft_policy *a, const struct weft_policy *b)
{
	for (size_t i = 0; i < a->trust_count; i++) {
		for (size_t k = 0; k < b->trust_count; k++) {
			if (!knows(b, a->trusts[i].name) && !knows(a, b->trusts[k].name) &&
				weft_policy_trust_equal(&a->trusts[i], &b->trusts[k]))
				printf("= trust_stores.%s believes what trust_stores.%s does\n",
					a->trusts[i].name, b->trusts[k].name);
		}
	}
}

int policy_diff(const struct policy_options *o)
{
	const struct weft_policy *a = policy_read(o, o->files[0], false, NULL);
	const struct weft_policy *b = a ? policy_read(o, o->files[1], false, NULL) : NULL;
	struct weft_registry *registry = NULL;
	struct weft_error err;
	struct facts left, right;
	size_t differences;

	if (!b || weft_registry_create(o->plugin_dir, &registry, &err)) {
		if (b)
			fprintf(stderr, "weft policy: %s\n", err.text);
		weft_policy_release(a);
		weft_policy_release(b);
		return EXIT_USAGE;
	}
	left = facts_of(o, registry, a);
	right = facts_of(o, registry, b);
	differences = compare(&left, &right);
	if (differences)
		tell_renamed(a, b);
	forget(&left);
	forget(&right);
	weft_registry_release(registry);
	weft_policy_release(a);
	weft_policy_release(b);
	return differences ? 1 : 0;
}
