/* SPDX-License-Identifier: MIT */
/* Fields on their way out: nghttp2's tables, made of what the application gave. */
#include <stdio.h>
#include <string.h>

#include "roles/h2/h2.h"
#include "roles/http/chars.h"

enum { MADE_FIELDS = 8 };

bool weft_h2_nv_begin(struct weft_h2_nv *nv, const struct weft_h2 *h, size_t count)
{
	nv->alloc = h->alloc;
	nv->count = 0;
	nv->cap = WEFT_H2_FIELDS;
	nv->nv = nv->small;
	if (count + MADE_FIELDS <= WEFT_H2_FIELDS)
		return true;
	nv->cap = count + MADE_FIELDS;
	nv->nv = weft_alloc(nv->alloc, nv->cap * sizeof(*nv->nv));
	return nv->nv != NULL;
}

void weft_h2_nv_end(struct weft_h2_nv *nv)
{
	if (nv->nv != nv->small)
		weft_free(nv->alloc, nv->nv, nv->cap * sizeof(*nv->nv));
}

static void add(struct weft_h2_nv *nv, const char *name, size_t name_len, const char *value,
	size_t value_len, uint8_t flags)
{
	nv->nv[nv->count++] = (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.namelen = name_len,
		.value = (uint8_t *)(uintptr_t)value,
		.valuelen = value_len,
		.flags = flags,
	};
}

void weft_h2_nv_put(struct weft_h2_nv *nv, const char *name, size_t name_len, const char *value,
	size_t value_len)
{
	add(nv, name, name_len, value, value_len, NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

void weft_h2_nv_status(struct weft_h2_nv *nv, unsigned status)
{
	char *text = nv->numbers[0];

	text[0] = (char)('0' + status / 100 % 10);
	text[1] = (char)('0' + status / 10 % 10);
	text[2] = (char)('0' + status % 10);
	weft_h2_nv_put(nv, ":status", 7, text, 3);
}

void weft_h2_nv_length(struct weft_h2_nv *nv, uint64_t length)
{
	char *text = nv->numbers[1];
	size_t i = sizeof(nv->numbers[1]), end = i;

	do {
		text[--i] = (char)('0' + length % 10);
		length /= 10;
	} while (length);
	weft_h2_nv_put(nv, "content-length", 14, text + i, end - i);
}

/* What concerns a connection of HTTP/1 alone. */
static bool is_of_connection(const struct weft_field *f)
{
	switch (f->name_len) {
	case 2:
		return weft_http_same_bytes(f->name, "te", 2) &&
		       !weft_http_same(f->value, f->value_len, "trailers");
	case 7:
		return weft_http_same_bytes(f->name, "upgrade", 7);
	case 10:
		return weft_http_same_bytes(f->name, "connection", 10) ||
		       weft_http_same_bytes(f->name, "keep-alive", 10);
	case 16:
		return weft_http_same_bytes(f->name, "proxy-connection", 16);
	default:
		return false;
	}
}

/* The name as it has to be, if it is one of those that most heads have; or nghttp2 makes a copy in lower case. */
static void add_field(struct weft_h2_nv *nv, const struct weft_field *f)
{
	static const char *const common[] = { [4] = "etag",
		[6] = "server",
		[12] = "content-type",
		[13] = "cache-control",
		[14] = "content-length",
		[16] = "content-encoding" };
	const char *name =
		f->name_len < sizeof(common) / sizeof(*common) ? common[f->name_len] : NULL;

	if (name && weft_http_same_bytes(f->name, name, f->name_len))
		weft_h2_nv_put(nv, name, f->name_len, f->value, f->value_len);
	else
		add(nv, f->name, f->name_len, f->value, f->value_len, NGHTTP2_NV_FLAG_NONE);
}

void weft_h2_nv_fields(struct weft_h2_nv *nv, const struct weft_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_of_connection(&fields[i]))
			add_field(nv, &fields[i]);
	}
}

static const char *copy(char **to, const char *text, size_t len)
{
	char *at = *to;

	memcpy(at, text, len);
	*to += len;
	return at;
}

bool weft_h2_keep_trailer(struct weft_h2_stream *hs)
{
	const struct weft_head *from = hs->trailer;
	struct weft_field *fields;
	size_t len = sizeof(*from);
	char *text;

	if (!from || !from->field_count || from == hs->kept_trailer)
		return true;
	for (size_t i = 0; i < from->field_count; i++)
		len += sizeof(*fields) + from->fields[i].name_len + from->fields[i].value_len;
	hs->kept_trailer = weft_alloc(hs->h->alloc, len);
	if (!hs->kept_trailer)
		return false;
	hs->kept_trailer_len = len;
	fields = (struct weft_field *)(hs->kept_trailer + 1);
	text = (char *)(fields + from->field_count);
	*hs->kept_trailer =
		(struct weft_head){ .fields = fields, .field_count = from->field_count };
	for (size_t i = 0; i < from->field_count; i++) {
		const struct weft_field *f = &from->fields[i];

		fields[i].name = copy(&text, f->name, f->name_len);
		fields[i].name_len = f->name_len;
		fields[i].value = copy(&text, f->value, f->value_len);
		fields[i].value_len = f->value_len;
	}
	hs->trailer = hs->kept_trailer;
	return true;
}
