/* SPDX-License-Identifier: MIT */
/* weft serve: roles that modules bring, at listeners and routes of theirs. */
#include <stdio.h>
#include <string.h>

#include "serve.h"

bool serve_others_add_file(struct serve_others *r, const char *file)
{
	if (r->file_count == OTHERS_MAX) {
		fprintf(stderr, "weft serve: more than %d plugins\n", OTHERS_MAX);
		return false;
	}
	r->files[r->file_count++] = file;
	return true;
}

bool serve_others_add_route(struct serve_others *r, const char *text)
{
	const char *name = strrchr(text, '=');

	if (text[0] != '/' || !name || !name[1] || (size_t)(name - text) >= sizeof(r->paths[0])) {
		fprintf(stderr, "weft serve: --route \"%s\": expected /PATH=ROLE\n", text);
		return false;
	}
	if (r->count == OTHERS_MAX) {
		fprintf(stderr, "weft serve: more than %d routes\n", OTHERS_MAX);
		return false;
	}
	snprintf(r->paths[r->count], sizeof(r->paths[0]), "%.*s", (int)(name - text), text);
	r->names[r->count++] = name + 1;
	return true;
}

enum weft_status serve_others_load(
	const struct serve_others *r, struct weft_registry *registry, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	for (size_t i = 0; i < r->file_count && st == WEFT_OK; i++)
		st = weft_registry_load(registry, r->files[i], err);
	return st;
}

/* Of a listener of theirs; HTTP has the same table, and no such path. */
static enum weft_status otherwise(struct weft_stream *s, void *user)
{
	if (weft_stream_request(s)->method)
		return weft_http_error(s, 404);
	return route_echo_bytes(s, user);
}

struct weft_route *serve_others_routes(const struct serve_others *r, struct weft_route *to)
{
	for (size_t i = 0; i < r->count; i++)
		*to++ = (struct weft_route){
			.path = r->paths[i],
			.role = r->names[i],
			.on_request = route_echo_bytes,
		};
	if (r->listens)
		*to++ = (struct weft_route){ .prefix = "", .on_request = otherwise };
	return to;
}
