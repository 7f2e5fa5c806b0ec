/* SPDX-License-Identifier: MIT */
/* Finding the end of a head: line structure, allowed characters and limits, one look at each byte. */
#include "roles/http/chars.h"
#include "roles/http/parse.h"
#include "roles/http/run.h"
#include "roles/http/start.h"

enum state {
	LINE_START, /* also the very beginning */
	IN_LINE,
	AFTER_CR,   /* of a line */
	AFTER_LEAD, /* CR of an empty line before a request */
	AFTER_END,  /* CR of the empty line that ends the head */
};

enum { BLANKS_MAX = 4 };

static bool has_start(enum weft_http_kind kind)
{
	return kind == WEFT_HTTP_REQUEST || kind == WEFT_HTTP_RESPONSE;
}

static bool folds(enum weft_http_kind kind)
{
	return kind == WEFT_HTTP_RESPONSE || kind == WEFT_HTTP_RESPONSE_TRAILER;
}

static enum weft_status bad_byte(unsigned char c, struct weft_http_refusal *no)
{
	if (c == '\n')
		return weft_http_refuse(no, 400, "a line ends with LF alone, expected CRLF");
	return weft_http_refuse(no, 400, "a control character in the head");
}

/* A line that was complete at pos: `from` is where it began. */
static enum weft_status line_done(struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, const struct weft_http_bounds *bounds,
	struct weft_http_refusal *no)
{
	struct weft_http_message m;
	size_t fields = ++scan->lines;

	if (has_start(kind)) {
		fields--;
		if (scan->lines == 1) {
			/* judged at once: whoever speaks something else need not be waited for */
			return weft_http_start_line(
				kind, in + scan->start, scan->pos - scan->start - 2, &m, no);
		}
	}
	if (fields > bounds->fields)
		return weft_http_refuse(no, 431, "too many fields");
	return WEFT_OK;
}

static enum weft_status begin_line(struct weft_http_scan *scan, enum weft_http_kind kind,
	unsigned char c, struct weft_http_refusal *no)
{
	bool first = !scan->lines && has_start(kind);

	if (c == '\r') {
		if (first && kind == WEFT_HTTP_RESPONSE)
			return weft_http_refuse(no, 400, "an empty line, expected a status line");
		if (first && scan->blanks++ == BLANKS_MAX)
			return weft_http_refuse(no, 400, "only empty lines");
		scan->state = first ? AFTER_LEAD : AFTER_END;
		return WEFT_OK;
	}
	if (c == ' ' || c == '\t') {
		if (first)
			return weft_http_refuse(no, 400, "white space before the start line");
		/* RFC 9112 section 5.2: servers refuse, user agents read on */
		if (!folds(kind) || scan->lines == has_start(kind))
			return weft_http_refuse(
				no, 400, "a line begins with white space (obsolete folding)");
		scan->folded = true;
		scan->state = IN_LINE;
		return WEFT_OK;
	}
	if (!weft_http_is(c, WEFT_HTTP_VALUE))
		return bad_byte(c, no);
	scan->state = IN_LINE;
	return WEFT_OK;
}

static enum weft_status after_cr(struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, const struct weft_http_bounds *bounds,
	struct weft_http_refusal *no)
{
	if (in[scan->pos - 1] != '\n')
		return weft_http_refuse(no, 400, "CR without LF");
	switch (scan->state) {
	case AFTER_LEAD:
		scan->start = scan->pos;
		scan->state = LINE_START;
		return WEFT_OK;
	case AFTER_CR:
		scan->state = LINE_START;
		return line_done(scan, kind, in, bounds, no);
	default:
		return WEFT_OK;
	}
}

/* From within a line to its end, or to the end of what is there. */
static enum weft_status in_line(struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, uint32_t end, const struct weft_http_bounds *bounds,
	struct weft_http_refusal *no)
{
	uint32_t pos = scan->pos + (uint32_t)weft_http_run(in + scan->pos, end - scan->pos);

	if (end - pos >= 2 && in[pos] == '\r' && in[pos + 1] == '\n') {
		scan->pos = pos + 2;
		scan->state = LINE_START;
		return line_done(scan, kind, in, bounds, no);
	}
	scan->pos = pos;
	if (pos == end)
		return WEFT_OK;
	scan->pos++;
	if (in[pos] != '\r')
		return bad_byte(in[pos], no);
	scan->state = AFTER_CR;
	return WEFT_OK;
}

enum weft_status weft_http_scan(struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, size_t len, const struct weft_http_bounds *bounds,
	struct weft_http_refusal *no)
{
	uint32_t end = len < bounds->bytes ? (uint32_t)len : bounds->bytes;
	enum weft_status st = WEFT_OK;
	bool last;

	while (st == WEFT_OK && scan->pos < end) {
		switch (scan->state) {
		case LINE_START:
			if (!weft_http_is(in[scan->pos], WEFT_HTTP_TOKEN)) {
				st = begin_line(scan, kind, in[scan->pos++], no);
				break;
			}
			scan->state = IN_LINE; /* what it nearly always is */
					       /* fallthrough */
		case IN_LINE:
			st = in_line(scan, kind, in, end, bounds, no);
			break;
		default:
			last = scan->state == AFTER_END;
			scan->pos++;
			st = after_cr(scan, kind, in, bounds, no);
			if (st == WEFT_OK && last)
				return WEFT_OK;
		}
	}
	if (st)
		return st;
	if (len < bounds->bytes)
		return WEFT_AGAIN;
	if (!scan->lines && kind == WEFT_HTTP_REQUEST)
		return weft_http_refuse(no, 414, "the request line is too long");
	return weft_http_refuse(no, 431, "the head is too large");
}
