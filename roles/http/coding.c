/* SPDX-License-Identifier: MIT */
/* Which coding suits a client. */
#include "roles/http/coding.h"

#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/encoders.h"

const struct weft_http_coding_words weft_http_codings[WEFT_HTTP_CODINGS] = {
	[WEFT_HTTP_BROTLI] = { "br", ".br", "-br" },
	[WEFT_HTTP_GZIP] = { "gzip", ".gz", "-gz" },
	[WEFT_HTTP_IDENTITY] = { "identity", "", "" },
};

static void skip_space(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
}

/* "0", "0.123", "1", "1.000": RFC 9110 section 12.4.2. */
static bool qvalue(const char *p, const char *end, unsigned *q)
{
	unsigned unit = 100;

	if (p == end || (*p != '0' && *p != '1'))
		return false;
	*q = *p++ == '1' ? 1000 : 0;
	if (p == end)
		return true;
	if (*p++ != '.')
		return false;
	for (; p < end && unit && *p >= '0' && *p <= '9'; p++, unit /= 10)
		*q += unit * (unsigned)(*p - '0');
	return p == end && *q <= 1000;
}

/* "coding" or "coding;q=0.5". */
static bool element(const struct weft_span *item, struct weft_span *name, unsigned *q)
{
	const char *p = (const char *)item->ptr, *end = p + item->len, *begin = p;

	while (p < end && weft_http_is((unsigned char)*p, WEFT_HTTP_TOKEN))
		p++;
	*name = (struct weft_span){ (const unsigned char *)begin, (size_t)(p - begin) };
	*q = 1000;
	skip_space(&p, end);
	if (p == end)
		return name->len > 0;
	if (!name->len || *p++ != ';')
		return false;
	skip_space(&p, end);
	if (end - p < 2 || (*p | 0x20) != 'q' || p[1] != '=')
		return false;
	return qvalue(p + 2, end, q);
}

static enum weft_http_coding coding_of(const struct weft_span *name)
{
	const char *text = (const char *)name->ptr;

	for (unsigned c = 0; c < WEFT_HTTP_CODINGS; c++) {
		if (weft_http_same(text, name->len, weft_http_codings[c].name))
			return c;
	}
	/* RFC 9110 section 8.4.1.3 */
	return weft_http_same(text, name->len, "x-gzip") ? WEFT_HTTP_GZIP : WEFT_HTTP_CODINGS;
}

struct weights {
	unsigned *q;
	bool said[WEFT_HTTP_CODINGS];
	unsigned any; /* of "*" */
	bool any_said;
};

static void take(struct weights *w, const struct weft_span *item)
{
	enum weft_http_coding coding;
	struct weft_span name;
	unsigned q;

	if (!element(item, &name, &q))
		return;
	if (name.len == 1 && name.ptr[0] == '*') {
		w->any = q;
		w->any_said = true;
		return;
	}
	coding = coding_of(&name);
	if (coding == WEFT_HTTP_CODINGS)
		return;
	w->q[coding] = q;
	w->said[coding] = true;
}

void weft_http_accepted(const struct weft_head *request, unsigned q[WEFT_HTTP_CODINGS])
{
	struct weights w = { .q = q };

	q[WEFT_HTTP_BROTLI] = q[WEFT_HTTP_GZIP] = 0;
	q[WEFT_HTTP_IDENTITY] = 1;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct weft_field *f = &request->fields[i];
		struct weft_span rest = { (const unsigned char *)f->value, f->value_len }, item;

		if (!weft_http_same(f->name, f->name_len, "accept-encoding"))
			continue;
		while (weft_http_list_next(&rest, &item))
			take(&w, &item);
	}
	if (!w.any_said)
		return;
	for (unsigned c = 0; c < WEFT_HTTP_CODINGS; c++) {
		if (!w.said[c] && (c != WEFT_HTTP_IDENTITY || !w.any))
			q[c] = w.any;
	}
}

enum weft_http_coding weft_http_best_coding(const unsigned q[WEFT_HTTP_CODINGS], unsigned but)
{
	enum weft_http_coding best = WEFT_HTTP_CODINGS;

	for (unsigned c = 0; c < WEFT_HTTP_CODINGS; c++) {
		if (!(but & 1u << c) && q[c] && (best == WEFT_HTTP_CODINGS || q[c] > q[best]))
			best = c;
	}
	return best;
}

const struct weft_http_encoder_ops *weft_http_encoder(enum weft_http_coding coding)
{
	switch (coding) {
#ifdef WEFT_WITH_BROTLI
	case WEFT_HTTP_BROTLI:
		return &weft_http_brotli;
#endif
#ifdef WEFT_WITH_GZIP
	case WEFT_HTTP_GZIP:
		return &weft_http_gzip;
#endif
	default:
		return NULL;
	}
}
