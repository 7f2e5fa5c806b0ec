/* SPDX-License-Identifier: MIT */
/* A head on its way in: collected field by field, within its bounds, and moved to its stream when it is whole. */
#include <string.h>

#include "roles/h2/h2.h"

enum {
	FIELD_COST = 32, /* what a field counts besides its bytes: RFC 9113 section 6.5.2 */
	OVER_FACTOR = 4, /* so much of a head over the limit is decoded before the peer is left */
};

void weft_h2_block_begin(struct weft_h2 *h)
{
	struct weft_h2_block *b = &h->block;

	/* one that was broken off, and never ended, may be there still */
	weft_h2_block_end(h);
	b->active = true;
	b->over = false;
	b->cookies = b->cookie_bytes = b->count = b->size = 0;
	h->block_us = weft_pipe_now(h->pipe);
}

static bool is_cookie(const char *name, size_t len)
{
	return len == 6 && !memcmp(name, "cookie", 6);
}

/* nghttp2 lets none pass that it does not know. */
static int pseudo_of(const nghttp2_vec *name)
{
	if (!name->len || name->base[0] != ':')
		return WEFT_H2_PSEUDOS;
	switch (name->len) {
	case 5:
		return WEFT_H2_PATH;
	case 7:
		return name->base[1] == 'm'   ? WEFT_H2_METHOD
		       : name->base[2] == 'c' ? WEFT_H2_SCHEME
					      : WEFT_H2_STATUS;
	case 9:
		return WEFT_H2_PROTOCOL;
	default:
		return WEFT_H2_AUTHORITY;
	}
}

/* Bounds of the bytes and of the fields; crumbs of a cookie are one field, and bytes all the same. */
static bool fits(const struct weft_h2 *h)
{
	const struct weft_h2_block *b = &h->block;
	size_t fields = b->count - b->cookies + (b->cookies > 0);

	return b->size <= h->limits->header_bytes && fields <= h->limits->header_count;
}

/* Into the text, terminated. */
static uint32_t put_text(struct weft_buffer *text, unsigned char *to, const nghttp2_vec *v)
{
	uint32_t at = (uint32_t)weft_buffer_len(text);

	memcpy(to, v->base, v->len);
	to[v->len] = '\0';
	weft_buffer_commit(text, v->len + 1);
	return at;
}

static void put(struct weft_h2_block *b, struct weft_h2_entry *e, bool name_stays,
	const nghttp2_vec *name, bool value_stays, const nghttp2_vec *value)
{
	unsigned char *to = weft_buffer_reserve(&b->text, name->len + value->len + 2);

	if (!to)
		return;
	if (name_stays)
		e->name_of = (const char *)name->base;
	else
		e->name = put_text(&b->text, to, name);
	if (value_stays)
		e->value_of = (const char *)value->base;
	else
		e->value = put_text(&b->text, to + (name_stays ? 0 : name->len + 1), value);
	weft_buffer_append(&b->table, e, sizeof(*e));
}

void weft_h2_block_add(struct weft_h2 *h, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
	const nghttp2_vec n = nghttp2_rcbuf_get_buf(name), v = nghttp2_rcbuf_get_buf(value);
	struct weft_h2_block *b = &h->block;
	struct weft_h2_entry e = { .name_len = (uint32_t)n.len, .value_len = (uint32_t)v.len };

	b->size += n.len + v.len + FIELD_COST;
	e.pseudo = pseudo_of(&n);
	if (e.pseudo == WEFT_H2_PSEUDOS) {
		b->count++;
		if (is_cookie((const char *)n.base, n.len)) {
			b->cookies++;
			b->cookie_bytes += v.len + 2;
		}
	}
	if (!b->over && !fits(h)) {
		b->over = true;
		weft_buffer_consume(&b->text, weft_buffer_len(&b->text));
		weft_buffer_consume(&b->table, weft_buffer_len(&b->table));
	}
	if (b->size > (size_t)OVER_FACTOR * h->limits->header_bytes)
		h->calm = true;
	if (b->over)
		return;
	put(b, &e, nghttp2_rcbuf_is_static(name), &n, nghttp2_rcbuf_is_static(value), &v);
}

static const char *name_of(const struct weft_h2_entry *e, const char *text)
{
	return e->name_of ? e->name_of : text + e->name;
}

static const char *value_of(const struct weft_h2_entry *e, const char *text)
{
	return e->value_of ? e->value_of : text + e->value;
}

static bool first_of(const struct weft_field *known, const struct weft_field *f, const char *name)
{
	return !known && !memcmp(f->name, name, f->name_len);
}

/* Those that the role asks for itself; names are in lower case. */
static void note(struct weft_h2_head *head, const struct weft_field *f)
{
	if (f->name_len == 4 && first_of(head->host, f, "host"))
		head->host = f;
	else if (f->name_len == 6 && first_of(head->expect, f, "expect"))
		head->expect = f;
	else if (f->name_len == 14 && first_of(head->length, f, "content-length"))
		head->length = f;
}

/* Puts the crumbs together, behind the text. */
static void join_cookies(struct weft_h2_head *head, const char *text, char *room,
	const struct weft_h2_entry *table, size_t entries)
{
	struct weft_field *f = &head->fields[head->count++];

	*f = (struct weft_field){ .name = "cookie", .name_len = 6, .value = room };
	for (size_t i = 0; i < entries; i++) {
		const struct weft_h2_entry *e = &table[i];

		if (!is_cookie(name_of(e, text), e->name_len))
			continue;
		if (f->value_len) {
			memcpy(room + f->value_len, "; ", 2);
			f->value_len += 2;
		}
		memcpy(room + f->value_len, value_of(e, text), e->value_len);
		f->value_len += e->value_len;
	}
	room[f->value_len] = '\0';
}

bool weft_h2_block_keep(
	struct weft_h2 *h, struct weft_stream *s, size_t extra, struct weft_h2_head *head)
{
	struct weft_h2_block *b = &h->block;
	const struct weft_h2_entry *table = (const void *)weft_buffer_bytes(&b->table);
	size_t entries = weft_buffer_len(&b->table) / sizeof(*table);
	size_t len = weft_buffer_len(&b->text), fields = (b->count + extra) * sizeof(*head->fields);
	char *text;

	*head = (struct weft_h2_head){ .fields = NULL };
	if (b->text.failed || b->table.failed)
		return false;
	head->fields = weft_role_alloc(s, fields + len + b->cookie_bytes + 1);
	if (!head->fields)
		return false;
	text = (char *)head->fields + fields;
	if (len)
		memcpy(text, weft_buffer_bytes(&b->text), len);
	for (size_t i = 0; i < entries; i++) {
		const struct weft_h2_entry *e = &table[i];

		if (e->pseudo != WEFT_H2_PSEUDOS) {
			head->pseudo[e->pseudo] = value_of(e, text);
			head->pseudo_len[e->pseudo] = e->value_len;
		} else if (b->cookies < 2 || !is_cookie(name_of(e, text), e->name_len)) {
			struct weft_field *f = &head->fields[head->count++];

			*f = (struct weft_field){ name_of(e, text), e->name_len, value_of(e, text),
				e->value_len };
			note(head, f);
		}
	}
	if (b->cookies > 1)
		join_cookies(head, text, text + len, table, entries);
	return true;
}

void weft_h2_block_end(struct weft_h2 *h)
{
	struct weft_h2_block *b = &h->block;

	b->active = false;
	if (b->text.failed || b->table.failed) {
		weft_h2_block_finish(h);
		return;
	}
	weft_buffer_consume(&b->text, weft_buffer_len(&b->text));
	weft_buffer_consume(&b->table, weft_buffer_len(&b->table));
}

void weft_h2_block_finish(struct weft_h2 *h)
{
	weft_buffer_finish(&h->block.text);
	weft_buffer_finish(&h->block.table);
	weft_buffer_init(&h->block.text, h->alloc);
	weft_buffer_init(&h->block.table, h->alloc);
}
