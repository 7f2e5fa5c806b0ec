/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 on one pipe, by nghttp2: frames, HPACK and the states of streams are the library's; what they mean, what
 * they may cost, and when bytes move are decided here. RFC 9113.
 */
#ifndef WEFT_ROLES_H2_H2_H
#define WEFT_ROLES_H2_H2_H

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "weft/buffer.h"
#include "weft/plugin/role.h"

/* One exchange. Lives as long as nghttp2's stream does. */
struct weft_h2_stream {
	struct weft_h2 *h;
	struct weft_h2_stream *next, *prev;
	struct weft_stream *stream; /* NULL: given up; what `kept` has still goes out */
	struct weft_segment *kept;  /* references, or NULL: an answer that outlives its stream */
	size_t kept_count, kept_at; /* how many, and the first that is left */
	const struct weft_head *trailer; /* the stream's, or below; goes out behind the body */
	struct weft_head
		*kept_trailer; /* the same, when the stream is gone: with its fields and texts */
	size_t kept_trailer_len;
	const char *problem;    /* static text: why it is reset, if for a reason of its own */
	uint64_t out_left;      /* bytes that the head promised; meaningful if out_known */
	uint64_t in_us, out_us; /* when something last came; last went, or began to wait */
	uint64_t rate_us;       /* servers: when the body's time of grace began */
	uint32_t rate_bytes, out_bytes; /* in that time; since out_us. No more than fit here */
	uint32_t given;                 /* bytes that the application has not taken yet */
	uint32_t drained;               /* bytes of a request that came behind its whole response */
	int32_t id;
	uint8_t informational; /* clients: 1xx so far */
	bool out_known;
	bool deferred;            /* nghttp2 waits for weft_h2_ready */
	bool head_sent;           /* servers: the final one. Clients: the network may have it */
	bool headers_out;         /* the frame with it was given to the pipe */
	bool out_done;            /* END_STREAM went out */
	bool in_done;             /* END_STREAM came */
	bool answered;            /* clients: the final head came */
	bool heard;               /* clients: a head began to come */
	bool head_method;         /* the response has no body */
	bool connect;             /* a plain CONNECT */
	bool extended;            /* an extended one: RFC 8441 */
	bool tunnel;              /* both directions are bytes */
	bool tunnel_due;          /* weft_role_tunnel is owed to the core */
	bool expect;              /* servers: 100 is owed. Clients: it is waited for */
	bool hold;                /* clients: nothing may follow the head yet */
	bool hold_in;             /* servers: what comes is a tunnel's that is not accepted yet */
	bool no_body;             /* what is written is dropped */
	bool late;                /* a time ran out: that is why it is reset */
	bool reset_sent;          /* RST_STREAM is on its way */
	struct weft_buffer early; /* of a tunnel that is not accepted yet */
};

/* A head on its way in: there is one at most on a connection. */
struct weft_h2_block {
	struct weft_buffer text;      /* names and values, each terminated; without nghttp2's own */
	struct weft_buffer table;     /* struct weft_h2_entry */
	size_t cookies, cookie_bytes; /* crumbs of one field: RFC 9113 section 8.2.3 */
	size_t count, size; /* fields; bytes as SETTINGS_MAX_HEADER_LIST_SIZE counts them */
	bool active;
	bool over; /* a limit: what else comes of it is not kept */
};

enum weft_h2_pseudo {
	WEFT_H2_METHOD,
	WEFT_H2_SCHEME,
	WEFT_H2_AUTHORITY,
	WEFT_H2_PATH,
	WEFT_H2_PROTOCOL,
	WEFT_H2_STATUS,
	WEFT_H2_PSEUDOS, /* none of these: a field */
};

struct weft_h2_entry {
	const char *name_of, *value_of; /* nghttp2's own texts, which stay; NULL: */
	uint32_t name, value;           /* places in the text */
	uint32_t name_len, value_len;
	int pseudo; /* enum weft_h2_pseudo */
};

/* Tokens that come back as time passes. */
struct weft_h2_bucket {
	uint64_t filled_us;
	uint32_t tokens;
};

struct weft_h2 {
	struct weft_pipe *pipe;
	const struct weft_allocator *alloc;
	const struct weft_limits *limits;
	nghttp2_session *session;
	nghttp2_mem mem;
	struct weft_h2_piece *pieces; /* all that nghttp2 has, */
	void *frame;                  /* but where it makes a frame: memory.c */
	struct weft_h2_stream *first; /* the latest last; NULL: none */
	struct weft_h2_stream *last;
	uint32_t count; /* of streams, those that were given up included */
	uint32_t served;
	uint32_t learned; /* streams that the server takes, as a refusal taught; 0: what it says */
	struct weft_h2_block block;
	uint64_t armed_us;  /* what weft_pipe_deadline was told; never later than the true one */
	uint64_t in_us;     /* when something last came */
	uint64_t idle_us;   /* when the last stream went, or the connection began */
	uint64_t block_us;  /* when the head that is on its way began */
	uint64_t ping_us;   /* when we asked; 0: nothing is asked */
	uint64_t goaway_us; /* servers: when the first of two GOAWAYs went; 0: it did not */
	uint64_t unread;    /* bytes that applications have not taken, of all streams */
	uint64_t owed;      /* of these, what the connection's window was not given back for */
	struct weft_h2_bucket work, resets; /* abuse.c */
	char problem[128];                  /* what nghttp2 last complained of */
	bool making;                        /* the session */
	bool starved; /* nghttp2 met a lack of memory: it is not asked to go on */
	bool client;
	bool settled;  /* the peer's SETTINGS came */
	bool closing;  /* the end was asked for */
	bool draining; /* no further streams */
	bool going;    /* the final GOAWAY was sent, or one came */
	bool broken;   /* GOAWAY with an error went out: nghttp2 does no more */
	bool blocked;  /* reading stopped until output goes on */
	bool calm;     /* the peer asks for too much: the connection ends with ENHANCE_YOUR_CALM */
	bool dead;     /* it does not answer: nothing is said any more */
	bool ended;    /* servers: the client's bytes have ended; what is complete is answered */
	bool tunnels_due; /* of one of its streams the core is to be told that it is a tunnel */
};

enum {
	WEFT_H2_DATA = 16375,         /* bytes of a DATA frame: with its head a TLS record */
	WEFT_H2_FIELDS = 64,          /* on the stack */
	WEFT_H2_CONTINUE_MS = 1000,   /* a client's patience: RFC 9110 section 10.1.1 */
	WEFT_H2_INFORMATIONAL = 100,  /* 1xx that a response may have */
	WEFT_H2_UNREAD_MAX = 1 << 21, /* bytes that a connection's streams may leave untaken */
	WEFT_H2_DRAIN_MAX = 65536,    /* of a request whose response is complete */
	WEFT_H2_QUEUE = 256,          /* frames that wait while the peer does not read */
};

/* ---- session.c ---- */

enum weft_status weft_h2_session_make(struct weft_h2 *h, struct weft_error *err);
/* From nghttp2's code: its text, and what fits. */
enum weft_status weft_h2_failed(struct weft_h2 *h, int code, struct weft_error *err);

/* ---- memory.c ---- */

void weft_h2_memory_begin(struct weft_h2 *h);
/* The session goes, and all that it has. */
void weft_h2_memory_end(struct weft_h2 *h);

/* ---- streams.c ---- */

/* Of nghttp2's stream; NULL: no memory. */
struct weft_h2_stream *weft_h2_stream_make(struct weft_h2 *h, int32_t id);
void weft_h2_stream_free(struct weft_h2_stream *hs);
struct weft_h2_stream *weft_h2_find(struct weft_h2 *h, int32_t id);
/* The core has it back; hs may live on. */
void weft_h2_give_back(
	struct weft_h2_stream *hs, enum weft_cause cause, const struct weft_error *why);
/* RST_STREAM, once. */
void weft_h2_reset(struct weft_h2_stream *hs, uint32_t code);
/* The same for a reason of its own. */
void weft_h2_break(struct weft_h2_stream *hs, uint32_t code, const char *problem);
/* Both directions are bytes from now on, and the core is told when it may be. */
void weft_h2_tunnel(struct weft_h2_stream *hs);
void weft_h2_tell_tunnels(struct weft_h2 *h);
/* What an application does not take any more counts as taken. */
void weft_h2_credit(struct weft_h2_stream *hs, size_t n);
/* Bytes came that the application has not taken yet. */
void weft_h2_arrived(struct weft_h2_stream *hs, size_t n);
/* So many may come that are not taken. */
uint32_t weft_h2_window(const struct weft_h2_stream *hs);
/* The answer is out, and the request goes on: the rest is read within reason. */
void weft_h2_drained(struct weft_h2_stream *hs, size_t n);
/* How a stream leaves. */
enum weft_cause weft_h2_cause(const struct weft_h2_stream *hs);

/* ---- block.c: heads on their way in ---- */

/* A head that is complete, in the memory of its stream. Texts that did not come are NULL. */
struct weft_h2_head {
	const char *pseudo[WEFT_H2_PSEUDOS];
	size_t pseudo_len[WEFT_H2_PSEUDOS];
	struct weft_field *fields;
	size_t count;
	const struct weft_field *host, *expect, *length; /* of these; NULL: not there */
};

void weft_h2_block_begin(struct weft_h2 *h);
void weft_h2_block_add(struct weft_h2 *h, nghttp2_rcbuf *name, nghttp2_rcbuf *value);
/* Moves it to s, with room for `extra` more fields. false: no memory. */
bool weft_h2_block_keep(
	struct weft_h2 *h, struct weft_stream *s, size_t extra, struct weft_h2_head *head);
/* It was used, or is not wanted. */
void weft_h2_block_end(struct weft_h2 *h);
/* Frees what it keeps for the next one. */
void weft_h2_block_finish(struct weft_h2 *h);

/* ---- input.c ---- */

enum weft_status weft_h2_input(struct weft_h2 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err);
int weft_h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user);
int weft_h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
	nghttp2_rcbuf *value, uint8_t flags, void *user);
int weft_h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user);
int weft_h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
	size_t len, void *user);
int weft_h2_on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user);

/* ---- output.c ---- */

/* Frames into the pipe, as long as there is room. */
enum weft_status weft_h2_output(struct weft_h2 *h, struct weft_error *err);
/* All that is queued, whatever room there is: the connection ends. */
void weft_h2_output_last(struct weft_h2 *h);
void weft_h2_ready(struct weft_h2_stream *hs);
/* What nghttp2 pulls hs's body with. */
nghttp2_data_provider weft_h2_body(struct weft_h2_stream *hs);
ssize_t weft_h2_data_length(nghttp2_session *session, uint8_t type, int32_t id,
	int32_t session_window, int32_t stream_window, uint32_t max, void *user);
int weft_h2_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
	size_t len, nghttp2_data_source *source, void *user);
int weft_h2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user);
/* Takes what is left in the outbox of a stream that goes, and is complete. false: no memory. */
bool weft_h2_keep(struct weft_h2_stream *hs);
enum weft_status weft_h2_trailer(
	struct weft_h2_stream *hs, const struct weft_head *head, struct weft_error *err);

/* ---- fields.c: fields on their way out ---- */

struct weft_h2_nv {
	const struct weft_allocator *alloc;
	nghttp2_nv small[WEFT_H2_FIELDS], *nv;
	size_t count, cap;
	char numbers[2][24]; /* texts of content-length and status */
};

/* Room for so many and a few more. false: no memory. */
bool weft_h2_nv_begin(struct weft_h2_nv *nv, const struct weft_h2 *h, size_t count);
/* The name is static, and in lower case. */
void weft_h2_nv_put(struct weft_h2_nv *nv, const char *name, size_t name_len, const char *value,
	size_t value_len);
static inline void weft_h2_nv_add(
	struct weft_h2_nv *nv, const char *name, const char *value, size_t value_len)
{
	weft_h2_nv_put(nv, name, strlen(name), value, value_len);
}
void weft_h2_nv_status(struct weft_h2_nv *nv, unsigned status);
void weft_h2_nv_length(struct weft_h2_nv *nv, uint64_t length);
/* Those that HTTP/2 has: RFC 9113 section 8.2.2. */
void weft_h2_nv_fields(struct weft_h2_nv *nv, const struct weft_field *fields, size_t count);
void weft_h2_nv_end(struct weft_h2_nv *nv);
/* Makes hs's trailers its own, for an answer that outlives its stream. false: no memory. */
bool weft_h2_keep_trailer(struct weft_h2_stream *hs);

/* ---- client.c ---- */

enum weft_status weft_h2_open(
	struct weft_h2 *h, struct weft_stream *stream, struct weft_error *err);
unsigned weft_h2_capacity(const struct weft_h2 *h);
/* A head of the server's is complete. */
void weft_h2_response(struct weft_h2_stream *hs, bool fin);

/* ---- serve.c, respond.c; no_server.c where a build has none ---- */

/* A head of the client's is complete: a request begins. */
int weft_h2_request(struct weft_h2 *h, int32_t id, bool fin);
enum weft_status weft_h2_respond(struct weft_h2_stream *hs, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err);
void weft_h2_nv_date(struct weft_h2_nv *nv, const struct weft_h2 *h);

/* For counts of which only the lower end matters. */
static inline uint32_t weft_h2_add_capped(uint32_t sum, size_t more)
{
	return more < UINT32_MAX - sum ? sum + (uint32_t)more : UINT32_MAX;
}

/* ---- timer.c ---- */

/* Bytes of a body, or its end, wait for the peer's window, or for their turn. */
bool weft_h2_has_output(const struct weft_h2_stream *hs);
/* The peer answered our PING. */
void weft_h2_pong(struct weft_h2 *h);
/* No further streams: GOAWAY, by a server in two steps. */
void weft_h2_drain(struct weft_h2 *h);
/* The first of them is out. Behind it goes a PING, which nghttp2 would send before: its answer is the client's word that
 * it knows. */
void weft_h2_goaway_sent(struct weft_h2 *h);

void weft_h2_arm(struct weft_h2 *h);
enum weft_status weft_h2_tick(struct weft_h2 *h, uint64_t now_us, struct weft_error *err);

/* ---- abuse.c ---- */

/* The peer did what costs us something and brings nothing. false: too much of it. */
bool weft_h2_spend(struct weft_h2 *h, uint32_t tokens);
/* A stream was reset that we had worked for. */
bool weft_h2_spend_reset(struct weft_h2 *h);
/* Something useful came or went, and makes room for what belongs to it. */
void weft_h2_earn(struct weft_h2 *h, uint32_t tokens);
void weft_h2_abuse_begin(struct weft_h2 *h);

#endif
