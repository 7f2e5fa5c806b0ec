/* SPDX-License-Identifier: MIT */
/* Framing decisions. */
#include "roles/http/framing.h"

#include <string.h>

#include "roles/http/chars.h"

static bool named(const struct weft_field *f, const char *name)
{
	return weft_http_same(f->name, f->name_len, name);
}

static bool item_is(const struct weft_span *item, const char *word)
{
	return weft_http_same((const char *)item->ptr, item->len, word);
}

static struct weft_span value_of(const struct weft_field *f)
{
	return (struct weft_span){ (const unsigned char *)f->value, f->value_len };
}

static void connection_field(const struct weft_field *f, struct weft_http_facts *facts)
{
	struct weft_span rest = value_of(f), item;

	while (weft_http_list_next(&rest, &item)) {
		if (item_is(&item, "close"))
			facts->close = true;
		else if (item_is(&item, "keep-alive"))
			facts->keep_alive = true;
		else if (item_is(&item, "upgrade"))
			facts->upgrade_option = true;
	}
}

static void coding_field(const struct weft_field *f, struct weft_http_facts *facts)
{
	struct weft_span rest = value_of(f), item;
	bool any = false;

	while (weft_http_list_next(&rest, &item)) {
		any = true;
		facts->coding_bad = facts->coding_bad || facts->chunked;
		facts->chunked = item_is(&item, "chunked");
		facts->coding_unknown = facts->coding_unknown || !facts->chunked;
		facts->codings++;
	}
	if (any)
		return;
	facts->codings++;
	facts->coding_bad = true;
}

static void expect_field(const struct weft_field *f, struct weft_http_facts *facts)
{
	if (weft_http_same(f->value, f->value_len, "100-continue"))
		facts->expect_continue = true;
	else
		facts->expect_other = true;
}

void weft_http_facts(const struct weft_http_message *m, struct weft_http_facts *facts)
{
	*facts = (struct weft_http_facts){ .host = NULL };
	for (size_t i = 0; i < m->count; i++) {
		const struct weft_field *f = &m->fields[i];

		switch (f->name_len) {
		case 4:
			if (named(f, "host") && !facts->hosts++)
				facts->host = f;
			break;
		case 6:
			if (named(f, "expect"))
				expect_field(f, facts);
			break;
		case 7:
			if (named(f, "upgrade") && f->value_len)
				facts->upgrade = f;
			break;
		case 10:
			if (named(f, "connection"))
				connection_field(f, facts);
			break;
		case 14:
			if (named(f, "content-length") && !facts->lengths++)
				facts->length = f;
			break;
		case 17:
			if (named(f, "transfer-encoding"))
				coding_field(f, facts);
			break;
		default:
			break;
		}
	}
}

bool weft_http_persistent(const struct weft_http_message *m, const struct weft_http_facts *facts)
{
	if (facts->close)
		return false;
	return m->version >= 11 || facts->keep_alive;
}

static bool parse_length(const struct weft_field *f, uint64_t *length)
{
	uint64_t n = 0;

	if (!f->value_len)
		return false;
	for (size_t i = 0; i < f->value_len; i++) {
		unsigned digit = (unsigned)(unsigned char)f->value[i] - '0';

		if (digit > 9 || n > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*length = n;
	return true;
}

/* What is the same for both directions. *body is LENGTH, CHUNKED, or CLOSE where nothing was said. */
static enum weft_status declared(const struct weft_http_message *m,
	const struct weft_http_facts *facts, enum weft_http_body *body, uint64_t *length,
	struct weft_http_refusal *no)
{
	*body = WEFT_HTTP_BODY_CLOSE;
	*length = 0;
	if (facts->codings) {
		if (facts->lengths)
			return weft_http_refuse(
				no, 400, "both content-length and transfer-encoding");
		if (m->version < 11)
			return weft_http_refuse(no, 400, "transfer-encoding in HTTP/1.0");
		/* where the body ends is unknown: RFC 9112 section 6.3; else section 6.1 */
		if (facts->coding_bad || !facts->chunked)
			return weft_http_refuse(
				no, 400, "transfer codings that do not end with one \"chunked\"");
		if (facts->coding_unknown)
			return weft_http_refuse(no, 501, "a transfer coding besides chunked");
		*body = WEFT_HTTP_BODY_CHUNKED;
		return WEFT_OK;
	}
	if (facts->lengths > 1)
		return weft_http_refuse(no, 400, "more than one content-length");
	if (facts->lengths) {
		if (!parse_length(facts->length, length))
			return weft_http_refuse(no, 400, "a content-length that is not a number");
		*body = *length ? WEFT_HTTP_BODY_LENGTH : WEFT_HTTP_BODY_NONE;
	}
	return WEFT_OK;
}

enum weft_status weft_http_request_body(const struct weft_http_message *m,
	const struct weft_http_facts *facts, enum weft_http_body *body, uint64_t *length,
	struct weft_http_refusal *no)
{
	enum weft_status st = declared(m, facts, body, length, no);

	if (st == WEFT_OK && *body == WEFT_HTTP_BODY_CLOSE)
		*body = WEFT_HTTP_BODY_NONE;
	/* methods are case-sensitive: "connect" is another one */
	if (st == WEFT_OK && *body != WEFT_HTTP_BODY_NONE && m->method.len == 7 &&
		!memcmp(m->method.ptr, "CONNECT", 7))
		return weft_http_refuse(no, 400, "CONNECT with a body");
	return st;
}

bool weft_http_bodyless(const char *method, unsigned status)
{
	return status < 200 || status == 204 || status == 304 ||
	       (method && !strcmp(method, "HEAD"));
}

enum weft_status weft_http_response_body(const struct weft_http_message *m,
	const struct weft_http_facts *facts, const char *method, enum weft_http_body *body,
	uint64_t *length, struct weft_http_refusal *no)
{
	*length = 0;
	if (m->status == 101 || (m->status / 100 == 2 && method && !strcmp(method, "CONNECT"))) {
		*body = WEFT_HTTP_BODY_TUNNEL;
		return WEFT_OK;
	}
	if (weft_http_bodyless(method, m->status)) {
		*body = WEFT_HTTP_BODY_NONE;
		return WEFT_OK;
	}
	return declared(m, facts, body, length, no);
}
