/* SPDX-License-Identifier: MIT */
/* weft policy diff: what two policies mean differently, by section, name and key. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* Either side as flat lines "section.name.key" and a value: compared as such. */
struct fact {
	char *key, *value;
};

struct facts {
	struct fact *all;
	size_t count;
};

static void say(struct facts *f, const char *value, const char *fmt, ...) WEFT_PRINTF(3, 4);

static void say(struct facts *f, const char *value, const char *fmt, ...)
{
	struct fact *more = realloc(f->all, (f->count + 1) * sizeof(*more));
	char key[512];
	va_list args;

	if (!more)
		abort(); /* a command of its own, without memory */
	f->all = more;
	va_start(args, fmt);
	vsnprintf(key, sizeof(key), fmt, args);
	va_end(args);
	f->all[f->count].key = strdup(key);
	f->all[f->count].value = strdup(value ? value : "");
	if (!f->all[f->count].key || !f->all[f->count].value)
		abort();
	f->count++;
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

/* Which certificate it is: its length, and a sum of its bytes (FNV-1a). */
static const char *mark(const struct weft_span *der, char out[40])
{
	uint64_t sum = 14695981039346656037u;

	for (size_t i = 0; i < der->len; i++)
		sum = (sum ^ der->ptr[i]) * 1099511628211u;
	snprintf(out, 40, "%zu bytes, %016llx", der->len, (unsigned long long)sum);
	return out;
}

static void say_trust(struct facts *f, const struct weft_policy_trust *t)
{
	static const char section[] = "trust_stores";
	char text[40], pin[8];

	say_flag(f, t->system, section, t->name, "system");
	for (size_t i = 0; i < t->ca_count; i++)
		say(f, "trusted", "%s.%s.certs (%s)", section, t->name, mark(&t->ca[i], text));
	for (size_t i = 0; i < t->crl_count; i++)
		say(f, "heeded", "%s.%s.crl_file (%s)", section, t->name, mark(&t->crl[i], text));
	for (size_t i = 0; i < t->pin_count; i++) {
		snprintf(pin, sizeof(pin), "%02x%02x%02x", t->pins[i][0], t->pins[i][1],
			t->pins[i][2]);
		say(f, "pinned", "%s.%s.pins_sha256 (%s...)", section, t->name, pin);
	}
	say(f, policy_dates_word(t->verify_dates), "%s.%s.verify_dates", section, t->name);
	say(f, policy_hold_word(t->hold), "%s.%s.hold", section, t->name);
	say_number(f, t->linger_ms, section, t->name, "linger_ms");
	say_number(f, t->keep_tickets, section, t->name, "keep_tickets");
}

static void say_retry(struct facts *f, const struct weft_policy_retry *r)
{
	char all[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < r->backoff_count && used < sizeof(all); i++)
		used += (size_t)snprintf(
			all + used, sizeof(all) - used, "%s%u", i ? ", " : "", r->backoff_ms[i]);
	say(f, all, "retry.%s.backoff_ms", r->name);
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
	say_flag(f, s->nailed_up, "streams", s->name, "nailed_up");
	say_flag(f, s->opportunistic, "streams", s->name, "opportunistic");
	say_numbers(f, s);
	say_own(f, s);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct fact *)a)->key, ((const struct fact *)b)->key);
}

static struct facts facts_of(const struct weft_policy *p)
{
	struct facts f = { .all = NULL };

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
	qsort(f.all, f.count, sizeof(*f.all), by_key);
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
		int order = i == a->count ? 1 : k == b->count ? -1 : by_key(&a->all[i], &b->all[k]);

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

/* A store that was only called something else. */
static void tell_renamed(const struct weft_policy *a, const struct weft_policy *b)
{
	for (size_t i = 0; i < a->trust_count; i++) {
		for (size_t k = 0; k < b->trust_count; k++) {
			if (strcmp(a->trusts[i].name, b->trusts[k].name) != 0 &&
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
	struct facts left, right;
	size_t differences;

	if (!b) {
		weft_policy_release(a);
		return EXIT_USAGE;
	}
	left = facts_of(a);
	right = facts_of(b);
	differences = compare(&left, &right);
	if (differences)
		tell_renamed(a, b);
	forget(&left);
	forget(&right);
	weft_policy_release(a);
	weft_policy_release(b);
	return differences ? 1 : 0;
}
