/* SPDX-License-Identifier: MIT */
/* Requests over TLS that note who was met, and how: each side's view of the connection. */
#ifndef WEFT_TESTS_SUPPORT_VISIT_H
#define WEFT_TESTS_SUPPORT_VISIT_H

#include "tests/support/certs.h"
#include "tests/support/duo.h"

enum { VISIT_CERT_MAX = 4096 };

/* One side's view of the other. */
struct met {
	struct weft_conn_info info;
	unsigned char cert[VISIT_CERT_MAX]; /* the other's, in DER */
	size_t cert_len;
};

struct visit {
	struct weft_stream *stream;
	unsigned status, closes;
	size_t body_len;
	struct weft_error why;
	struct met server; /* what the client met */
};

/* What the server met last. */
extern struct met visitor;

/* Answers 200, and notes the visitor. */
extern const struct weft_route visit_routes[];

/* Begins a request to d's server; r may bring further options, or be NULL. The trust is d's unless it says. */
void visit_begin(struct visit *v, struct duo *d, const struct weft_request *r);
/* Begins it, and turns until it has ended and no connection is left that is not kept warm. */
void visit(struct visit *v, struct duo *d, const struct weft_request *r);
/* It went well. */
void visit_good(struct visit *v, struct duo *d, const struct weft_request *r);
/* Whether it is this certificate that was met. */
bool visit_met(const struct met *m, const struct test_cert *cert);
/* Whether both backends of the combination can this ("resume"): tests return if not. */
bool visit_can(const char *cap);
/* A credential of certificate and key. */
struct weft_credential visit_as(const struct test_cert *cert);
struct weft_span visit_span(const char *text, size_t len);

#endif
