/* SPDX-License-Identifier: MIT */
/* The HTTP/2 suite's harness: the other end of a connection, which says frames by hand and looks at those that come. */
#ifndef WEFT_TESTS_CONTRACT_H2_LINE_H
#define WEFT_TESTS_CONTRACT_H2_LINE_H

#include "tests/contract/role_peer.h"

enum h2_type {
	H2_DATA,
	H2_HEADERS,
	H2_PRIORITY,
	H2_RST_STREAM,
	H2_SETTINGS,
	H2_PUSH_PROMISE,
	H2_PING,
	H2_GOAWAY,
	H2_WINDOW_UPDATE,
	H2_PRIORITY_UPDATE = 16,
};

enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4, H2_PADDED = 8 };
enum { H2_SET_STREAMS = 3, H2_SET_WINDOW = 4 }; /* settings */
enum {
	H2_NO_ERROR = 0,
	H2_PROTOCOL_ERROR = 1,
	H2_FLOW_CONTROL_ERROR = 3,
	H2_REFUSED_STREAM = 7,
	H2_CANCEL = 8,
	H2_ENHANCE_YOUR_CALM = 11,
};

/* Of the bytes that came: until more do. */
struct h2_frame {
	unsigned type, flags;
	uint32_t stream;
	const unsigned char *bytes;
	size_t len;
};

void h2_say(struct peer *p, unsigned type, unsigned flags, uint32_t stream, const void *bytes,
	size_t len);
/* The same frame so many times, at once. */
void h2_say_often(struct peer *p, unsigned times, unsigned type, unsigned flags, uint32_t stream,
	const void *bytes, size_t len);
/* With a payload of one number: RST_STREAM, WINDOW_UPDATE. */
void h2_say_number(struct peer *p, unsigned type, uint32_t stream, uint32_t number);
void h2_set(struct peer *p, unsigned setting, uint32_t value);
/* Whole requests; priority may be NULL. */
void h2_get(struct peer *p, uint32_t stream, const char *path, const char *priority);
/* POST / without its body. */
void h2_post(struct peer *p, uint32_t stream);

/* The next frame behind the mark, which moves behind it; false: none is there. */
bool h2_next(struct peer *p, struct h2_frame *f);
/* Turns until such a frame comes; what came before it is gone past. */
void h2_expect(struct peer *p, unsigned type, uint32_t stream, struct h2_frame *f);
uint32_t h2_number(const struct h2_frame *f, size_t at);
/* A frame whose payload is an error, behind `at` bytes. */
void h2_expect_error(struct peer *p, unsigned type, uint32_t stream, uint32_t code);
/* Some turns; how many such frames came in what is left. The mark moves behind it all. */
unsigned h2_count(struct peer *p, unsigned type, uint32_t stream);
/* The same, of WINDOW_UPDATEs: their sum. */
uint32_t h2_windows(struct peer *p, uint32_t stream);
/* Turns until our SETTINGS, the last that were said, were acknowledged. */
void h2_settled(struct peer *p);

/* A client of ours that sends SETTINGS with this window. */
void h2_dial(struct peer *p, struct world *w, uint32_t window);
/* Goes past the preface of a client of Weft's, and says SETTINGS. */
void h2_meet(struct peer *p, uint32_t streams);
/* A whole response, "ok". */
void h2_answer(struct peer *p, uint32_t stream);

/* Time stands still but for this. */
void h2_pass(uint32_t ms);

extern const struct role_group h2_abuse_group, h2_server_group, h2_priority_group, h2_client_group;

#endif
