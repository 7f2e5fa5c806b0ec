/* SPDX-License-Identifier: MIT */
/* weft policy compile: the C of a policy. Const tables, in an order that depends on the policy alone. */
#include <stdlib.h>
#include <string.h>

#include "policy_emit.h"

/* ---- texts and bytes ---- */

void policy_put_text(FILE *to, const char *text)
{
	if (!text) {
		fputs("NULL", to);
		return;
	}
	putc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		/* a question mark might begin a trigraph */
		if (c == '"' || c == '\\' || c == '?')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(to, "\\%03o", c);
		else
			putc(c, to);
	}
	putc('"', to);
}

static void put_bytes(FILE *to, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(to, "%s%u,", i % 20 ? "" : "\n\t", bytes[i]);
}

static int by_content(const void *a, const void *b)
{
	const struct weft_span *p = a, *q = b;

	if (p->len != q->len)
		return p->len < q->len ? -1 : 1;
	return memcmp(p->ptr, q->ptr, p->len);
}

static void collect(struct policy_emit *e)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < e->policy->trust_count; i++)
		count += e->policy->trusts[i].ca_count + e->policy->trusts[i].crl_count;
	e->ders = calloc(count + 1, sizeof(*e->ders));
	if (!e->ders)
		abort(); /* a command of its own, without memory */
	count = 0;
	for (size_t i = 0; i < e->policy->trust_count; i++) {
		const struct weft_policy_trust *t = &e->policy->trusts[i];

		for (size_t k = 0; k < t->ca_count; k++)
			e->ders[count++] = t->ca[k];
		for (size_t k = 0; k < t->crl_count; k++)
			e->ders[count++] = t->crl[k];
	}
	qsort(e->ders, count, sizeof(*e->ders), by_content);
	for (size_t i = 0; i < count; i++) {
		if (!kept || by_content(&e->ders[kept - 1], &e->ders[i]))
			e->ders[kept++] = e->ders[i];
	}
	e->der_count = kept;
}

static void emit_ders(struct policy_emit *e)
{
	for (size_t i = 0; i < e->der_count; i++) {
		fprintf(e->to, "static const unsigned char der_%zu[] = {", i);
		put_bytes(e->to, e->ders[i].ptr, e->ders[i].len);
		fputs("\n};\n\n", e->to);
	}
}

static size_t der_of(const struct policy_emit *e, const struct weft_span *span)
{
	const struct weft_span *found =
		bsearch(span, e->ders, e->der_count, sizeof(*span), by_content);

	return (size_t)(found - e->ders);
}

/* ---- lists that tables point to ---- */

static void emit_spans(const struct policy_emit *e, const char *what, size_t n,
	const struct weft_span *spans, size_t count)
{
	if (!count)
		return;
	fprintf(e->to, "static const struct weft_span %s_%zu[] = {\n", what, n);
	for (size_t i = 0; i < count; i++) {
		size_t der = der_of(e, &spans[i]);

		fprintf(e->to, "\t{ der_%zu, sizeof(der_%zu) },\n", der, der);
	}
	fputs("};\n\n", e->to);
}

void policy_emit_names(
	const struct policy_emit *e, const char *what, size_t n, const char *const *names)
{
	if (!names)
		return;
	fprintf(e->to, "static const char *const %s_%zu[] = { ", what, n);
	for (; *names; names++) {
		policy_put_text(e->to, *names);
		fputs(", ", e->to);
	}
	fputs("NULL };\n\n", e->to);
}

static void emit_pins(const struct policy_emit *e, size_t n, const struct weft_policy_trust *t)
{
	if (!t->pin_count)
		return;
	fprintf(e->to, "static const unsigned char pins_%zu[][WEFT_SHA256_BYTES] = {\n", n);
	for (size_t i = 0; i < t->pin_count; i++) {
		fputs("\t{", e->to);
		put_bytes(e->to, t->pins[i], WEFT_SHA256_BYTES);
		fputs("\n\t},\n", e->to);
	}
	fputs("};\n\n", e->to);
}

void policy_put_reference(const struct policy_emit *e, const char *what, size_t n, bool there)
{
	if (there)
		fprintf(e->to, "%s_%zu", what, n);
	else
		fputs("NULL", e->to);
}

/* ---- trust, credentials, retries ---- */

static const char *yes(bool value)
{
	return value ? "true" : "false";
}

static void emit_trust(const struct policy_emit *e, size_t n, const struct weft_policy_trust *t)
{
	static const char *const holds[] = { "WEFT_HOLD_CONNECTION", "WEFT_HOLD_STREAM",
		"WEFT_HOLD_POLICY" };

	fputs("\t{ .name = ", e->to);
	policy_put_text(e->to, t->name);
	fputs(", .certs = ", e->to);
	policy_put_reference(e, "certs", n, t->certs);
	fprintf(e->to, ",\n\t\t.ca = ");
	policy_put_reference(e, "ca", n, t->ca_count);
	fprintf(e->to, ", .ca_count = %zu, .crl = ", t->ca_count);
	policy_put_reference(e, "crl", n, t->crl_count);
	fprintf(e->to, ", .crl_count = %zu, .pins = ", t->crl_count);
	policy_put_reference(e, "pins", n, t->pin_count);
	fprintf(e->to,
		", .pin_count = %zu,\n\t\t.system = %s, .verify_dates = %s, .hold = %s,\n"
		"\t\t.linger_ms = %u, .keep_tickets = %u },\n",
		t->pin_count, yes(t->system),
		t->verify_dates == WEFT_DATES_ALWAYS ? "WEFT_DATES_ALWAYS"
						     : "WEFT_DATES_ONCE_CLOCK_SET",
		holds[t->hold], t->linger_ms, t->keep_tickets);
}

static void emit_trusts(const struct policy_emit *e)
{
	const struct weft_policy *p = e->policy;

	for (size_t i = 0; i < p->trust_count; i++) {
		policy_emit_names(e, "certs", i, p->trusts[i].certs);
		emit_spans(e, "ca", i, p->trusts[i].ca, p->trusts[i].ca_count);
		emit_spans(e, "crl", i, p->trusts[i].crl, p->trusts[i].crl_count);
		emit_pins(e, i, &p->trusts[i]);
	}
	if (!p->trust_count)
		return;
	fputs("static const struct weft_policy_trust trusts_0[] = {\n", e->to);
	for (size_t i = 0; i < p->trust_count; i++)
		emit_trust(e, i, &p->trusts[i]);
	fputs("};\n\n", e->to);
}

static void emit_credentials(const struct policy_emit *e)
{
	const struct weft_policy *p = e->policy;

	if (!p->credential_count)
		return;
	fputs("static const struct weft_policy_credential credentials_0[] = {\n", e->to);
	for (size_t i = 0; i < p->credential_count; i++) {
		fputs("\t{ .name = ", e->to);
		policy_put_text(e->to, p->credentials[i].name);
		fputs(", .cert = ", e->to);
		policy_put_text(e->to, p->credentials[i].cert);
		fputs(", .key = ", e->to);
		policy_put_text(e->to, p->credentials[i].key);
		fputs(" },\n", e->to);
	}
	fputs("};\n\n", e->to);
}

static void emit_retries(const struct policy_emit *e)
{
	const struct weft_policy *p = e->policy;

	for (size_t i = 0; i < p->retry_count; i++) {
		fprintf(e->to, "static const uint32_t backoff_%zu[] = { ", i);
		for (size_t k = 0; k < p->retries[i].backoff_count; k++)
			fprintf(e->to, "%u, ", p->retries[i].backoff_ms[k]);
		fputs("};\n\n", e->to);
	}
	if (!p->retry_count)
		return;
	fputs("static const struct weft_policy_retry retries_0[] = {\n", e->to);
	for (size_t i = 0; i < p->retry_count; i++) {
		const struct weft_policy_retry *r = &p->retries[i];

		fputs("\t{ .name = ", e->to);
		policy_put_text(e->to, r->name);
		fprintf(e->to,
			", .backoff_ms = backoff_%zu, .backoff_count = %zu, .conceal = %u,\n"
			"\t\t.jitter_percent = %u, .validity_ping_ms = %u, .validity_hangup_ms = "
			"%u },\n",
			i, r->backoff_count, r->conceal, r->jitter_percent, r->validity_ping_ms,
			r->validity_hangup_ms);
	}
	fputs("};\n\n", e->to);
}

/* ---- all of it ---- */

static void put_table(const struct policy_emit *e, const char *member, const char *one,
	const char *table, size_t count)
{
	fprintf(e->to, "\t.%s = ", member);
	policy_put_reference(e, table, 0, count);
	fprintf(e->to, ",\n\t.%s_count = %zu,\n", one, count);
}

void policy_emit(FILE *to, const struct weft_policy *policy, const char *symbol)
{
	struct policy_emit e = { .to = to, .policy = policy };

	fprintf(to,
		"/* Made by weft policy compile from the policy %s. */\n#include "
		"<weft/policy.h>\n\n",
		policy->name);
	fprintf(to,
		"#if WEFT_POLICY_SCHEMA != %u\n#error \"this policy was compiled for schema %u: "
		"compile it "
		"again with the weft of this library\"\n#endif\n\n",
		policy->schema, policy->schema);
	/* ISO C promises no more than 4095 characters */
	fputs("#ifdef __GNUC__\n#pragma GCC diagnostic ignored "
	      "\"-Woverlength-strings\"\n#endif\n\n",
		to);
	collect(&e);
	emit_ders(&e);
	emit_trusts(&e);
	emit_credentials(&e);
	emit_retries(&e);
	policy_emit_streams(&e);
	fprintf(to, "extern const struct weft_policy %s;\n\nconst struct weft_policy %s = {\n",
		symbol, symbol);
	fprintf(to, "\t.schema = %u,\n\t.size = sizeof(struct weft_policy),\n\t.name = ",
		policy->schema);
	policy_put_text(to, policy->name);
	fputs(",\n\t.product = ", to);
	policy_put_text(to, policy->product);
	fputs(",\n\t.release = ", to);
	policy_put_text(to, policy->release);
	fputs(",\n", to);
	put_table(&e, "retries", "retry", "retries", policy->retry_count);
	put_table(&e, "trusts", "trust", "trusts", policy->trust_count);
	put_table(&e, "credentials", "credential", "credentials", policy->credential_count);
	put_table(&e, "streams", "stream", "streams", policy->stream_count);
	fputs("};\n", to);
	free(e.ders);
}
