/* SPDX-License-Identifier: MIT */
/*
 * A server of HTTP/1.1 and HTTP/2 on bare sockets that answers in order, and ends its first connection in a given
 * way at a given point of an exchange. It notes what it has seen, so that nobody has to be believed.
 */
#ifndef WEFT_TESTS_SUPPORT_ENDER_H
#define WEFT_TESTS_SUPPORT_ENDER_H

#include <gnutls/gnutls.h>
#include <nghttp2/nghttp2.h>

#include "tests/support/duo.h"

enum { ENDER_LINES = 32, ENDER_BYTES = 8192, ENDER_SIGHTS = 128 };

/* How it ends. */
enum ender_way {
	ENDER_CLEAN, /* not at all: all is answered */
	ENDER_FIN,   /* in order, as far as TLS and TCP are concerned */
	ENDER_CUT,   /* TLS: TCP's FIN without close_notify */
	ENDER_RST,
	ENDER_REFUSED, /* RST_STREAM */
	ENDER_CANCEL,
	ENDER_INTERNAL,
	ENDER_HTTP_1_1,
	ENDER_GOAWAY_BELOW, /* and FIN */
	ENDER_GOAWAY_AT,    /* that one is answered before the FIN */
	ENDER_GOAWAY_ABOVE, /* all that came is answered before the FIN */
	ENDER_GOAWAY_TWICE, /* above, then at */
	ENDER_MALFORMED,
	ENDER_SILENCE,
	ENDER_CLOSE,   /* "Connection: close" in the answer */
	ENDER_UNASKED, /* 408, and FIN */
	ENDER_FEWER,   /* SETTINGS: one stream at once */
	ENDER_NONE,    /* SETTINGS: no stream at once, and later some */
	ENDER_WAYS,
};

/* When. */
enum ender_point {
	ENDER_ACCEPTED, /* nothing was read */
	ENDER_BEFORE,   /* before the request can have been sent */
	ENDER_HALF,     /* half of the request is there */
	ENDER_ASKED,    /* all of it */
	ENDER_HEAD,     /* half of the answer's head is out */
	ENDER_BODY,     /* half of its body */
	ENDER_IDLE,     /* nothing is open */
	ENDER_POINTS,
};

struct ender_line {
	int fd; /* -1: over */
	gnutls_session_t tls;
	nghttp2_hd_inflater *inflater;
	unsigned char in[ENDER_BYTES];
	size_t len;
	unsigned number;
	bool shaken;   /* TLS is up */
	bool prefaced; /* HTTP/2: theirs came, and ours went */
	bool said_fin; /* our direction has ended */
	bool deaf;     /* what comes is noted, and not answered */
};

/* A request on a connection. */
struct ender_sight {
	unsigned line, id;
	int32_t stream; /* HTTP/2 */
	size_t left;    /* of the body */
	size_t body_len;
	char body[64];
	bool whole, begun, answered;
	bool disclaimed; /* refused, or above GOAWAY's last one */
};

struct ender {
	bool h2, tls;
	enum ender_way way;
	enum ender_point point;
	unsigned
		expected; /* HTTP/2: requests that the first connection is to have before it ends */
	int listener;
	unsigned port;
	unsigned count, sights; /* connections, requests so far */
	unsigned striking;      /* which connection is ended */
	/* If there is one: a connection has come, and what is to become of it may be set. */
	void (*script)(struct ender *e, unsigned number);
	/* If there is one, HTTP/2: whether a request is answered 421 instead, and nothing came of it. */
	bool (*misdirects)(const struct ender *e, const struct ender_sight *s);
	unsigned later;    /* turns until streams are allowed again */
	bool struck, idle; /* it was done; it may be */
	struct ender_line lines[ENDER_LINES];
	struct ender_sight seen[ENDER_SIGHTS];
	gnutls_certificate_credentials_t credentials;
};

void ender_open(struct ender *e);
void ender_turn(struct ender *e);
void ender_close(struct ender *e);
/* How often this request was seen, and not disclaimed. */
unsigned ender_count(const struct ender *e, unsigned id);

/* ender_h1.c, ender_h2.c: what is in the line's buffer */
void ender_h1_input(struct ender *e, struct ender_line *l);
void ender_h2_input(struct ender *e, struct ender_line *l);
void ender_h1_answer(struct ender *e, struct ender_line *l, struct ender_sight *s, unsigned part);
void ender_h2_answer(struct ender *e, struct ender_line *l, struct ender_sight *s, unsigned part);
/* A frame; and its way of ending a stream or a connection. */
void ender_h2_frame(struct ender_line *l, unsigned type, unsigned flags, int32_t stream,
	const void *bytes, size_t len);
/* 421, whole. */
void ender_h2_misdirected(struct ender_line *l, struct ender_sight *s);
void ender_h2_strike(struct ender *e, struct ender_line *l, struct ender_sight *s);

/* ender.c, for these */
void ender_say(struct ender_line *l, const void *bytes, size_t len);
struct ender_sight *ender_see(struct ender *e, struct ender_line *l, unsigned id);
/* The body of a request goes on. */
size_t ender_body(struct ender_sight *s, const unsigned char *bytes, size_t len);
void ender_fin(struct ender_line *l);

#endif
