/* SPDX-License-Identifier: MIT */
/* Where a value stands in a text that is known to be JSON: RFC 8259. */
#include <string.h>

#include "core/policy/load.h"

struct walk {
	const unsigned char *at, *end;
};

static void skip_space(struct walk *w)
{
	while (w->at < w->end && strchr(" \t\r\n", *w->at) && *w->at)
		w->at++;
}

static unsigned char here(struct walk *w)
{
	skip_space(w);
	return w->at < w->end ? *w->at : '\0';
}

static void skip_string(struct walk *w)
{
	w->at++;
	while (w->at < w->end && *w->at != '"')
		w->at += *w->at == '\\' && w->at + 1 < w->end ? 2 : 1;
	w->at += w->at < w->end;
}

/* Whatever it is; depth is bounded by what the parser before us took. */
static void skip_value(struct walk *w)
{
	unsigned depth = 0;

	do {
		switch (here(w)) {
		case '"':
			skip_string(w);
			break;
		case '{':
		case '[':
			depth++;
			w->at++;
			break;
		case '}':
		case ']':
			depth--;
			w->at++;
			break;
		case ',':
		case ':':
			w->at++;
			break;
		case '\0':
			if (w->at >= w->end)
				return;
			w->at++;
			break;
		default:
			while (w->at < w->end && !strchr(" \t\r\n,:]}", *w->at))
				w->at++;
		}
	} while (depth && w->at < w->end);
}

/* Names with escapes are compared as they are meant: the parser's own reading of them. */
static bool is_called(const unsigned char *from, const unsigned char *to, const char *key)
{
	size_t len = strlen(key);
	json_t *name;
	bool same;

	if (!memchr(from, '\\', (size_t)(to - from)))
		return (size_t)(to - from) == len + 2 && !memcmp(from + 1, key, len);
	name = json_loadb((const char *)from, (size_t)(to - from), JSON_DECODE_ANY, NULL);
	same = name && !strcmp(json_string_value(name), key);
	json_decref(name);
	return same;
}

/* Stands at an object: moves to the member's name, or to its value. */
static bool enter_member(struct walk *w, const char *key, bool stay)
{
	const unsigned char *from;

	if (here(w) != '{')
		return false;
	w->at++;
	while (here(w) == '"') {
		from = w->at;
		skip_string(w);
		if (is_called(from, w->at, key)) {
			if (stay)
				w->at = from;
			else if (here(w) == ':')
				w->at++;
			return true;
		}
		if (here(w) == ':')
			w->at++;
		skip_value(w);
		if (here(w) == ',')
			w->at++;
	}
	return false;
}

static bool enter_element(struct walk *w, size_t index)
{
	if (here(w) != '[')
		return false;
	w->at++;
	while (index--) {
		skip_value(w);
		if (here(w) != ',')
			return false;
		w->at++;
	}
	return true;
}

size_t weft_load_place(
	struct weft_span json, const struct weft_load_step *steps, size_t depth, bool of_name)
{
	struct walk w = { json.ptr, json.ptr + json.len };
	const unsigned char *reached = w.at;

	for (size_t i = 0; i < depth; i++) {
		bool stay = of_name && i + 1 == depth;

		if (!(steps[i].key ? enter_member(&w, steps[i].key, stay)
				   : enter_element(&w, steps[i].index)))
			return (size_t)(reached - json.ptr);
		skip_space(&w);
		reached = w.at;
	}
	skip_space(&w);
	return (size_t)(w.at - json.ptr);
}
