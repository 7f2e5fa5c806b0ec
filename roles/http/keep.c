/* SPDX-License-Identifier: MIT */
/* One copy of a head's bytes; the spans move with it, and get their terminators where delimiters were. */
#include "roles/http/keep.h"

#include <string.h>

static char *moved(const struct weft_http_kept *kept, const void *ptr)
{
	return kept->text + ((const unsigned char *)ptr - kept->from.ptr);
}

static void lower(char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] | 0x20);
	}
}

enum weft_status weft_http_keep(struct weft_stream *stream, const struct weft_span *head,
	const struct weft_http_message *m, struct weft_http_kept *kept)
{
	size_t table = m->count * sizeof(*kept->fields);

	/* a byte more, because a value may end where the head does */
	kept->fields = weft_role_alloc(stream, table + head->len + 1);
	if (!kept->fields)
		return WEFT_ERR_MEMORY;
	kept->from = *head;
	kept->text = (char *)kept->fields + table;
	memcpy(kept->text, head->ptr, head->len);
	for (size_t i = 0; i < m->count; i++) {
		const struct weft_field *f = &m->fields[i];
		char *name = moved(kept, f->name), *value = moved(kept, f->value);

		lower(name, f->name_len);
		name[f->name_len] = '\0';
		value[f->value_len] = '\0';
		kept->fields[i] = (struct weft_field){ name, f->name_len, value, f->value_len };
	}
	return WEFT_OK;
}

const char *weft_http_kept_text(struct weft_stream *stream, const struct weft_http_kept *kept,
	const struct weft_span *span, bool end)
{
	char *text;

	if (end && span->ptr >= kept->from.ptr && span->ptr < kept->from.ptr + kept->from.len) {
		text = moved(kept, span->ptr);
	} else {
		text = weft_role_alloc(stream, span->len + 1);
		if (!text)
			return NULL;
		memcpy(text, span->ptr, span->len);
	}
	text[span->len] = '\0';
	return text;
}
