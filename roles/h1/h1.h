/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 on one pipe: at most one exchange at a time, embedded here, so that a connection that is kept
 * alive needs no memory for the next one. RFC 9112.
 */
#ifndef WEFT_ROLES_H1_H1_H
#define WEFT_ROLES_H1_H1_H

#include "roles/http/chunked.h"
#include "roles/http/framing.h"
#include "weft/plugin/role.h"

/* The peer's message. */
struct weft_h1_in {
	uint8_t body;        /* enum weft_http_body */
	bool done;           /* all of it was given to the stream */
	bool stalled;        /* the stream's window is full: reading stopped */
	bool trailers;       /* the last chunk was seen */
	uint32_t given;      /* bytes that the application has not taken yet, within the window */
	uint64_t left;       /* LENGTH */
	uint64_t rate_us;    /* servers: when a body's time of grace began */
	uint32_t rate_bytes; /* and what came in it; no more than fit here */
	union {
		struct weft_http_scan scan; /* of the head; of the trailers */
		struct weft_http_chunked
			chunked; /* between them; all zero is the beginning of each */
	};
};

/* Our message. */
struct weft_h1_out {
	uint8_t body; /* enum weft_http_body */
	bool head_sent;
	bool done;     /* all of it was given to the pipe */
	bool hold;     /* clients: nothing may follow the head until the peer answered it */
	uint64_t left; /* LENGTH */
	const struct weft_head *trailer; /* the stream's; goes out behind the last chunk */
};

/* Ordered by size: there is one for each idle connection. */
struct weft_h1 {
	struct weft_pipe *pipe;
	const struct weft_limits *limits;
	struct weft_stream *stream; /* NULL: none, or given up while its request is drained */
	struct weft_h1_in in;
	struct weft_h1_out out;
	uint64_t since_us; /* when what is waited for began, or last moved */
	uint64_t armed_us; /* what weft_pipe_deadline was told; never later than the true one */
	uint32_t drained;  /* bytes of a request that came after its response was complete */
	uint32_t served;   /* exchanges begun */
	bool client;
	bool active;   /* an exchange is underway */
	bool closing;  /* the end was asked for: nothing more is read or begun */
	bool draining; /* the core wants no further exchange */
	bool keep;     /* another exchange may follow this one */
	bool peer_fin;
	bool held; /* servers: requests wait in the core for the end of this exchange, or for room */
	/* of the exchange */
	bool http10;
	bool head_method; /* HEAD: the response has no body */
	bool connect_method;
	bool upgrade;          /* a change of protocol was offered */
	bool tunnel_due;       /* weft_role_tunnel is owed to the core */
	bool expect;           /* servers: 100 is owed. Clients: it is waited for */
	bool heard;            /* clients: a byte of the response arrived */
	bool answered;         /* clients: the final head arrived */
	uint8_t informational; /* clients: 1xx so far */
};

enum {
	WEFT_H1_FIELDS = 128,        /* on the stack; more are allocated for the call */
	WEFT_H1_HEAD_MAX = 16 << 20, /* bytes of a head, whatever is configured */
	WEFT_H1_CONTINUE_MS = 1000,  /* a client's patience: RFC 9110 section 10.1.1 */
};

/* ---- exchange.c: what both sides share ---- */

/* Forgets the exchange, and is ready for the next. */
void weft_h1_reset_exchange(struct weft_h1 *h);
/* The exchange's stream is told, if there still is one; the exchange is over. */
void weft_h1_end_exchange(struct weft_h1 *h, enum weft_cause cause, const struct weft_error *why);
/* No more input, no more exchanges; the connection ends in order. */
void weft_h1_close(struct weft_h1 *h);
void weft_h1_bounds(const struct weft_h1 *h, struct weft_http_bounds *bounds);
/* A table for a head of so many lines: `small`, or an allocated one. NULL: no memory. */
struct weft_field *weft_h1_table(struct weft_h1 *h, struct weft_field *small, uint32_t lines);
void weft_h1_table_done(
	struct weft_h1 *h, struct weft_field *small, struct weft_field *table, uint32_t lines);
/* The head that was scanned, or a copy without folded lines; NULL: no memory. done frees a copy. */
const unsigned char *weft_h1_unfolded(
	struct weft_h1 *h, const struct weft_http_scan *scan, const unsigned char *in);
void weft_h1_unfolded_done(struct weft_h1 *h, const struct weft_http_scan *scan,
	const unsigned char *in, const unsigned char *head);
/* Both directions are bytes from now on, and the core is told when it may be. */
void weft_h1_begin_tunnel(struct weft_h1 *h);
void weft_h1_tell_tunnel(struct weft_h1 *h);
/* Whether our message would look complete if the connection ended in order now, and is not. */
bool weft_h1_cut_needs_reset(const struct weft_h1 *h);

/* Either side: the fields behind the last chunk. */
enum weft_status weft_h1_trailer(
	struct weft_h1 *h, const struct weft_head *head, struct weft_error *err);

/* ---- body_in.c ---- */

/*
 * Gives the stream what has come of the body. OK: the body is complete (in.done). AGAIN: more is needed.
 * BLOCKED: the window is full. negative: err says why. The stream may be gone afterwards.
 */
enum weft_status weft_h1_body_in(struct weft_h1 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err);

/* ---- body_out.c ---- */

/* Moves the outbox into the pipe as far as there is room. negative: the application broke its word. */
enum weft_status weft_h1_body_out(struct weft_h1 *h, struct weft_error *err);

/* ---- server.c, respond.c; no_server.c where a build has none ---- */

enum weft_status weft_h1_server_input(
	struct weft_h1 *h, const unsigned char *in, size_t len, size_t *used);
void weft_h1_server_output(struct weft_h1 *h);
/* The .head op of a server. */
enum weft_status weft_h1_respond(struct weft_h1 *h, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err);
/* An answer of the role's own, behind which the connection closes. */
void weft_h1_refuse(struct weft_h1 *h, unsigned status, const char *why);
void weft_h1_send_continue(struct weft_h1 *h);

/* ---- client.c, request.c ---- */

enum weft_status weft_h1_client_input(struct weft_h1 *h, const unsigned char *in, size_t len,
	size_t *used, struct weft_error *err);
enum weft_status weft_h1_client_output(struct weft_h1 *h, struct weft_error *err);
enum weft_status weft_h1_open(
	struct weft_h1 *h, struct weft_stream *stream, struct weft_error *err);
enum weft_status weft_h1_send_request(struct weft_h1 *h);
/* How a stream that is not complete leaves. */
enum weft_cause weft_h1_cause(const struct weft_h1 *h);

/* ---- timer.c ---- */

/* Something moved. */
void weft_h1_moved(struct weft_h1 *h);
/* A server begins to wait for a body, or does so again after the application had stopped it. */
void weft_h1_rate_begin(struct weft_h1 *h);
/* Called at the end of every op that may have changed what is waited for. */
void weft_h1_arm(struct weft_h1 *h);
enum weft_status weft_h1_tick(struct weft_h1 *h, uint64_t now_us, struct weft_error *err);
/* Microseconds: so long after something moved; after what was given to the pipe went out. ms 0: WEFT_NEVER. */
uint64_t weft_h1_after(const struct weft_h1 *h, uint32_t ms);
uint64_t weft_h1_after_sent(const struct weft_h1 *h, uint32_t ms);

/* ---- server_timer.c; no_server.c ---- */

/* When a server has waited long enough; and what it does then. */
uint64_t weft_h1_server_due(const struct weft_h1 *h);
enum weft_status weft_h1_server_late(struct weft_h1 *h, uint64_t now_us, struct weft_error *err);

#endif
