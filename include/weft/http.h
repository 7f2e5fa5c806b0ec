/* SPDX-License-Identifier: MIT */
/* HTTP for applications: requests, answers, files. The same over every HTTP role. */
#ifndef WEFT_HTTP_H
#define WEFT_HTTP_H

#include "weft/context.h"
#include "weft/status.h"
#include "weft/stream.h"
#include "weft/vhost.h"

WEFT_BEGIN

/* A client's request. Zero is each option's default; `stream` holds all that is not HTTP's own. */
struct weft_request {
	const char *url;    /* http:// or https:// */
	const char *method; /* NULL: GET, or POST with a body */
	const struct weft_field
		*fields; /* host, content-length and framing fields are made for you */
	size_t field_count;
	/*
	 * The body, sent without being copied: it must stay until on_close, and is replayed if the
	 * request moves to another connection. For one that is written piece by piece, set body_later.
	 */
	struct weft_span body;
	bool body_later;        /* weft_stream_write follows, ended by weft_stream_finish */
	int64_t body_later_len; /* how much that will be; 0 or -1: not known, chunked */
	bool expect_continue;   /* ask before the body: RFC 9110 section 10.1.1 */
	const char
		*upgrade; /* offer this protocol; a 101 makes the stream a tunnel. RFC 9110 7.8 */
	enum weft_share share;
	enum weft_hold hold;
	const struct weft_trust *trust;
	const struct weft_credential *credential;
	unsigned allow; /* enum weft_tls_fault */
	const char *connect_to;
	uint32_t header_ms, total_ms, idle_ms;
	struct weft_stream_options
		stream; /* url, method, fields, body* and those above are ignored here */
};

/* As weft_stream_open. Also ARGUMENT for a method, target or field that is no valid HTTP. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_http_open(struct weft_context *ctx,
	const struct weft_request *request, const struct weft_stream_ops *ops, void *user,
	struct weft_stream **out, struct weft_error *err);

/*
 * Answers a request whole: status, content type (NULL: none), body. The static form does not copy
 * the body, which must stay for ever; the other copies it (any length: it may exceed the high-water mark).
 */
WEFT_API enum weft_status weft_http_reply_static(
	struct weft_stream *s, unsigned status, const char *type, const void *body, size_t len);
WEFT_API enum weft_status weft_http_reply(
	struct weft_stream *s, unsigned status, const char *type, const void *body, size_t len);
/* An answer of one line that says what status means. */
WEFT_API enum weft_status weft_http_error(struct weft_stream *s, unsigned status);
/* The head alone; weft_stream_write and weft_stream_finish follow. body_len -1: not known. */
WEFT_API enum weft_status weft_http_reply_head(struct weft_stream *s, unsigned status,
	const struct weft_field *fields, size_t field_count, int64_t body_len);
/* 101: the stream is a tunnel from here on. STATE unless the request offered this protocol. */
WEFT_API enum weft_status weft_http_accept_upgrade(struct weft_stream *s, const char *protocol);

/*
 * Sends the client elsewhere: 301, 302, 303, 307 or 308, RFC 9110 section 15.4. location is a URI reference,
 * escaped by the caller. ARGUMENT: another status, or characters that no reference has.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_http_redirect(
	struct weft_stream *s, unsigned status, const char *location);

struct weft_http_basic {
	char user[256], password[256]; /* terminated */
};

/* The request's Authorization: Basic, RFC 7617. False: it has none, or none that fits and is one. */
WEFT_API WEFT_MUST_CHECK bool weft_http_basic_auth(
	const struct weft_stream *s, struct weft_http_basic *out);
/* Whether two texts are the same, in a time that tells nothing about where they differ. */
WEFT_API WEFT_MUST_CHECK bool weft_http_same_secret(const char *given, const char *expected);
/* 401: asks for a user's name and password. realm is quoted here; ARGUMENT: it is too long, or no text. */
WEFT_API enum weft_status weft_http_demand_auth(struct weft_stream *s, const char *realm);

/*
 * A route's handler that serves files below the directory named by its user (a C string): GET and HEAD,
 * with type and length, index.html for directories. Nothing outside the directory is ever opened
 * (no "..", no symbolic link that leaves it), nor a name that begins with a dot. 404, 403, 405 otherwise.
 * weft/files.h has the whole of it, this is weft_http_serve_files with nothing but a directory.
 */
WEFT_API enum weft_status weft_http_files(struct weft_stream *s, void *directory);

/* What the policy's "expect" calls the response's status: "ok", "auth_failed". NULL: nothing, or no response yet. */
WEFT_API const char *weft_http_expected(const struct weft_stream *s);

/* "Not Found": RFC 9110 section 15, or "" for a status without a registered phrase. */
WEFT_API const char *weft_http_reason(unsigned status);
/* A content type by the name's extension; "application/octet-stream" if it is not known. */
WEFT_API const char *weft_http_type(const char *file_name);
/* IMF-fixdate, RFC 9110 section 5.6.7: 29 bytes and a terminator into out. */
WEFT_API void weft_http_date(int64_t seconds, char out[30]);
/*
 * A date in any of the three forms that section 5.6.7 has, as seconds since 1970. Years of two digits are
 * the latest that is not more than 50 years ahead of now (seconds, too). False: it is none, *seconds stays.
 */
WEFT_API WEFT_MUST_CHECK bool weft_http_date_parse(
	const char *text, size_t len, int64_t now, int64_t *seconds);
/* A method whose repetition has no further effect: RFC 9110 section 9.2.2. */
WEFT_API bool weft_http_idempotent(const char *method);

WEFT_END

#endif
