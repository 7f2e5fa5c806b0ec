/* SPDX-License-Identifier: MIT */
/* The content of a trust store and a credential: what vhosts are shared by. Raw bytes, nothing parsed. */
#ifndef WEFT_CORE_VHOST_TRUST_H
#define WEFT_CORE_VHOST_TRUST_H

#include "core/system/context.h"
#include "core/vhost/credential.h"
#include "weft/buffer.h"
#include "weft/policy.h"
#include "weft/trust.h"

struct weft_policy_in_use;

enum { WEFT_ALPN_MAX = 8 };

struct weft_trust_spec {
	unsigned refs;
	const struct weft_allocator *alloc;
	bool tls;    /* false: everything below is empty */
	bool system; /* read when it is used, and not kept */
	enum weft_verify_dates verify_dates;
	struct weft_buffer ca_file, ca, crl_file, crl;
	struct weft_buffer pins; /* sorted, each once */
	struct weft_credential_spec credential;
	/* Of a policy: its tables have the content, and the above, but for system and verify_dates, is empty. */
	const struct weft_policy *policy; /* a reference; NULL: none */
	const struct weft_policy_trust *from;
	const struct weft_policy_credential *who; /* NULL: nobody */
	struct weft_policy_use use;
	uint64_t use_serial;
	char alpn_text[64];                  /* names, each terminated */
	const char *alpn[WEFT_ALPN_MAX + 1]; /* into alpn_text */
};

/* Reads the files and copies the rest. alpn: NULL-terminated, or NULL. One reference is the caller's. */
enum weft_status weft_trust_load(struct weft_context *ctx, const struct weft_trust *trust,
	const struct weft_credential *credential, const char *const *alpn,
	struct weft_trust_spec **out, struct weft_error *err);
/* What a policy's stream believes and is; nothing is read or copied. */
enum weft_status weft_trust_of_policy(struct weft_context *ctx, const struct weft_policy *policy,
	const struct weft_policy_stream *stream, const struct weft_policy_in_use *in,
	const char *const *alpn, struct weft_trust_spec **out, struct weft_error *err);
/* "letsencrypt", "system trust": for logs and counts. */
const char *weft_trust_name(const struct weft_trust_spec *spec);
/* The one of streams without TLS. */
enum weft_status weft_trust_none(
	struct weft_context *ctx, struct weft_trust_spec **out, struct weft_error *err);
struct weft_trust_spec *weft_trust_ref(struct weft_trust_spec *spec);
void weft_trust_release(struct weft_trust_spec *spec);
bool weft_trust_equal(const struct weft_trust_spec *a, const struct weft_trust_spec *b);
/* It is of a policy that the context does not use any more: nothing is kept for it. */
bool weft_trust_outdated(const struct weft_context *ctx, const struct weft_trust_spec *spec);
/*
 * The checks that this trust gives up at present: those of dates, while the clock knows none that it could
 * go by. Logs a warning that begins with who asks.
 */
unsigned weft_trust_dates(
	struct weft_context *ctx, const struct weft_trust_spec *spec, const char *who);

#endif
