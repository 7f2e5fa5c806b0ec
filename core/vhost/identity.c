/* SPDX-License-Identifier: MIT */
/*
 * What a vhost proves, and whom it believes: TLS contexts out of credentials and trust. Sessions count
 * their context, so a reload swaps it under those that come, and leaves it to those that are there.
 */
#include "core/vhost/identity.h"

#include <string.h>

#include "core/plugin/roles.h"
#include "core/policy/use.h"
#include "core/system/file.h"
#include "core/vhost/anchors.h"

static struct weft_span span_of(const struct weft_buffer *b)
{
	return (struct weft_span){ weft_buffer_bytes(b), weft_buffer_len(b) };
}

/* ---- clients ---- */

enum weft_status weft_vhost_client_tls(struct weft_vhost *vh, struct weft_error *err)
{
	struct weft_context *ctx = vh->ctx;
	struct weft_trust_spec *spec = vh->trust;
	struct weft_tls_ctx_options options = {
		.size = sizeof(options),
		.alloc = &ctx->memory.alloc,
		.alpn = spec->alpn,
		.cert_chain = span_of(&spec->credential.cert),
		.key = span_of(&spec->credential.key),
		.signer = spec->credential.signer,
		.tickets = ctx->ticket_max && ctx->tls->tls->caps & WEFT_TLS_CAN_RESUME,
	};
	struct weft_credential_spec fetched;
	struct weft_anchors anchors;
	enum weft_status st = WEFT_OK;

	weft_credential_init(&fetched, &ctx->memory.alloc);
	weft_anchors_init(&anchors, &ctx->memory.alloc);
	if (spec->who) {
		st = weft_policy_credential_load(ctx, spec->who, &spec->use, &fetched, err);
		options.cert_chain = span_of(&fetched.cert);
		options.key = span_of(&fetched.key);
		options.signer = fetched.signer;
	}
	if (st == WEFT_OK)
		st = weft_anchors_load(ctx, spec, &anchors, &options, err);
	if (st == WEFT_OK)
		st = weft_tls_ctx_make(ctx->tls->tls, &options, &vh->client_tls, err);
	weft_anchors_finish(&anchors);
	weft_credential_finish(&fetched);
	return st;
}

/* ---- servers ---- */

static enum weft_status want_secret(struct weft_vhost *vh, struct weft_error *err)
{
	const struct weft_loop *loop = &vh->ctx->loop;
	enum weft_status st;

	if (!vh->tickets || vh->has_secret)
		return WEFT_OK;
	st = loop->net->random(loop->net_state, vh->ticket_secret, sizeof(vh->ticket_secret), err);
	vh->has_secret = st == WEFT_OK;
	return st;
}

static enum weft_status make_context(struct weft_vhost *vh, const struct weft_scheme *scheme,
	const struct weft_credential_spec *credential, struct weft_tls_ctx **out,
	struct weft_error *err)
{
	struct weft_context *ctx = vh->ctx;
	const char *alpn[WEFT_ALPN_MAX + 1];
	struct weft_tls_ctx_options options = {
		.size = sizeof(options),
		.alloc = &ctx->memory.alloc,
		.server = true,
		.cert_chain = span_of(&credential->cert),
		.key = span_of(&credential->key),
		.signer = credential->signer,
		.ocsp = span_of(&credential->ocsp),
		.client_auth = (enum weft_tls_client_auth)vh->client_auth,
		.alpn = alpn,
	};
	struct weft_anchors anchors;
	enum weft_status st = want_secret(vh, err);

	weft_roles_alpn(ctx, scheme, (const char *const *)vh->roles, alpn, WEFT_ALPN_MAX + 1);
	if (vh->tickets)
		options.ticket_secret =
			(struct weft_span){ vh->ticket_secret, sizeof(vh->ticket_secret) };
	weft_anchors_init(&anchors, &ctx->memory.alloc);
	if (st == WEFT_OK && vh->trust)
		st = weft_anchors_load(ctx, vh->trust, &anchors, &options, err);
	if (st == WEFT_OK)
		st = weft_tls_ctx_make(ctx->tls->tls, &options, out, err);
	weft_anchors_finish(&anchors);
	return st ? weft_error_prefix(err, "vhost %s", vh->name), st : WEFT_OK;
}

static struct weft_vhost_tls *make_for(struct weft_vhost *vh, const struct weft_scheme *scheme,
	const struct weft_credential_spec *credential, struct weft_error *err)
{
	struct weft_vhost_tls *t = weft_zalloc(&vh->ctx->memory.alloc, sizeof(*t));

	if (!t) {
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
		return NULL;
	}
	t->scheme = scheme;
	if (make_context(vh, scheme, credential, &t->tls, err)) {
		weft_free(&vh->ctx->memory.alloc, t, sizeof(*t));
		return NULL;
	}
	return t;
}

static void free_contexts(struct weft_vhost *vh, struct weft_list *all)
{
	struct weft_list *node;

	while ((node = weft_list_pop(all))) {
		struct weft_vhost_tls *t = weft_container_of(node, struct weft_vhost_tls, node);

		weft_tls_ctx_release(t->tls);
		weft_free(&vh->ctx->memory.alloc, t, sizeof(*t));
	}
}

struct weft_tls_ctx *weft_vhost_tls(
	struct weft_vhost *vh, const struct weft_scheme *scheme, struct weft_error *err)
{
	struct weft_vhost_tls *t;

	weft_list_each(node, &vh->tls)
	{
		t = weft_container_of(node, struct weft_vhost_tls, node);
		if (t->scheme == scheme)
			return t->tls;
	}
	if (weft_tls_require(vh->ctx, 0, NULL, err))
		return NULL;
	if (!weft_buffer_len(&vh->credential.cert)) {
		weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"vhost %s: %s needs a certificate and a key", vh->name, scheme->name);
		return NULL;
	}
	t = make_for(vh, scheme, &vh->credential, err);
	if (!t)
		return NULL;
	weft_list_append(&vh->tls, &t->node);
	return t->tls;
}

unsigned weft_vhost_allow(struct weft_vhost *vh)
{
	return vh->trust ? weft_trust_dates(vh->ctx, vh->trust, vh->name) : 0;
}

/* ---- options ---- */

static enum weft_status take_client_auth(
	struct weft_vhost *vh, const struct weft_vhost_options *o, struct weft_error *err)
{
	enum weft_status st;

	if (o->client_auth == WEFT_CLIENT_AUTH_NONE && !o->client_trust)
		return WEFT_OK;
	if (o->client_auth == WEFT_CLIENT_AUTH_NONE)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"client_trust without client_auth: nobody would be asked for a "
			"certificate");
	if (o->client_auth > WEFT_CLIENT_AUTH_REQUIRED)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"client_auth is %d, expected 0 to %d", (int)o->client_auth,
			WEFT_CLIENT_AUTH_REQUIRED);
	if (!o->client_trust)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"client_auth without client_trust: expected whom to believe");
	st = weft_tls_require(
		vh->ctx, WEFT_TLS_CAN_CLIENT_AUTH, "ask clients for certificates", err);
	if (st == WEFT_OK)
		st = weft_trust_load(vh->ctx, o->client_trust, NULL, NULL, &vh->trust, err);
	vh->client_auth = o->client_auth;
	return st;
}

static enum weft_status take_tickets(
	struct weft_vhost *vh, const struct weft_vhost_options *o, struct weft_error *err)
{
	const struct weft_span *secret = &o->ticket_secret;

	vh->tickets = vh->ctx->ticket_max && !o->no_tickets && vh->ctx->tls &&
		      vh->ctx->tls->tls->caps & WEFT_TLS_CAN_RESUME;
	if (!secret->len)
		return WEFT_OK;
	if (secret->len != WEFT_TLS_TICKET_SECRET)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"ticket_secret has %zu bytes, expected %d", secret->len,
			WEFT_TLS_TICKET_SECRET);
	memcpy(vh->ticket_secret, secret->ptr, secret->len);
	vh->has_secret = true;
	return weft_tls_require(vh->ctx, WEFT_TLS_CAN_RESUME, "resume sessions", err);
}

static enum weft_status load(const struct weft_vhost *vh, const struct weft_credential *credential,
	struct weft_credential_spec *spec, struct weft_error *err)
{
	enum weft_status st = weft_credential_load(vh->ctx, credential, spec, err);

	if (st == WEFT_OK && weft_buffer_len(&spec->ocsp))
		st = weft_tls_require(vh->ctx, WEFT_TLS_CAN_STAPLE, "staple OCSP responses", err);
	return st;
}

enum weft_status weft_vhost_identify(
	struct weft_vhost *vh, const struct weft_vhost_options *options, struct weft_error *err)
{
	struct weft_credential credential = options->credential;
	enum weft_status st;

	if (options->cert_file)
		credential.cert_file = options->cert_file;
	if (options->key_file)
		credential.key_file = options->key_file;
	st = load(vh, &credential, &vh->credential, err);
	if (st == WEFT_OK)
		st = take_client_auth(vh, options, err);
	if (st == WEFT_OK)
		st = take_tickets(vh, options, err);
	return st ? weft_error_prefix(err, "vhost %s", vh->name), st : WEFT_OK;
}

void weft_vhost_forget(struct weft_vhost *vh)
{
	free_contexts(vh, &vh->tls);
	/* those who shake hands hold the vhost: of what is left, none needs more than its own session */
	weft_tls_ctx_trim(vh->client_tls);
	weft_tls_ctx_release(vh->client_tls);
	weft_trust_release(vh->trust);
	weft_credential_finish(&vh->credential);
	explicit_bzero(vh->ticket_secret, sizeof(vh->ticket_secret));
}

/* ---- reload ---- */

/* A backend knows bytes; who looks for the mistake wants to know where they came from. */
static void name_files(const struct weft_credential *c, struct weft_error *err)
{
	if (c->cert_file && c->key_file)
		weft_error_prefix(err, "%.80s, %.80s", c->cert_file, c->key_file);
	else if (c->cert_file || c->key_file)
		weft_error_prefix(err, "%.80s", c->cert_file ? c->cert_file : c->key_file);
}

/* One for each scheme that has one. */
static enum weft_status make_all(struct weft_vhost *vh,
	const struct weft_credential_spec *credential, struct weft_list *all,
	struct weft_error *err)
{
	weft_list_each(node, &vh->tls)
	{
		const struct weft_vhost_tls *old =
			weft_container_of(node, struct weft_vhost_tls, node);
		struct weft_error why = { .status = WEFT_ERR_MEMORY };
		struct weft_vhost_tls *t = make_for(vh, old->scheme, credential, &why);

		if (!t) {
			if (err)
				*err = why;
			return why.status;
		}
		weft_list_append(all, &t->node);
	}
	return WEFT_OK;
}

enum weft_status weft_vhost_reload(
	struct weft_vhost *vh, const struct weft_credential *credential, struct weft_error *err)
{
	struct weft_credential_spec fresh;
	struct weft_list all;
	enum weft_status st;

	if (vh->client)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "a client's vhost has nothing to reload");
	if (vh->dying)
		return weft_error_set(
			err, WEFT_ERR_SHUTDOWN, 0, "vhost %s is going away", vh->name);
	weft_list_init(&all);
	weft_credential_init(&fresh, &vh->ctx->memory.alloc);
	st = load(vh, credential, &fresh, err);
	if (st == WEFT_OK && !weft_buffer_len(&fresh.cert))
		st = weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"vhost %s: expected a certificate and a key", vh->name);
	if (st == WEFT_OK) {
		st = make_all(vh, &fresh, &all, err);
		if (st)
			name_files(credential, err);
	}
	if (st) {
		free_contexts(vh, &all);
		weft_credential_finish(&fresh);
		return st;
	}
	free_contexts(vh, &vh->tls);
	weft_list_splice(&vh->tls, &all);
	weft_credential_finish(&vh->credential);
	vh->credential = fresh;
	weft_log(vh->ctx, WEFT_LOG_INFO, "vhost %s: a new certificate", vh->name);
	return WEFT_OK;
}
