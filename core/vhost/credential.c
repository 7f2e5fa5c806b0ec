/* SPDX-License-Identifier: MIT */
/* Loading credentials, and forgetting them. */
#include "core/vhost/credential.h"

#include <string.h>

#include "core/system/file.h"
#include "weft/plugin/tls.h"

enum { FILE_MAX = 8 << 20 }; /* far above any bundle */

enum weft_status weft_file_or_memory(
	const char *file, struct weft_span memory, struct weft_buffer *to, struct weft_error *err)
{
	if (file)
		return weft_file_load(file, FILE_MAX, to, err);
	weft_buffer_append(to, memory.ptr, memory.len);
	if (to->failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for certificates");
	return WEFT_OK;
}

bool weft_buffer_equal(const struct weft_buffer *a, const struct weft_buffer *b)
{
	size_t len = weft_buffer_len(a);

	return len == weft_buffer_len(b) &&
	       (!len || !memcmp(weft_buffer_bytes(a), weft_buffer_bytes(b), len));
}

enum weft_status weft_tls_require(
	const struct weft_context *ctx, unsigned cap, const char *what, struct weft_error *err)
{
	if (!ctx->tls)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"TLS is wanted, but this context has no TLS backend");
	if ((ctx->tls->tls->caps & cap) != cap)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "TLS backend %s cannot %s",
			ctx->tls->name, what);
	return WEFT_OK;
}

void weft_credential_init(struct weft_credential_spec *spec, const struct weft_allocator *alloc)
{
	weft_buffer_init(&spec->cert, alloc);
	weft_buffer_init(&spec->key, alloc);
	weft_buffer_init(&spec->ocsp, alloc);
	spec->signer = NULL;
}

void weft_credential_finish(struct weft_credential_spec *spec)
{
	weft_buffer_finish(&spec->cert);
	if (spec->key.ptr)
		explicit_bzero(spec->key.ptr, spec->key.cap);
	weft_buffer_finish(&spec->key);
	weft_buffer_finish(&spec->ocsp);
	spec->signer = NULL;
}

enum weft_status weft_credential_complete(const struct weft_context *ctx,
	const struct weft_credential_spec *s, struct weft_error *err)
{
	bool cert = weft_buffer_len(&s->cert), key = weft_buffer_len(&s->key);

	if (key && s->signer)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a credential has a key and a signer: expected one of them");
	if (s->signer && !s->signer->sign)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a signer has NULL for sign: expected a function");
	if (cert != (key || s->signer))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a credential has a %s but no %s: expected both",
			cert  ? "certificate"
			: key ? "key"
			      : "signer",
			cert ? "key" : "certificate");
	return s->signer ? weft_tls_require(ctx, WEFT_TLS_CAN_SIGN, "have its keys elsewhere", err)
			 : WEFT_OK;
}

enum weft_status weft_credential_load(const struct weft_context *ctx,
	const struct weft_credential *credential, struct weft_credential_spec *spec,
	struct weft_error *err)
{
	enum weft_status st =
		weft_file_or_memory(credential->cert_file, credential->cert, &spec->cert, err);

	if (st == WEFT_OK)
		st = weft_file_or_memory(credential->key_file, credential->key, &spec->key, err);
	if (st == WEFT_OK)
		st = weft_file_or_memory(credential->ocsp_file, credential->ocsp, &spec->ocsp, err);
	spec->signer = credential->signer;
	return st ? st : weft_credential_complete(ctx, spec, err);
}

static bool same_signer(const struct weft_signer *a, const struct weft_signer *b)
{
	return a == b || (a && b && a->sign == b->sign && a->user == b->user);
}

bool weft_credential_equal(
	const struct weft_credential_spec *a, const struct weft_credential_spec *b)
{
	return weft_buffer_equal(&a->cert, &b->cert) && weft_buffer_equal(&a->key, &b->key) &&
	       same_signer(a->signer, b->signer);
}
