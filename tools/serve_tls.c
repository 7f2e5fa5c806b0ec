/* SPDX-License-Identifier: MIT */
/* weft serve: what of the command line is about TLS, and the route that tells what came of it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

enum { SECRET = 64 };

static const char *const modes[] = { "optional", "required" };

static bool load_secret(struct serve_tls *t)
{
	FILE *f = fopen(t->secret_file, "rb");
	unsigned char more;
	size_t len;

	if (!f) {
		fprintf(stderr, "weft serve: --ticket-secret %s: %s\n", t->secret_file,
			strerror(errno));
		return false;
	}
	len = fread(t->secret, 1, SECRET, f);
	len += fread(&more, 1, 1, f);
	fclose(f);
	if (len == SECRET)
		return true;
	fprintf(stderr,
		"weft serve: --ticket-secret %s: %s than %d bytes, expected exactly those\n",
		t->secret_file, len < SECRET ? "less" : "more", SECRET);
	return false;
}

bool serve_tls_check(struct serve_tls *t)
{
	if (t->client_cert && strcmp(t->client_cert, modes[0]) &&
		strcmp(t->client_cert, modes[1])) {
		fprintf(stderr, "weft serve: --client-cert \"%s\": expected %s or %s\n",
			t->client_cert, modes[0], modes[1]);
		return false;
	}
	if (t->client_cert && !t->client_ca) {
		fprintf(stderr, "weft serve: --client-cert needs --client-ca: whom to believe\n");
		return false;
	}
	if (t->secret_file && t->no_tickets) {
		fprintf(stderr,
			"weft serve: --ticket-secret and --no-tickets exclude each other\n");
		return false;
	}
	t->clients = (struct weft_trust){ .ca_file = t->client_ca };
	return !t->secret_file || load_secret(t);
}

void serve_tls_options(struct serve_tls *t, struct weft_vhost_options *o)
{
	o->credential.ocsp_file = t->ocsp;
	o->no_tickets = t->no_tickets;
	if (t->secret_file)
		o->ticket_secret = (struct weft_span){ t->secret, SECRET };
	if (!t->client_ca)
		return;
	o->client_trust = &t->clients;
	o->client_auth = t->client_cert && !strcmp(t->client_cert, modes[0])
				 ? WEFT_CLIENT_AUTH_OPTIONAL
				 : WEFT_CLIENT_AUTH_REQUIRED;
}

/* ---- /whoami ---- */

static json_t *hex(const unsigned char *bytes, bool any)
{
	char text[2 * WEFT_SHA256_BYTES + 1];

	if (!any)
		return json_null();
	for (size_t i = 0; i < WEFT_SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

/* Names are the peer's: what is no UTF-8 in them must not cost the rest. */
static json_t *text_or_null(const char *text)
{
	char plain[256];
	json_t *string;

	if (!text[0])
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	snprintf(plain, sizeof(plain), "%s", text);
	for (char *c = plain; *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	return json_string(plain);
}

static const char *version_name(unsigned version)
{
	return version == 0x0304 ? "1.3" : version == 0x0303 ? "1.2" : "";
}

static json_t *describe(const struct weft_conn_info *info)
{
	char address[WEFT_ADDRESS_TEXT_MAX];
	json_t *o = json_object();
	const struct {
		const char *name;
		json_t *value;
	} all[] = {
		{ "address",
			text_or_null(weft_address_format(&info->peer, address, sizeof(address))) },
		{ "name", text_or_null(info->peer_name) },
		{ "verified", json_boolean(info->peer_verified) },
		{ "sha256", hex(info->peer_sha256, info->peer_cert) },
		{ "spki_sha256", hex(info->peer_spki, info->peer_cert) },
		{ "tls", text_or_null(version_name(info->tls_version)) },
		{ "cipher", text_or_null(info->tls_cipher) },
		{ "resumed", json_boolean(info->tls_resumed) },
		{ "sni", text_or_null(info->sni) },
		{ "alpn", text_or_null(info->alpn) },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		json_object_set_new(o, all[i].name, all[i].value);
	return o;
}

enum weft_status route_whoami(struct weft_stream *s, void *user)
{
	struct weft_conn_info info;
	enum weft_status st = weft_stream_conn_info(s, &info);
	json_t *o;
	char *text;
	size_t len;

	(void)user;
	if (st)
		return st;
	o = describe(&info);
	text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	if (!text)
		return WEFT_ERR_MEMORY;
	len = strlen(text);
	text[len] = '\n'; /* in place of the terminator: a reply has a length */
	st = weft_http_reply(s, 200, "application/json", text, len + 1);
	free(text);
	return st;
}
