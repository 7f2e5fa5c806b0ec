/* SPDX-License-Identifier: MIT */
/* Loading trust and credentials, and comparing them byte by byte. */
#include "core/vhost/trust.h"

#include <string.h>

#include "core/system/file.h"

enum { FILE_MAX = 8 << 20 }; /* far above any bundle */

static enum weft_status load(
	const char *file, struct weft_span memory, struct weft_buffer *to, struct weft_error *err)
{
	if (file)
		return weft_file_load(file, FILE_MAX, to, err);
	weft_buffer_append(to, memory.ptr, memory.len);
	if (to->failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for certificates");
	return WEFT_OK;
}

enum weft_status weft_credential_load(const struct weft_credential *credential,
	struct weft_buffer *cert, struct weft_buffer *key, struct weft_error *err)
{
	enum weft_status st = load(credential->cert_file, credential->cert, cert, err);

	if (st == WEFT_OK)
		st = load(credential->key_file, credential->key, key, err);
	if (st == WEFT_OK && !weft_buffer_len(cert) != !weft_buffer_len(key))
		st = weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a credential has a %s but no %s: expected both",
			weft_buffer_len(cert) ? "certificate" : "key",
			weft_buffer_len(cert) ? "key" : "certificate");
	return st;
}

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
	weft_buffer_init(&spec->cert, alloc);
	weft_buffer_init(&spec->key, alloc);
	return spec;
}

enum weft_status weft_trust_none(
	struct weft_context *ctx, struct weft_trust_spec **out, struct weft_error *err)
{
	*out = make(ctx, err);
	return *out ? WEFT_OK : WEFT_ERR_MEMORY;
}

enum weft_status weft_trust_load(struct weft_context *ctx, const struct weft_trust *trust,
	const struct weft_credential *credential, const char *const *alpn,
	struct weft_trust_spec **out, struct weft_error *err)
{
	static const struct weft_span none = { NULL, 0 };
	struct weft_trust_spec *spec = make(ctx, err);
	enum weft_status st = WEFT_OK;

	if (!spec)
		return WEFT_ERR_MEMORY;
	spec->tls = true;
	spec->system = !trust || trust->system || (!trust->ca_file && !trust->ca.len);
	if (trust && trust->ca_file)
		st = load(trust->ca_file, none, &spec->ca_file, err);
	if (st == WEFT_OK && trust)
		st = load(NULL, trust->ca, &spec->ca, err);
	if (st == WEFT_OK && trust && trust->crl_file)
		st = load(trust->crl_file, none, &spec->crl_file, err);
	if (st == WEFT_OK && trust)
		st = load(NULL, trust->crl, &spec->crl, err);
	if (st == WEFT_OK && credential)
		st = weft_credential_load(credential, &spec->cert, &spec->key, err);
	if (st == WEFT_OK)
		st = copy_alpn(spec, alpn, err);
	if (st) {
		weft_trust_release(spec);
		return st;
	}
	*out = spec;
	return WEFT_OK;
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
	weft_buffer_finish(&spec->cert);
	if (spec->key.ptr) /* no key is left behind in freed memory */
		explicit_bzero(spec->key.ptr, spec->key.cap);
	weft_buffer_finish(&spec->key);
	weft_free(spec->alloc, spec, sizeof(*spec));
}

/* What is in a and then b: a file and memory with the same content are the same trust. */
static bool same(const struct weft_buffer *a1, const struct weft_buffer *a2,
	const struct weft_buffer *b1, const struct weft_buffer *b2)
{
	size_t n1 = weft_buffer_len(a1), n2 = weft_buffer_len(a2);
	size_t m1 = weft_buffer_len(b1), m2 = weft_buffer_len(b2);

	if (n1 == m1 && n2 == m2)
		return (!n1 || !memcmp(weft_buffer_bytes(a1), weft_buffer_bytes(b1), n1)) &&
		       (!n2 || !memcmp(weft_buffer_bytes(a2), weft_buffer_bytes(b2), n2));
	if (n1 == m2 && n2 == m1)
		return (!n1 || !memcmp(weft_buffer_bytes(a1), weft_buffer_bytes(b2), n1)) &&
		       (!n2 || !memcmp(weft_buffer_bytes(a2), weft_buffer_bytes(b1), n2));
	return false;
}

bool weft_trust_equal(const struct weft_trust_spec *a, const struct weft_trust_spec *b)
{
	if (a == b)
		return true;
	return a->tls == b->tls && a->system == b->system &&
	       !memcmp(a->alpn_text, b->alpn_text, sizeof(a->alpn_text)) &&
	       same(&a->ca_file, &a->ca, &b->ca_file, &b->ca) &&
	       same(&a->crl_file, &a->crl, &b->crl_file, &b->crl) &&
	       same(&a->cert, &a->key, &b->cert, &b->key);
}
