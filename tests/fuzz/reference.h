/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 read slowly and in one piece, after the grammar of RFC 9112 and RFC 9110, without a line of the
 * library's: what the fast and resumable parsers are held against. Where the RFC leaves a choice to the
 * recipient it chooses as the library says it does; the choices are marked "choice".
 */
#ifndef WEFT_TESTS_FUZZ_REFERENCE_H
#define WEFT_TESTS_FUZZ_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REF_FIELDS_MAX = 128, REF_BLANKS_MAX = 4, REF_METHOD_MAX = 64 };

enum ref_verdict {
	REF_INCOMPLETE,
	REF_ACCEPTED,
	REF_REFUSED,
};

enum ref_framing {
	REF_NONE,
	REF_LENGTH,
	REF_CHUNKED,
	REF_UNTIL_END,
	REF_TUNNEL,
};

/* Offsets into the message. */
struct ref_part {
	size_t at, len;
};

struct ref_message {
	enum ref_verdict head;
	unsigned refusal; /* status of the answer */
	size_t head_len;
	unsigned version, status;
	struct ref_part method, target, reason;
	struct {
		struct ref_part name, value;
	} fields[REF_FIELDS_MAX];
	size_t count;
	enum ref_framing framing;
	uint64_t length;
	bool close, keep_alive, expect_continue;
	/* requests: where they go; target is "*" or begins with '/' but for CONNECT */
	const char *authority, *path; /* into the input, or static */
	size_t authority_len, path_len;
	/* the body behind the head */
	enum ref_verdict body;
	size_t body_len, used; /* used: of the whole message */
};

/*
 * in is changed: folded lines of responses become spaces. The body is written to out, which has room for
 * len bytes, as far as it goes. method: of the request that a response answers.
 */
void ref_request(uint8_t *in, size_t len, bool secure, uint8_t *out, struct ref_message *m);
void ref_response(uint8_t *in, size_t len, const char *method, uint8_t *out, struct ref_message *m);
/* host [ ":" port ], RFC 3986 */
bool ref_authority(const uint8_t *p, size_t len, bool port_needed);

#endif
