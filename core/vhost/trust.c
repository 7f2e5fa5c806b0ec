/* SPDX-License-Identifier: MIT */
/* Loading trust and credentials, and comparing them byte by byte. */
#include "core/vhost/trust.h"

#include <string.h>

#include "core/policy/find.h"
#include "core/policy/use.h"
#include "weft/plugin/tls.h"
#include "weft/policy_load.h"

/* Before this a clock has never been set: 2024-01-01. */
static const int64_t clock_set = 1704067200;

static enum weft_status copy_alpn(
	struct weft_trust_spec *spec, const char *const *alpn, struct weft_error *err)
{
	size_t used = 0, len;

	for (size_t i = 0; alpn && alpn[i]; i++) {
		len = strlen(alpn[i]);
		if (i == WEFT_ALPN_MAX || !len || used + len + 1 > sizeof(spec->alpn_text))
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"ALPN: expected at most %d names, %zu bytes in all, none empty",
				WEFT_ALPN_MAX, sizeof(spec->alpn_text) - WEFT_ALPN_MAX);
		memcpy(spec->alpn_text + used, alpn[i], len + 1);
		spec->alpn[i] = spec->alpn_text + used;
		used += len + 1;
	}
	return WEFT_OK;
}

static struct weft_trust_spec *make(struct weft_context *ctx, struct weft_error *err)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct weft_trust_spec *spec = weft_zalloc(alloc, sizeof(*spec));

	if (!spec) {
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a trust store");
		return NULL;
	}
	spec->refs = 1;
	spec->alloc = alloc;
	weft_buffer_init(&spec->ca_file, alloc);
	weft_buffer_init(&spec->ca, alloc);
	weft_buffer_init(&spec->crl_file, alloc);
	weft_buffer_init(&spec->crl, alloc);
	weft_buffer_init(&spec->pins, alloc);
	weft_credential_init(&spec->credential, alloc);
	return spec;
}

enum weft_status weft_trust_none(
	struct weft_context *ctx, struct weft_trust_spec **out, struct weft_error *err)
{
	*out = make(ctx, err);
	return *out ? WEFT_OK : WEFT_ERR_MEMORY;
}

/* Sorted, so that their order makes no other trust. */
static void add_pin(struct weft_buffer *pins, const unsigned char *pin)
{
	size_t count = weft_buffer_len(pins) / WEFT_SHA256_BYTES, at = 0;
	unsigned char *all;
	int order = 1;

	if (!weft_buffer_reserve(pins, WEFT_SHA256_BYTES))
		return;
	all = pins->ptr + pins->start;
	while (at < count &&
		(order = memcmp(pin, all + at * WEFT_SHA256_BYTES, WEFT_SHA256_BYTES)) > 0)
		at++;
	if (at < count && !order)
		return;
	memmove(all + (at + 1) * WEFT_SHA256_BYTES, all + at * WEFT_SHA256_BYTES,
		(count - at) * WEFT_SHA256_BYTES);
	memcpy(all + at * WEFT_SHA256_BYTES, pin, WEFT_SHA256_BYTES);
	weft_buffer_commit(pins, WEFT_SHA256_BYTES);
}

static enum weft_status load_pins(struct weft_context *ctx, struct weft_trust_spec *spec,
	const struct weft_trust *trust, struct weft_error *err)
{
	if (!trust->pin_count)
		return WEFT_OK;
	if (trust->pin_count > WEFT_PINS_MAX)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a trust has %zu pins, expected at most %d", trust->pin_count,
			WEFT_PINS_MAX);
	for (size_t i = 0; i < trust->pin_count; i++)
		add_pin(&spec->pins, trust->pins[i]);
	if (spec->pins.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for pins");
	return weft_tls_require(ctx, WEFT_TLS_CAN_PIN, "pin keys", err);
}

static enum weft_status load_store(struct weft_context *ctx, struct weft_trust_spec *spec,
	const struct weft_trust *trust, struct weft_error *err)
{
	static const struct weft_span none = { NULL, 0 };
	enum weft_status st = WEFT_OK;

	spec->verify_dates = trust->verify_dates;
	if (trust->ca_file)
		st = weft_file_or_memory(trust->ca_file, none, &spec->ca_file, err);
	if (st == WEFT_OK)
		st = weft_file_or_memory(NULL, trust->ca, &spec->ca, err);
	if (st == WEFT_OK && trust->crl_file)
		st = weft_file_or_memory(trust->crl_file, none, &spec->crl_file, err);
	if (st == WEFT_OK)
		st = weft_file_or_memory(NULL, trust->crl, &spec->crl, err);
	if (st == WEFT_OK && (trust->crl_file || trust->crl.len))
		st = weft_tls_require(ctx, WEFT_TLS_CAN_CRL, "check revocation lists", err);
	return st ? st : load_pins(ctx, spec, trust, err);
}

enum weft_status weft_trust_load(struct weft_context *ctx, const struct weft_trust *trust,
	const struct weft_credential *credential, const char *const *alpn,
	struct weft_trust_spec **out, struct weft_error *err)
{
	struct weft_trust_spec *spec = make(ctx, err);
	enum weft_status st = WEFT_OK;

	if (!spec)
		return WEFT_ERR_MEMORY;
	spec->tls = true;
	spec->system = !trust || trust->system || (!trust->ca_file && !trust->ca.len);
	if (trust)
		st = load_store(ctx, spec, trust, err);
	if (st == WEFT_OK && credential)
		st = weft_credential_load(ctx, credential, &spec->credential, err);
	if (st == WEFT_OK)
		st = copy_alpn(spec, alpn, err);
	if (st) {
		weft_trust_release(spec);
		return st;
	}
	*out = spec;
	return WEFT_OK;
}

static enum weft_status require_for(const struct weft_context *ctx,
	const struct weft_policy_trust *trust, struct weft_error *err)
{
	enum weft_status st = weft_tls_require(ctx, 0, NULL, err);

	if (st == WEFT_OK && trust->crl_count)
		st = weft_tls_require(ctx, WEFT_TLS_CAN_CRL, "check revocation lists", err);
	if (st == WEFT_OK && trust->pin_count)
		st = weft_tls_require(ctx, WEFT_TLS_CAN_PIN, "pin keys", err);
	return st;
}

enum weft_status weft_trust_of_policy(struct weft_context *ctx, const struct weft_policy *policy,
	const struct weft_policy_stream *stream, const struct weft_policy_in_use *in,
	const char *const *alpn, struct weft_trust_spec **out, struct weft_error *err)
{
	const struct weft_policy_trust *trust = weft_policy_trust_of(stream);
	struct weft_trust_spec *spec;
	enum weft_status st = require_for(ctx, trust, err);

	if (st)
		return st;
	spec = make(ctx, err);
	if (!spec)
		return WEFT_ERR_MEMORY;
	spec->tls = true;
	spec->system = trust->system;
	spec->verify_dates = trust->verify_dates;
	spec->policy = weft_policy_ref(policy);
	spec->from = trust;
	spec->who = stream->credential;
	spec->use = in->use;
	spec->use_serial = in->serial;
	st = copy_alpn(spec, alpn, err);
	if (st) {
		weft_trust_release(spec);
		return st;
	}
	*out = spec;
	return WEFT_OK;
}

const char *weft_trust_name(const struct weft_trust_spec *spec)
{
	if (spec->from)
		return spec->from->name;
	return !spec->tls     ? "client, no TLS"
	       : spec->system ? "client, system trust"
			      : "client, own trust";
}

struct weft_trust_spec *weft_trust_ref(struct weft_trust_spec *spec)
{
	spec->refs++;
	return spec;
}

void weft_trust_release(struct weft_trust_spec *spec)
{
	if (!spec || --spec->refs)
		return;
	weft_buffer_finish(&spec->ca_file);
	weft_buffer_finish(&spec->ca);
	weft_buffer_finish(&spec->crl_file);
	weft_buffer_finish(&spec->crl);
	weft_buffer_finish(&spec->pins);
	weft_credential_finish(&spec->credential);
	weft_policy_release(spec->policy);
	weft_free(spec->alloc, spec, sizeof(*spec));
}

/* A file and memory with the same content are the same trust. */
static bool same(const struct weft_buffer *a1, const struct weft_buffer *a2,
	const struct weft_buffer *b1, const struct weft_buffer *b2)
{
	return (weft_buffer_equal(a1, b1) && weft_buffer_equal(a2, b2)) ||
	       (weft_buffer_equal(a1, b2) && weft_buffer_equal(a2, b1));
}

/* Of two uses of a policy each may have been provided something else. */
static bool same_who(const struct weft_trust_spec *a, const struct weft_trust_spec *b)
{
	if (!a->who || !b->who)
		return a->who == b->who;
	return a->use_serial == b->use_serial && !strcmp(a->who->cert, b->who->cert) &&
	       !strcmp(a->who->key, b->who->key);
}

static bool same_tables(const struct weft_trust_spec *a, const struct weft_trust_spec *b)
{
	if (!a->from || !b->from)
		return a->from == b->from;
	return weft_policy_trust_equal(a->from, b->from) && same_who(a, b);
}

bool weft_trust_equal(const struct weft_trust_spec *a, const struct weft_trust_spec *b)
{
	if (a == b)
		return true;
	return same_tables(a, b) && a->tls == b->tls && a->system == b->system &&
	       a->verify_dates == b->verify_dates &&
	       !memcmp(a->alpn_text, b->alpn_text, sizeof(a->alpn_text)) &&
	       same(&a->ca_file, &a->ca, &b->ca_file, &b->ca) &&
	       same(&a->crl_file, &a->crl, &b->crl_file, &b->crl) &&
	       weft_buffer_equal(&a->pins, &b->pins) &&
	       weft_credential_equal(&a->credential, &b->credential);
}

bool weft_trust_outdated(const struct weft_context *ctx, const struct weft_trust_spec *spec)
{
	return spec->policy && spec->use_serial != ctx->policy.serial;
}

unsigned weft_trust_dates(
	struct weft_context *ctx, const struct weft_trust_spec *spec, const char *who)
{
	if (spec->verify_dates == WEFT_DATES_ALWAYS || weft_context_wall(ctx) >= clock_set)
		return 0;
	weft_log(ctx, WEFT_LOG_WARN,
		"%s: the clock has not been set yet: certificates' dates are not checked", who);
	return WEFT_TLS_EXPIRED | WEFT_TLS_NOT_YET_VALID;
}
