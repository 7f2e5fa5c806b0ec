/* SPDX-License-Identifier: MIT */
/* What a certificate in a policy's tables says, for those who tell people of it. */
#include <string.h>

#include "core/plugin/registry.h"
#include "weft/plugin/tls.h"
#include "weft/policy_load.h"

enum weft_status weft_policy_cert_read(struct weft_registry *registry, const char *tls,
	struct weft_span der, struct weft_policy_cert *out, struct weft_error *err)
{
	const struct weft_plugin *backend;
	struct weft_registry *r = NULL;
	struct weft_tls_cert cert;
	enum weft_status st = WEFT_OK;

	if (registry)
		r = weft_registry_ref(registry);
	else
		st = weft_registry_create(NULL, &r, err);
	if (st)
		return st;
	st = weft_registry_find(r, WEFT_PLUGIN_TLS, tls, &backend, err);
	if (st == WEFT_OK && !backend->tls->cert_read)
		st = weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"TLS backend %s cannot tell what a certificate says", backend->name);
	if (st == WEFT_OK)
		st = backend->tls->cert_read(der, &cert, err);
	if (st == WEFT_OK) {
		out->not_before = cert.not_before;
		out->not_after = cert.not_after;
		memcpy(out->subject, cert.subject, sizeof(out->subject));
		memcpy(out->issuer, cert.issuer, sizeof(out->issuer));
	}
	weft_registry_release(r);
	return st;
}
