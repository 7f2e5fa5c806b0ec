/* SPDX-License-Identifier: MIT */
/* What a policy's credential names, fetched when a vhost is made of it, and not before. */
#include <string.h>

#include "core/policy/use.h"
#include "core/vhost/credential.h"

static const char app[] = "app:", file[] = "file:";

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static enum weft_status provided(const struct weft_policy_use *use, const char *name,
	struct weft_buffer *to, const struct weft_signer **signer, struct weft_error *err)
{
	struct weft_policy_secret secret = { .signer = NULL };
	struct weft_error why = { .status = WEFT_OK };
	enum weft_status st;

	if (!use->provide)
		return weft_error_set(
			err, WEFT_ERR_NOT_FOUND, 0, "the application provides nothing");
	st = use->provide(use->user, name, &secret, &why);
	if (st)
		return weft_error_set(err, st < 0 ? st : WEFT_ERR_NOT_FOUND, why.native, "%s",
			why.text[0] ? why.text : "the application does not provide it");
	if (!secret.pem.len && !(signer && secret.signer))
		return weft_error_set(
			err, WEFT_ERR_NOT_FOUND, 0, "the application provides nothing for it");
	if (signer && secret.signer) {
		*signer = secret.signer;
		return WEFT_OK;
	}
	return weft_file_or_memory(NULL, secret.pem, to, err);
}

static enum weft_status fetch(const char *name, const struct weft_policy_use *use,
	struct weft_buffer *to, const struct weft_signer **signer, struct weft_error *err)
{
	static const struct weft_span none = { NULL, 0 };

	if (begins(name, app))
		return provided(use, name + strlen(app), to, signer, err);
	if (begins(name, file))
		return weft_file_or_memory(name + strlen(file), none, to, err);
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "expected app:NAME or file:PATH");
}

enum weft_status weft_policy_credential_load(const struct weft_context *ctx,
	const struct weft_policy_credential *credential, const struct weft_policy_use *use,
	struct weft_credential_spec *spec, struct weft_error *err)
{
	const char *what = credential->cert;
	enum weft_status st = fetch(what, use, &spec->cert, NULL, err);

	if (st == WEFT_OK) {
		what = credential->key;
		st = fetch(what, use, &spec->key, &spec->signer, err);
	}
	if (st == WEFT_OK)
		st = weft_credential_complete(ctx, spec, err);
	if (st)
		weft_error_prefix(err, "credential %s, %s", credential->name, what);
	return st;
}
