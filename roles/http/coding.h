/* SPDX-License-Identifier: MIT */
/* Content codings and what a client accepts of them: RFC 9110 sections 8.4.1 and 12.5.3. */
#ifndef WEFT_ROLES_HTTP_CODING_H
#define WEFT_ROLES_HTTP_CODING_H

#include "weft/alloc.h"
#include "weft/stream.h"

/* By our preference, where a client has none. */
enum weft_http_coding {
	WEFT_HTTP_BROTLI,
	WEFT_HTTP_GZIP,
	WEFT_HTTP_IDENTITY,
	WEFT_HTTP_CODINGS,
};

struct weft_http_coding_words {
	const char *name;    /* "gzip" */
	const char *suffix;  /* ".gz", of files that have it already */
	const char *variant; /* "-gz", in entity tags */
};

extern const struct weft_http_coding_words weft_http_codings[WEFT_HTTP_CODINGS];

/*
 * The weights, 0 (not acceptable) to 1000, that the Accept-Encoding fields give. What is not said to be
 * identity's is the least there is. Elements that are none are passed over.
 */
void weft_http_accepted(const struct weft_head *request, unsigned q[WEFT_HTTP_CODINGS]);
/* The coding of the highest weight above 0 that is not in the bits of `but`. CODINGS: none is left. */
enum weft_http_coding weft_http_best_coding(const unsigned q[WEFT_HTTP_CODINGS], unsigned but);

/* ---- encoders ---- */

struct weft_http_encoder_ops {
	/* size: how much will come, for a window that fits. NULL: no memory. */
	void *(*create)(const struct weft_allocator *alloc, uint64_t size);
	/*
	 * Takes from *in what it can (*in is moved) and writes to out; *made says how much. last: in holds
	 * the end. OK: more of either is needed. EOF: all is out.
	 */
	enum weft_status (*run)(void *state, struct weft_span *in, bool last, unsigned char *out,
		size_t out_len, size_t *made);
	void (*destroy)(void *state);
};

/* NULL: this build has none. */
const struct weft_http_encoder_ops *weft_http_encoder(enum weft_http_coding coding);

#endif
