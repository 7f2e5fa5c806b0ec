/* SPDX-License-Identifier: MIT */
/* The slow reader of messages: each function is a rule of the grammar, or a paragraph of the RFC. */
#include "tests/fuzz/reference.h"

#include <string.h>

/* ---- characters: RFC 9110 sections 5.5 and 5.6.2, RFC 5234 appendix B ---- */

static bool alpha(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool hexdig(uint8_t c)
{
	return digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool one_of(uint8_t c, const char *set)
{
	return c && strchr(set, c);
}

static bool tchar(uint8_t c)
{
	return alpha(c) || digit(c) || one_of(c, "!#$%&'*+-.^_`|~");
}

static bool ows(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* field-vchar, SP, HTAB: VCHAR and obs-text */
static bool field_octet(uint8_t c)
{
	return ows(c) || (c > ' ' && c != 0x7f);
}

/* choice: what browsers send, too, but never what ends a URI or quotes it */
static bool target_octet(uint8_t c)
{
	return c > ' ' && c < 0x7f && !one_of(c, "\"#<>");
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool word(const uint8_t *p, size_t len, const char *text)
{
	if (len != strlen(text))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (lower(p[i]) != lower((uint8_t)text[i]))
			return false;
	}
	return true;
}

static bool exactly(const uint8_t *p, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(p, text, len);
}

/* ---- authorities: RFC 3986 section 3.2 ---- */

static bool dec_octet(const uint8_t *p, size_t len)
{
	unsigned n = 0;

	if (!len || len > 3 || (len > 1 && p[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!digit(p[i]))
			return false;
		n = n * 10 + (unsigned)(p[i] - '0');
	}
	return n <= 255;
}

static bool ipv4(const uint8_t *p, size_t len)
{
	size_t from = 0, parts = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && p[i] != '.')
			continue;
		if (!dec_octet(p + from, i - from))
			return false;
		from = i + 1;
		parts++;
	}
	return parts == 4;
}

/* Groups of h16 between colons; an IPv4 address may be the last two. -1: something else. */
static int groups(const uint8_t *p, size_t len, bool may_end_in_ipv4)
{
	size_t from = 0;
	int count = 0;

	if (!len)
		return 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && p[i] != ':')
			continue;
		if (i == len && may_end_in_ipv4 && ipv4(p + from, i - from))
			return count + 2;
		if (i == from || i - from > 4)
			return -1;
		for (; from < i; from++) {
			if (!hexdig(p[from]))
				return -1;
		}
		from = i + 1;
		count++;
	}
	return count;
}

static bool ipv6(const uint8_t *p, size_t len)
{
	int left, right;

	for (size_t i = 0; i + 1 < len; i++) {
		if (p[i] != ':' || p[i + 1] != ':')
			continue;
		left = groups(p, i, false);
		right = groups(p + i + 2, len - i - 2, true);
		/* "::" stands for at least one group */
		return left >= 0 && right >= 0 && left + right <= 7;
	}
	return groups(p, len, true) == 8;
}

/* choice: no IPvFuture, and never empty, as http and https demand: RFC 9110 section 4.2 */
static size_t uri_host(const uint8_t *p, size_t len)
{
	const uint8_t *end;
	size_t i = 0;

	if (len && p[0] == '[') {
		end = memchr(p, ']', len);
		return end && ipv6(p + 1, (size_t)(end - p) - 1) ? (size_t)(end - p) + 1 : 0;
	}
	while (i < len) {
		if (p[i] == '%') {
			if (len - i < 3 || !hexdig(p[i + 1]) || !hexdig(p[i + 2]))
				return 0;
			i += 3;
		} else if (alpha(p[i]) || digit(p[i]) || one_of(p[i], "-._~!$&'()*+,;=")) {
			i++;
		} else {
			break;
		}
	}
	return i;
}

bool ref_authority(const uint8_t *p, size_t len, bool port_needed)
{
	size_t host = uri_host(p, len);
	uint64_t port = 0;

	if (!host)
		return false;
	if (host == len)
		return !port_needed;
	if (p[host] != ':')
		return false;
	for (size_t i = host + 1; i < len; i++) {
		if (!digit(p[i]))
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
		if (port > 65535)
			return false;
	}
	return port || !port_needed;
}

/* ---- heads ---- */

static void refuse(struct ref_message *m, unsigned status)
{
	if (m->head == REF_REFUSED)
		return;
	m->head = REF_REFUSED;
	m->refusal = status;
}

/* Where the line that begins at from ends, by its CRLF; len: it does not. */
static size_t line_end(const uint8_t *in, size_t len, size_t from)
{
	for (size_t i = from; i + 1 < len; i++) {
		if (in[i] == '\r' && in[i + 1] == '\n')
			return i;
	}
	return len;
}

static bool clean(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!field_octet(p[i]))
			return false;
	}
	return true;
}

/* HTTP-version: RFC 9112 section 2.3. */
static void version(struct ref_message *m, const uint8_t *p)
{
	if (memcmp(p, "HTTP/", 5) || !digit(p[5]) || p[6] != '.' || !digit(p[7]))
		refuse(m, 400);
	else if (p[5] != '1')
		refuse(m, 505);
	else
		m->version = p[7] == '0' ? 10 : 11;
}

/* method SP request-target SP HTTP-version */
static void request_line(struct ref_message *m, const uint8_t *in, size_t from, size_t to)
{
	size_t i = from;

	while (i < to && tchar(in[i]))
		i++;
	m->method = (struct ref_part){ from, i - from };
	if (!m->method.len || i == to || in[i] != ' ') {
		refuse(m, 400);
		return;
	}
	if (m->method.len > REF_METHOD_MAX) {
		refuse(m, 501);
		return;
	}
	m->target.at = ++i;
	while (i < to && target_octet(in[i]))
		i++;
	m->target.len = i - m->target.at;
	if (!m->target.len || i == to || in[i] != ' ' || to - i - 1 != 8)
		refuse(m, 400);
	else
		version(m, in + i + 1);
}

/* HTTP-version SP status-code [ SP reason-phrase ]; choice: without the second space, too */
static void status_line(struct ref_message *m, const uint8_t *in, size_t from, size_t to)
{
	const uint8_t *p = in + from;
	size_t len = to - from;

	if (len < 12) {
		refuse(m, 400);
		return;
	}
	version(m, p);
	if (p[8] != ' ' || !digit(p[9]) || !digit(p[10]) || !digit(p[11]) || p[9] == '0' ||
		(len > 12 && p[12] != ' ')) {
		refuse(m, 400);
		return;
	}
	m->status = (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 +
		    (unsigned)(p[11] - '0');
	m->reason =
		len > 12 ? (struct ref_part){ from + 13, len - 13 } : (struct ref_part){ to, 0 };
}

/* field-name ":" OWS field-value OWS */
static void field_line(struct ref_message *m, const uint8_t *in, size_t from, size_t to)
{
	size_t i = from, value;

	while (i < to && tchar(in[i]))
		i++;
	if (i == from || i == to || in[i] != ':') {
		refuse(m, 400);
		return;
	}
	m->fields[m->count].name = (struct ref_part){ from, i - from };
	value = i + 1;
	while (value < to && ows(in[value]))
		value++;
	while (to > value && ows(in[to - 1]))
		to--;
	m->fields[m->count++].value = (struct ref_part){ value, to - value };
}

/* The lines from `from` to an empty one, and what may be wrong with each on its own. 0: none such yet. */
static size_t field_section(struct ref_message *m, uint8_t *in, size_t len, size_t from, bool folds)
{
	size_t at = from, to, lines = 0;

	for (to = line_end(in, len, at); to < len && to > at; to = line_end(in, len, at)) {
		if (!clean(in + at, to - at))
			refuse(m, 400);
		if (ows(in[at])) {
			if (!folds || at == from)
				refuse(m, 400);
			else
				memset(in + at - 2, ' ', 2);
		}
		if (++lines > REF_FIELDS_MAX)
			refuse(m, 431);
		at = to + 2;
	}
	if (to == len)
		return 0;
	for (size_t line = from; line < at && m->head != REF_REFUSED;) {
		size_t end = line_end(in, len, line);

		field_line(m, in, line, end);
		line = end + 2;
	}
	return at + 2;
}

/* *( CRLF ) start-line CRLF *( field-line CRLF ) CRLF */
static void head(struct ref_message *m, uint8_t *in, size_t len, bool request)
{
	size_t at = 0, to;

	while (request && at / 2 < REF_BLANKS_MAX && line_end(in, len, at) == at)
		at += 2;
	to = line_end(in, len, at);
	if (to == len)
		return;
	m->head = REF_ACCEPTED;
	if (to == at || ows(in[at]) || !clean(in + at, to - at))
		refuse(m, 400);
	else if (request)
		request_line(m, in, at, to);
	else
		status_line(m, in, at, to);
	m->head_len = field_section(m, in, len, to + 2, !request);
	if (!m->head_len)
		m->head = REF_INCOMPLETE;
}

/* ---- what fields say ---- */

/* The next element of a list that is not empty: RFC 9110 section 5.6.1. */
static bool element(const uint8_t *p, size_t len, size_t *at, struct ref_part *e)
{
	size_t from, to;

	while (*at <= len) {
		from = *at;
		for (to = from; to < len && p[to] != ',';)
			to++;
		*at = to + 1;
		while (from < to && ows(p[from]))
			from++;
		while (to > from && ows(p[to - 1]))
			to--;
		*e = (struct ref_part){ from, to - from };
		if (e->len)
			return true;
	}
	return false;
}

static bool named(const struct ref_message *m, const uint8_t *in, size_t i, const char *name)
{
	return word(in + m->fields[i].name.at, m->fields[i].name.len, name);
}

static size_t occurrences(const struct ref_message *m, const uint8_t *in, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++)
		n += named(m, in, i, name);
	return n;
}

static void connection_options(struct ref_message *m, const uint8_t *in)
{
	struct ref_part e;

	for (size_t i = 0; i < m->count; i++) {
		const uint8_t *value = in + m->fields[i].value.at;
		size_t at = 0;

		if (!named(m, in, i, "connection"))
			continue;
		while (element(value, m->fields[i].value.len, &at, &e)) {
			m->close = m->close || word(value + e.at, e.len, "close");
			m->keep_alive = m->keep_alive || word(value + e.at, e.len, "keep-alive");
		}
	}
}

/* 0: just chunked. Else the status of the refusal: RFC 9112 sections 6.1 and 6.3 (4). */
static unsigned codings(const struct ref_message *m, const uint8_t *in)
{
	size_t chunked = 0, others = 0;
	bool last_is_chunked = false;
	struct ref_part e;

	for (size_t i = 0; i < m->count; i++) {
		const uint8_t *value = in + m->fields[i].value.at;
		size_t at = 0, here = chunked + others;

		if (!named(m, in, i, "transfer-encoding"))
			continue;
		while (element(value, m->fields[i].value.len, &at, &e)) {
			last_is_chunked = word(value + e.at, e.len, "chunked");
			chunked += last_is_chunked;
			others += !last_is_chunked;
		}
		if (chunked + others == here)
			return 400; /* choice: a field without any coding is no list to be ignored */
	}
	if (!last_is_chunked || chunked > 1)
		return 400;
	return others ? 501 : 0;
}

/* 1*DIGIT; choice: up to 2^63 - 1. */
static bool content_length(const struct ref_message *m, const uint8_t *in, uint64_t *length)
{
	for (size_t i = 0; i < m->count; i++) {
		const uint8_t *value = in + m->fields[i].value.at;

		if (!named(m, in, i, "content-length"))
			continue;
		*length = 0;
		for (size_t k = 0; k < m->fields[i].value.len; k++) {
			if (!digit(value[k]) || *length > INT64_MAX / 10 ||
				*length * 10 > (uint64_t)INT64_MAX - (value[k] - '0'))
				return false;
			*length = *length * 10 + (value[k] - '0');
		}
		return m->fields[i].value.len > 0;
	}
	return false;
}

/* RFC 9112 section 6.3 (3) to (8); choice: both lengths, or two of one, are refused. */
static void framing(struct ref_message *m, const uint8_t *in)
{
	size_t lengths = occurrences(m, in, "content-length");
	unsigned bad;

	if (occurrences(m, in, "transfer-encoding")) {
		bad = codings(m, in);
		if (lengths || m->version < 11)
			refuse(m, 400);
		else if (bad)
			refuse(m, bad);
		m->framing = REF_CHUNKED;
	} else if (lengths) {
		if (lengths > 1 || !content_length(m, in, &m->length))
			refuse(m, 400);
		m->framing = m->length ? REF_LENGTH : REF_NONE;
	}
}

static void host(struct ref_message *m, const uint8_t *in)
{
	size_t hosts = occurrences(m, in, "host");

	if (hosts > 1 || (!hosts && m->version > 10)) {
		refuse(m, 400);
		return;
	}
	for (size_t i = 0; i < m->count; i++) {
		const uint8_t *value = in + m->fields[i].value.at;

		if (!named(m, in, i, "host"))
			continue;
		if (!ref_authority(value, m->fields[i].value.len, false))
			refuse(m, 400);
		m->authority = (const char *)value;
		m->authority_len = m->fields[i].value.len;
	}
}

/* "http" or "https" "://" authority path-abempty [ "?" query ] */
static void absolute_form(struct ref_message *m, const uint8_t *p, size_t len, bool secure)
{
	bool https = len > 8 && word(p, 8, "https://");
	size_t from = https ? 8 : 7, to;

	if (!https && !(len > 7 && word(p, 7, "http://"))) {
		refuse(m, 400);
		return;
	}
	for (to = from; to < len && p[to] != '/' && p[to] != '?';)
		to++;
	/* choice: no query without a path */
	if (!ref_authority(p + from, to - from, false) || (to < len && p[to] == '?'))
		refuse(m, 400);
	if (https != secure)
		refuse(m, 421);
	m->authority = (const char *)p + from;
	m->authority_len = to - from;
	m->path = (const char *)p + to;
	m->path_len = len - to;
	if (to == len) {
		m->path = "/";
		m->path_len = 1;
	}
}

/* RFC 9112 section 3.2 */
static void request_target(struct ref_message *m, const uint8_t *in, bool secure)
{
	const uint8_t *p = in + m->target.at, *method = in + m->method.at;
	bool options = exactly(method, m->method.len, "OPTIONS");
	size_t len = m->target.len;

	m->path = (const char *)p;
	m->path_len = len;
	if (exactly(method, m->method.len, "CONNECT")) {
		if (!ref_authority(p, len, true))
			refuse(m, 400);
		m->authority = (const char *)p;
		m->authority_len = len;
	} else if (exactly(p, len, "*")) {
		if (!options)
			refuse(m, 400);
	} else if (p[0] != '/') {
		absolute_form(m, p, len, secure);
		if (options && m->path && exactly((const uint8_t *)m->path, m->path_len, "/") &&
			m->path != (const char *)p + len - 1)
			m->path = "*";
	}
}

static void expectations(struct ref_message *m, const uint8_t *in)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!named(m, in, i, "expect"))
			continue;
		if (word(in + m->fields[i].value.at, m->fields[i].value.len, "100-continue"))
			m->expect_continue = true;
		else
			refuse(m, 417);
	}
}

/* ---- bodies: RFC 9112 section 7.1 ---- */

/* Behind a chunk's size: [ BWS ";" anything but controls ]; choice: extensions are not taken apart. */
static bool chunk_ext(const uint8_t *p, size_t len)
{
	size_t i = 0;

	while (i < len && ows(p[i]))
		i++;
	if (i == len)
		return len == 0;
	return p[i] == ';' && clean(p, len);
}

/* A chunk's size and the data behind it; choice: at most 15 digits. */
static enum ref_verdict chunk(const uint8_t *in, size_t len, size_t *at, uint64_t *size)
{
	size_t to = line_end(in, len, *at), i = *at;

	*size = 0;
	if (to == len)
		return REF_INCOMPLETE;
	for (; i < to && hexdig(in[i]); i++) {
		if (i - *at == 15)
			return REF_REFUSED;
		*size = *size * 16 + (digit(in[i]) ? (unsigned)(in[i] - '0')
						   : (unsigned)(lower(in[i]) - 'a') + 10);
	}
	if (i == *at || !chunk_ext(in + i, to - i))
		return REF_REFUSED;
	*at = to + 2;
	return REF_ACCEPTED;
}

static void chunked_body(struct ref_message *m, uint8_t *in, size_t len, uint8_t *out, bool folds)
{
	struct ref_message trailer = { .head = REF_ACCEPTED };
	size_t at = m->head_len;
	uint64_t size, here;

	for (;;) {
		m->body = chunk(in, len, &at, &size);
		if (m->body != REF_ACCEPTED)
			return;
		if (!size)
			break;
		here = len - at < size ? len - at : size;
		memcpy(out + m->body_len, in + at, (size_t)here);
		m->body_len += (size_t)here;
		at += (size_t)here;
		if (here < size || len - at < 2) {
			m->body = here == size && len - at == 1 && in[at] != '\r' ? REF_REFUSED
										  : REF_INCOMPLETE;
			return;
		}
		if (in[at] != '\r' || in[at + 1] != '\n') {
			m->body = REF_REFUSED;
			return;
		}
		at += 2;
	}
	m->used = field_section(&trailer, in, len, at, folds);
	m->body = !m->used ? REF_INCOMPLETE : trailer.head;
	m->refusal = trailer.refusal; /* too many fields is another answer than 400 */
}

static void body(struct ref_message *m, uint8_t *in, size_t len, uint8_t *out, bool folds)
{
	size_t rest = len - m->head_len, n;

	m->body = REF_ACCEPTED;
	m->used = m->head_len;
	switch (m->framing) {
	case REF_CHUNKED:
		chunked_body(m, in, len, out, folds);
		return;
	case REF_LENGTH:
		n = rest < m->length ? rest : (size_t)m->length;
		if (n < m->length)
			m->body = REF_INCOMPLETE;
		break;
	case REF_NONE:
		n = 0;
		break;
	default:
		n = rest;
		break;
	}
	if (n)
		memcpy(out, in + m->head_len, n);
	m->body_len = n;
	m->used += n;
}

/* ---- messages ---- */

void ref_request(uint8_t *in, size_t len, bool secure, uint8_t *out, struct ref_message *m)
{
	memset(m, 0, sizeof(*m));
	head(m, in, len, true);
	if (m->head != REF_ACCEPTED)
		return;
	connection_options(m, in);
	framing(m, in);
	/* choice: CONNECT has no body: RFC 9110 section 9.3.6 */
	if (m->framing != REF_NONE && exactly(in + m->method.at, m->method.len, "CONNECT"))
		refuse(m, 400);
	host(m, in);
	request_target(m, in, secure);
	expectations(m, in);
	if (m->head == REF_ACCEPTED)
		body(m, in, len, out, false);
}

void ref_response(uint8_t *in, size_t len, const char *method, uint8_t *out, struct ref_message *m)
{
	memset(m, 0, sizeof(*m));
	head(m, in, len, false);
	if (m->head != REF_ACCEPTED)
		return;
	connection_options(m, in);
	if (m->status == 101 || (m->status / 100 == 2 && !strcmp(method, "CONNECT"))) {
		m->framing = REF_TUNNEL;
	} else if (m->status / 100 == 1 || m->status == 204 || m->status == 304 ||
		   !strcmp(method, "HEAD")) {
		m->framing = REF_NONE;
	} else {
		m->framing = REF_UNTIL_END;
		framing(m, in);
	}
	if (m->head == REF_ACCEPTED)
		body(m, in, len, out, true);
}
