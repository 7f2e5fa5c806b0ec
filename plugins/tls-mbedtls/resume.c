/* SPDX-License-Identifier: MIT */
/* Sessions that go on where an earlier one ended: what a client keeps, what a server accepts. */
#include <string.h>
#include <time.h>

#include <mbedtls/sha256.h>

#include "backend.h"

static bool lists_are_current(const struct tls_ctx *c)
{
	for (const mbedtls_x509_crl *crl = &c->crl; crl && crl->raw.p; crl = crl->next) {
		if (mbedtls_x509_time_is_past(&crl->next_update) ||
			mbedtls_x509_time_is_future(&crl->this_update))
			return false;
	}
	return true;
}

/* What a look at the certificate would find now. Lists are not asked again, but must be good still. */
static unsigned faults_now(const struct tls_ctx *c, const mbedtls_x509_crt *crt)
{
	unsigned faults = 0;

	if (mbedtls_x509_time_is_past(&crt->valid_to))
		faults |= WEFT_TLS_EXPIRED;
	if (mbedtls_x509_time_is_future(&crt->valid_from))
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (!lists_are_current(c))
		faults |= WEFT_TLS_REVOKED;
	if (!mbedtls_adapter_pin_fits(c, crt))
		faults |= WEFT_TLS_WRONG_PIN;
	return faults;
}

/*
 * What is not as it was then is for a full handshake to judge. What the earlier one let pass counts again: this
 * one may be stricter. Its faults are in verify_result.
 */
bool mbedtls_adapter_may_resume(const struct tls_session *s, const mbedtls_ssl_session *past)
{
	const mbedtls_x509_crt *crt = past->peer_cert;
	unsigned faults = past->verify_result;

	if (faults & ~s->allow || (crt && faults_now(s->ctx, crt) & ~faults))
		return false;
	if (!s->ctx->server)
		return crt != NULL;
	return crt || s->ctx->client_auth != WEFT_TLS_CLIENT_AUTH_REQUIRED;
}

static bool has_run_out(const mbedtls_ssl_session *past)
{
	uint64_t now = (uint64_t)time(NULL), start = (uint64_t)past->start;

	/* a lifetime of 0 is one that the server does not tell */
	return past->ticket_lifetime && now > start + past->ticket_lifetime;
}

/* What is exported is the library's, behind a digest: it notices damage only where it does not parse. */
enum { DIGEST = 16 };

static int put_digest(unsigned char *to, const unsigned char *blob, size_t len)
{
	unsigned char whole[WEFT_SHA256_BYTES];
	int ret = mbedtls_sha256_ret(blob, len, whole, 0);

	memcpy(to, whole, DIGEST);
	return ret;
}

static bool is_whole(struct weft_span blob)
{
	unsigned char digest[DIGEST];

	return blob.len > DIGEST && !put_digest(digest, blob.ptr + DIGEST, blob.len - DIGEST) &&
	       !memcmp(digest, blob.ptr, DIGEST);
}

int mbedtls_adapter_session_resume(struct tls_session *s, struct weft_span blob)
{
	mbedtls_ssl_session past;
	int ret = 0;

	if (!s->ctx->resumes || s->ctx->server || !is_whole(blob))
		return 0;
	mbedtls_ssl_session_init(&past);
	if (!mbedtls_ssl_session_load(&past, blob.ptr + DIGEST, blob.len - DIGEST) &&
		past.ticket_len && !has_run_out(&past) && mbedtls_adapter_may_resume(s, &past))
		ret = mbedtls_ssl_set_session(&s->tls, &past);
	mbedtls_ssl_session_free(&past);
	return ret;
}

/* Without an extended master secret a session is not tied to its handshake: RFC 7627 section 5.3. */
enum weft_status mbedtls_adapter_session_export(void *session, struct weft_buffer *to)
{
	struct tls_session *s = session;
	const mbedtls_ssl_session *now = mbedtls_ssl_get_session_pointer(&s->tls);
	unsigned char *room;
	size_t len = 0;

	if (!s->shaken || s->exported || s->ctx->server || !s->ctx->resumes || !now ||
		!now->ticket_len || !s->extended)
		return WEFT_AGAIN;
	mbedtls_ssl_session_save(now, NULL, 0, &len);
	room = weft_buffer_reserve(to, DIGEST + len);
	if (!room)
		return WEFT_ERR_MEMORY;
	if (mbedtls_ssl_session_save(now, room + DIGEST, len, &len) ||
		put_digest(room, room + DIGEST, len))
		return WEFT_AGAIN;
	weft_buffer_commit(to, DIGEST + len);
	s->exported = true;
	return WEFT_OK;
}
