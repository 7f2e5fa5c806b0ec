/* SPDX-License-Identifier: MIT */
/* weft policy compile: the C of a policy's streams, and of the lists that they point to. */
#include "policy_emit.h"

static void emit_pairs(const struct policy_emit *e, const char *what, size_t n, size_t k,
	const struct weft_policy_pair *pairs, size_t count)
{
	if (!count)
		return;
	fprintf(e->to, "static const struct weft_policy_pair %s_%zu_%zu[] = {\n", what, n, k);
	for (size_t i = 0; i < count; i++) {
		fputs("\t{ ", e->to);
		policy_put_text(e->to, pairs[i].name);
		fputs(", ", e->to);
		policy_put_text(e->to, pairs[i].value);
		fputs(" },\n", e->to);
	}
	fputs("};\n\n", e->to);
}

static void put_pairs(
	const struct policy_emit *e, const char *what, size_t n, size_t k, size_t count)
{
	if (count)
		fprintf(e->to, "%s_%zu_%zu, %zu", what, n, k, count);
	else
		fputs("NULL, 0", e->to);
}

static void emit_metadata(const struct policy_emit *e, size_t n, const struct weft_policy_stream *s)
{
	for (size_t k = 0; k < s->metadata_count; k++)
		emit_pairs(e, "uses", n, k, s->metadata[k].uses, s->metadata[k].use_count);
	if (!s->metadata_count)
		return;
	fprintf(e->to, "static const struct weft_policy_metadata metadata_%zu[] = {\n", n);
	for (size_t k = 0; k < s->metadata_count; k++) {
		fputs("\t{ ", e->to);
		policy_put_text(e->to, s->metadata[k].name);
		fputs(", ", e->to);
		put_pairs(e, "uses", n, k, s->metadata[k].use_count);
		fputs(" },\n", e->to);
	}
	fputs("};\n\n", e->to);
}

static void emit_values(const struct policy_emit *e, size_t n, const struct weft_policy_stream *s)
{
	for (size_t k = 0; k < s->value_count; k++)
		emit_pairs(e, "pairs", n, k, s->values[k].pairs, s->values[k].pair_count);
	if (!s->value_count)
		return;
	fprintf(e->to, "static const struct weft_policy_value values_%zu[] = {\n", n);
	for (size_t k = 0; k < s->value_count; k++) {
		const struct weft_policy_value *v = &s->values[k];

		fputs("\t{ ", e->to);
		policy_put_text(e->to, v->key);
		fputs(", ", e->to);
		policy_put_text(e->to, v->text);
		fprintf(e->to, ", %lld, ", (long long)v->number);
		put_pairs(e, "pairs", n, k, v->pair_count);
		fputs(" },\n", e->to);
	}
	fputs("};\n\n", e->to);
}

static void put_named(const struct policy_emit *e, const char *member, const char *text)
{
	if (!text)
		return;
	fprintf(e->to, "\t\t.%s = ", member);
	policy_put_text(e->to, text);
	fputs(",\n", e->to);
}

static void put_number(const struct policy_emit *e, const char *member, uint32_t value)
{
	if (value == UINT32_MAX)
		fprintf(e->to, "\t\t.%s = UINT32_MAX,\n", member);
	else if (value)
		fprintf(e->to, "\t\t.%s = %u,\n", member, value);
}

static void put_flag(const struct policy_emit *e, const char *member, bool value)
{
	if (value)
		fprintf(e->to, "\t\t.%s = true,\n", member);
}

static void put_pointer(const struct policy_emit *e, const char *member, const char *table,
	const void *at, const void *first, size_t size)
{
	if (at)
		fprintf(e->to, "\t\t.%s = &%s_0[%zu],\n", member, table,
			(size_t)((const char *)at - (const char *)first) / size);
}

static void put_numbers(const struct policy_emit *e, const struct weft_policy_stream *s)
{
	const struct {
		const char *name;
		uint32_t value;
	} all[] = {
		{ "port", s->port },
		{ "allow", s->allow },
		{ "keep_warm_ms", s->keep_warm_ms },
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
		put_number(e, all[i].name, all[i].value);
}

static void emit_stream(const struct policy_emit *e, size_t n, const struct weft_policy_stream *s)
{
	const struct weft_policy *p = e->policy;

	fputs("\t{\n", e->to);
	put_named(e, "name", s->name);
	put_named(e, "endpoint", s->endpoint);
	put_named(e, "protocol", s->protocol);
	put_named(e, "sni", s->sni);
	put_named(e, "local_address", s->local_address);
	put_named(e, "proxy", s->proxy);
	put_flag(e, "tls", s->tls);
	put_flag(e, "warm_holds", s->warm_holds);
	put_flag(e, "coalesce", s->coalesce);
	put_flag(e, "nailed_up", s->nailed_up);
	put_flag(e, "opportunistic", s->opportunistic);
	fprintf(e->to, "\t\t.share = %s,\n",
		s->share == WEFT_SHARE_POOL ? "WEFT_SHARE_POOL" : "WEFT_SHARE_ALONE");
	put_numbers(e, s);
	put_pointer(e, "trust", "trusts", s->trust, p->trusts, sizeof(p->trusts[0]));
	put_pointer(e, "credential", "credentials", s->credential, p->credentials,
		sizeof(p->credentials[0]));
	put_pointer(e, "retry", "retries", s->retry, p->retries, sizeof(p->retries[0]));
	if (s->alpn)
		fprintf(e->to, "\t\t.alpn = alpn_%zu,\n", n);
	if (s->metadata_count)
		fprintf(e->to, "\t\t.metadata = metadata_%zu, .metadata_count = %zu,\n", n,
			s->metadata_count);
	if (s->value_count)
		fprintf(e->to, "\t\t.values = values_%zu, .value_count = %zu,\n", n,
			s->value_count);
	fputs("\t},\n", e->to);
}

void policy_emit_streams(const struct policy_emit *e)
{
	const struct weft_policy *p = e->policy;

	for (size_t i = 0; i < p->stream_count; i++) {
		policy_emit_names(e, "alpn", i, p->streams[i].alpn);
		emit_metadata(e, i, &p->streams[i]);
		emit_values(e, i, &p->streams[i]);
	}
	if (!p->stream_count)
		return;
	fputs("static const struct weft_policy_stream streams_0[] = {\n", e->to);
	for (size_t i = 0; i < p->stream_count; i++)
		emit_stream(e, i, &p->streams[i]);
	fputs("};\n\n", e->to);
}
