/* SPDX-License-Identifier: MIT */
/* Heads in pieces. */
#include "tests/support/http_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Memory of its own for each look: a sanitizer sees who reads on. */
static void show(struct http_feed *f, const char *text, size_t len)
{
	free(f->bytes);
	f->bytes = malloc(len ? len : 1);
	assert_non_null(f->bytes);
	memcpy(f->bytes, text, len);
	f->len = len;
}

void http_feed(struct http_feed *f, enum weft_http_kind kind, const char *text, size_t len,
	const struct weft_http_bounds *bounds, size_t first, size_t step)
{
	*f = (struct http_feed){ .status = WEFT_AGAIN };
	for (size_t have = first < len ? first : len;;) {
		show(f, text, have);
		f->status = weft_http_scan(&f->scan, kind, f->bytes, have, bounds, &f->no);
		assert_true(f->scan.pos <= have);
		if (f->status != WEFT_AGAIN || have == len)
			break;
		/* all that is there was looked at */
		assert_int_equal(f->scan.pos, have);
		have = len - have < step ? len : have + step;
	}
	if (f->status)
		return;
	assert_true(f->scan.lines <= HTTP_FEED_FIELDS);
	if (f->scan.folded)
		weft_http_unfold(f->bytes, f->scan.pos);
	f->m.fields = f->fields;
	f->status = weft_http_parse(&f->scan, kind, f->bytes, &f->m, &f->no);
}

void http_feed_done(struct http_feed *f)
{
	free(f->bytes);
	f->bytes = NULL;
}

static void same_span(const struct http_feed *a, const void *in_a, size_t len_a,
	const struct http_feed *b, const void *in_b, size_t len_b)
{
	assert_int_equal(len_a, len_b);
	if (!in_a) {
		assert_null(in_b);
		return;
	}
	assert_int_equal(
		(const unsigned char *)in_a - a->bytes, (const unsigned char *)in_b - b->bytes);
	assert_true((const unsigned char *)in_a >= a->bytes);
	assert_true((size_t)((const unsigned char *)in_a - a->bytes) + len_a <= a->scan.pos);
}

static void same(const struct http_feed *a, const struct http_feed *b)
{
	const struct weft_http_message *m = &a->m, *n = &b->m;

	assert_int_equal(a->status, b->status);
	assert_int_equal(a->no.status, b->no.status);
	assert_ptr_equal(a->no.why, b->no.why);
	assert_int_equal(a->scan.pos, b->scan.pos);
	assert_int_equal(a->scan.lines, b->scan.lines);
	if (a->status)
		return;
	same_span(a, m->method.ptr, m->method.len, b, n->method.ptr, n->method.len);
	same_span(a, m->target.ptr, m->target.len, b, n->target.ptr, n->target.len);
	same_span(a, m->reason.ptr, m->reason.len, b, n->reason.ptr, n->reason.len);
	assert_int_equal(m->status, n->status);
	assert_int_equal(m->version, n->version);
	assert_int_equal(m->count, n->count);
	for (size_t i = 0; i < m->count; i++) {
		const struct weft_field *f = &m->fields[i], *g = &n->fields[i];

		same_span(a, f->name, f->name_len, b, g->name, g->name_len);
		same_span(a, f->value, f->value_len, b, g->value, g->value_len);
	}
}

void http_feed_all_ways(struct http_feed *f, enum weft_http_kind kind, const char *text, size_t len,
	const struct weft_http_bounds *bounds)
{
	struct http_feed other;

	http_feed(f, kind, text, len, bounds, len, 1);
	for (size_t cut = 0; cut < len; cut++) {
		http_feed(&other, kind, text, len, bounds, cut, len);
		same(f, &other);
		http_feed_done(&other);
	}
	http_feed(&other, kind, text, len, bounds, 0, 1);
	same(f, &other);
	http_feed_done(&other);
}
