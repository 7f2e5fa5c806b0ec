/* SPDX-License-Identifier: MIT */
/* Fields and heads. */
#include "core/base/field.h"

#include <string.h>
#include <strings.h>

struct weft_field weft_field(const char *name, const char *value)
{
	return (struct weft_field){ name, strlen(name), value, strlen(value) };
}

const struct weft_field *weft_head_find(const struct weft_head *head, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; head && i < head->field_count; i++) {
		const struct weft_field *f = &head->fields[i];

		if (f->name_len == len && !strncasecmp(f->name, name, len))
			return f;
	}
	return NULL;
}

static void copy_text(struct weft_arena *arena, const char **text)
{
	if (*text)
		*text = weft_arena_text(arena, *text, strlen(*text));
}

static char *copy_name(struct weft_arena *arena, const char *name, size_t len)
{
	char *copy = weft_arena_text(arena, name, len);

	for (size_t i = 0; copy && i < len; i++) {
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] | 0x20);
	}
	return copy;
}

enum weft_status weft_head_copy(
	struct weft_arena *arena, struct weft_head *to, const struct weft_head *from)
{
	struct weft_head h = *from;
	struct weft_field *fields = NULL;

	if (h.field_count) {
		fields = weft_arena_alloc(arena, h.field_count * sizeof(*fields));
		if (!fields)
			return WEFT_ERR_MEMORY;
	}
	for (size_t i = 0; i < h.field_count; i++) {
		fields[i] = from->fields[i];
		fields[i].name = copy_name(arena, fields[i].name, fields[i].name_len);
		fields[i].value = weft_arena_text(arena, fields[i].value, fields[i].value_len);
		if (!fields[i].name || !fields[i].value)
			return WEFT_ERR_MEMORY;
	}
	h.fields = fields;
	copy_text(arena, &h.method);
	copy_text(arena, &h.scheme);
	copy_text(arena, &h.authority);
	copy_text(arena, &h.target);
	if ((from->method && !h.method) || (from->scheme && !h.scheme) ||
		(from->authority && !h.authority) || (from->target && !h.target))
		return WEFT_ERR_MEMORY;
	*to = h;
	return WEFT_OK;
}
