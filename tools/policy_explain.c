/* SPDX-License-Identifier: MIT */
/* weft policy explain: what a stream would do. The plan is the one that its opening would follow. */
#include "policy_explain.h"

#include <string.h>

static const char *or_none(const char *text)
{
	return text && text[0] ? text : "none";
}

/* ---- who would come along ---- */

/* Of the given metadata what the other stream knows, too. */
static void shared_metadata(const struct explain *e, const struct weft_policy_stream *other,
	struct weft_policy_pair to[METADATA_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < e->o->metadata_count; i++) {
		for (size_t k = 0; k < other->metadata_count; k++) {
			if (!strcmp(other->metadata[k].name, e->o->metadata[i].name))
				to[n++] = e->o->metadata[i];
		}
	}
	to[n] = (struct weft_policy_pair){ NULL, NULL };
}

enum sharing explain_sharing(
	const struct explain *e, const struct weft_policy_stream *other, struct weft_error *why)
{
	struct weft_policy_pair metadata[METADATA_MAX + 1];
	struct weft_policy_plan plan;
	bool yes;

	if (other == e->plan.stream || other->share == WEFT_SHARE_ALONE ||
		e->plan.stream->share == WEFT_SHARE_ALONE || other->tls != e->plan.stream->tls)
		return SHARES_NOT;
	shared_metadata(e, other, metadata);
	if (weft_policy_plan(e->ctx, e->policy, other->name, metadata, &plan, why))
		return CANNOT_SAY;
	yes = weft_policy_plan_shares(&e->plan, &plan);
	weft_policy_plan_finish(&plan);
	return yes ? SHARES : SHARES_NOT;
}

/* ---- for people ---- */

static void print_place(const struct explain *e)
{
	const struct weft_policy_plan *p = &e->plan;
	const struct weft_policy_stream *s = p->stream;

	printf("stream %s of policy %s %s\n", s->name, e->policy->name, e->policy->release);
	if (p->connect_to)
		printf("  connects to    %s\n", p->connect_to);
	else
		printf("  connects to    %s, port %u\n", p->host, p->port);
	if (s->proxy)
		printf("  through        %s, which finds the address\n", s->proxy);
	if (s->local_address)
		printf("  from           %s\n", s->local_address);
	printf("  as             %s%s\n", p->url,
		s->share == WEFT_SHARE_ALONE ? ", on a connection of its own" : "");
	printf("  spoken by      %s%s", p->role, s->tls ? " over TLS, offering" : " without TLS");
	for (size_t i = 0; p->alpn && p->alpn[i]; i++)
		printf(" %s", p->alpn[i]);
	printf("%s\n", s->tls && !(p->alpn && p->alpn[0]) ? " no ALPN" : "");
}

static void print_trust(const struct explain *e)
{
	const struct weft_policy_stream *s = e->plan.stream;
	const struct weft_policy_trust *t = s->trust;
	char allow[128], cert[POLICY_CERT_TEXT];

	if (!s->tls)
		return;
	printf("  believes       trust store %s", t ? t->name : "of the system");
	for (size_t i = 0; t && t->certs && t->certs[i]; i++)
		printf("%s%s", i ? ", " : ": ", t->certs[i]);
	if (t)
		printf(" (%zu certificates%s)", t->ca_count, t->system ? ", and the system's" : "");
	for (size_t i = 0; t && i < t->ca_count; i++)
		printf("\n                 %s",
			policy_cert_text(e->o, e->registry, t->ca[i], cert));
	printf("\n  verifies       a chain to it, the name %s",
		e->plan.host[0] ? e->plan.host : "localhost");
	printf("%s", t && t->verify_dates == WEFT_DATES_ONCE_CLOCK_SET
			     ? ", dates once the clock is set"
			     : ", dates");
	if (t && t->crl_count)
		printf(", %zu revocation lists", t->crl_count);
	if (t && t->pin_count)
		printf(", one of %zu pinned keys", t->pin_count);
	printf("\n");
	if (s->allow)
		printf("  allows         %s\n", policy_allow_words(s->allow, allow));
	printf("  asks for       %s (SNI)\n", or_none(e->plan.sni));
	if (s->credential)
		printf("  is             credential %s: %s, %s\n", s->credential->name,
			s->credential->cert, s->credential->key);
	else
		printf("  is             nobody in particular: no credential\n");
}

static void print_life(const struct explain *e)
{
	static const char *const made[] = {
		[WEFT_HOLD_CONNECTION] = "made with the first connection, kept by connections",
		[WEFT_HOLD_STREAM] = "made when the stream is opened, kept by streams",
		[WEFT_HOLD_POLICY] = "made when the policy is taken into use, kept as long",
	};
	const struct weft_policy_stream *s = e->plan.stream;
	const struct weft_policy_trust *t = s->trust;

	if (s->share == WEFT_SHARE_ALONE)
		printf("  leaves         nothing: its connection ends with it\n");
	else if (s->keep_warm_ms == UINT32_MAX)
		printf("  leaves         its connection open for as long as the context says\n");
	else if (s->keep_warm_ms)
		printf("  leaves         its connection open for %u ms\n", s->keep_warm_ms);
	else
		printf("  leaves         no connection open\n");
	if (s->coalesce)
		printf("  may use        another host's connection, if its certificate is for "
		       "both\n");
	if (!s->tls)
		return;
	printf("  vhost          %s", made[t ? t->hold : WEFT_HOLD_CONNECTION]);
	if (!s->warm_holds)
		printf(", not by idle ones");
	if (t && t->linger_ms)
		printf("; stays for %u ms behind the last", t->linger_ms);
	printf("; %u tickets outlive it\n", t ? t->keep_tickets : 0);
}

static void print_request(const struct explain *e)
{
	const struct weft_policy_plan *p = &e->plan;

	if (p->method)
		printf("  says           %s (with a body: %s)\n", p->method,
			!strcmp(p->method, "GET") ? "POST, if the policy names no method"
						  : "the same");
	for (size_t i = 0; i < p->field_count; i++)
		printf("                 %.*s: %.*s\n", (int)p->fields[i].name_len,
			p->fields[i].name, (int)p->fields[i].value_len, p->fields[i].value);
	for (size_t i = 0; i < p->stream->value_count; i++) {
		const struct weft_policy_value *v = &p->stream->values[i];

		for (size_t k = 0; !strcmp(v->key, "expect") && k < v->pair_count; k++)
			printf("  expects        %s: %s\n", v->pairs[k].name, v->pairs[k].value);
	}
}

static void print_limits(const struct explain *e)
{
	const struct weft_policy_stream *s = e->plan.stream;
	const struct {
		const char *what, *unit;
		uint32_t value;
	} all[] = {
		{ "connecting to an address", "ms", s->connect_ms },
		{ "the handshake", "ms", s->handshake_ms },
		{ "waiting for the response", "ms", s->header_ms },
		{ "nothing moving", "ms", s->idle_ms },
		{ "output that is not taken", "ms", s->flush_ms },
		{ "waiting for a connection", "ms", s->queue_ms },
		{ "all of it", "ms", s->timeout_ms },
		{ "received and not taken", "bytes", s->window_bytes },
		{ "written and not sent", "bytes", s->write_high_bytes },
		{ "the same of all of its name", "bytes", s->max_in_flight_bytes },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].value)
			printf("  limit          %s: %u %s\n", all[i].what, all[i].value,
				all[i].unit);
	}
	if (s->retry)
		printf("  retries        as %s says, %zu waits from %u ms on (with secure "
		       "streams)\n",
			s->retry->name, s->retry->backoff_count,
			s->retry->backoff_count ? s->retry->backoff_ms[0] : 0);
	if (s->nailed_up)
		printf("  nailed up      connected again at once (with secure streams)\n");
	if (s->opportunistic)
		printf("  opportunistic  connects when there is something to send (with secure "
		       "streams)\n");
}

static void print_sharing(const struct explain *e)
{
	struct weft_error why;
	unsigned told = 0;

	for (size_t i = 0; i < e->policy->stream_count; i++) {
		const struct weft_policy_stream *other = &e->policy->streams[i];
		enum sharing s = explain_sharing(e, other, &why);

		if (s == SHARES_NOT)
			continue;
		told++;
		if (s == SHARES)
			printf("  shares with    %s\n", other->name);
		else
			printf("  may share with %s: cannot say: %s\n", other->name, why.text);
	}
	if (!told)
		printf("  shares with    nobody but its like\n");
}

int policy_explain(const struct policy_options *o)
{
	struct explain e = { .o = o, .policy = policy_read(o, o->files[0], false, NULL) };
	struct weft_error err;
	int rc = EXIT_SOME_FAILED;

	if (!e.policy)
		return EXIT_SOME_FAILED;
	e.ctx = policy_context(o);
	if (!e.ctx)
		goto out;
	if (weft_registry_create(o->plugin_dir, &e.registry, &err)) {
		fprintf(stderr, "weft policy explain: %s\n", err.text);
		goto out;
	}
	if (weft_policy_plan(e.ctx, e.policy, o->files[1], o->metadata, &e.plan, &err)) {
		fprintf(stderr, "weft policy explain: %s\n", err.text);
		goto out;
	}
	rc = 0;
	if (o->json) {
		explain_json(&e);
	} else {
		print_place(&e);
		print_trust(&e);
		print_request(&e);
		print_life(&e);
		print_limits(&e);
		print_sharing(&e);
	}
	weft_policy_plan_finish(&e.plan);
out:
	weft_registry_release(e.registry);
	weft_context_destroy(e.ctx, 0, NULL, NULL);
	weft_policy_release(e.policy);
	return rc;
}
