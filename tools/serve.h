/* SPDX-License-Identifier: MIT */
/* weft serve: what the command line asks for. */
#ifndef WEFT_TOOLS_SERVE_H
#define WEFT_TOOLS_SERVE_H

#include "tool.h"

enum { LISTENERS_MAX = 32, DRAIN_SECONDS = 30 };

/* What the command line says on TLS beyond certificate and key. */
struct serve_tls {
	const char *client_ca, *client_cert, *ocsp, *secret_file;
	bool no_tickets;
	unsigned char secret[64];
	struct weft_trust clients;
};

struct serve {
	const char *listen[LISTENERS_MAX];
	size_t listen_count;
	const char *cert, *key, *root;
	bool self_signed;
	struct serve_tls tls;
	struct weft_context_options context;
	struct weft_context *ctx;
	struct weft_vhost *vhost;
	char *cert_pem, *key_pem;
};

/* -1: go on; else the exit code. */
int serve_parse(struct serve *v, int argc, char **argv);
bool serve_is_tls(const char *url);

/* ---- serve_tls.c ---- */

/* Whether these options go together; reads the secret. Complains otherwise. */
bool serve_tls_check(struct serve_tls *t);
/* Into a vhost's options, which point into t then. */
void serve_tls_options(struct serve_tls *t, struct weft_vhost_options *o);
/* Who the client is, and how it came here. */
enum weft_status route_whoami(struct weft_stream *s, void *user);

#endif
