/* SPDX-License-Identifier: MIT */
/* weft serve: files, named vhosts, and rules for caches. */
#include "serve_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { URL_BYTES = 256 };

/* The first one, of --root, is called localhost. */
static bool is_taken(const struct serve_files *f, const char *name)
{
	bool taken = !strcasecmp(name, "localhost");

	for (size_t i = 0; i < f->named_count; i++)
		taken |= !strcasecmp(name, f->named[i].name);
	return taken;
}

bool serve_files_add_vhost(struct serve_files *f, const char *text)
{
	const char *equals = strchr(text, '=');
	struct named_vhost *v = &f->named[f->named_count];

	if (!equals || equals == text || !equals[1] || (size_t)(equals - text) >= sizeof(v->name)) {
		fprintf(stderr, "weft serve: --vhost \"%s\": expected NAME=DIR\n", text);
		return false;
	}
	if (f->named_count == NAMED_MAX) {
		fprintf(stderr, "weft serve: more than %d times --vhost\n", NAMED_MAX);
		return false;
	}
	snprintf(v->name, sizeof(v->name), "%.*s", (int)(equals - text), text);
	if (is_taken(f, v->name)) {
		fprintf(stderr, "weft serve: --vhost \"%s\": there is a vhost of that name\n",
			text);
		return false;
	}
	v->files.directory = equals + 1;
	f->named_count++;
	return true;
}

bool serve_files_add_rule(struct serve_files *f, const char *text)
{
	char *copy = f->rules_text[f->rule_count], *equals;

	if (f->rule_count == CACHE_RULES_MAX) {
		fprintf(stderr, "weft serve: more than %d times --cache-control\n",
			CACHE_RULES_MAX);
		return false;
	}
	snprintf(copy, sizeof(f->rules_text[0]), "%s", text);
	equals = strchr(copy, '=');
	if (!equals || equals == copy || strlen(text) >= sizeof(f->rules_text[0])) {
		fprintf(stderr,
			"weft serve: --cache-control \"%.100s\": expected PATTERN=VALUE, as in "
			"\"*.css=max-age=3600\"\n",
			text);
		return false;
	}
	*equals = 0;
	f->rules[f->rule_count++] =
		(struct weft_files_cache){ .pattern = copy, .value = equals + 1 };
	return true;
}

static bool is_directory(const char *option, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "weft serve: %s %s: %s\n", option, path, strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

bool serve_files_ready(struct serve_files *f, const char *root)
{
	f->root.directory = root;
	f->root.listing = f->listing;
	f->root.cache = f->rules;
	if (root && !is_directory("--root", root))
		return false;
	for (size_t i = 0; i < f->named_count; i++) {
		struct named_vhost *v = &f->named[i];

		if (!is_directory("--vhost", v->files.directory))
			return false;
		v->files.listing = f->listing;
		v->files.cache = f->rules;
		v->routes[0] = (struct weft_route){
			.prefix = "/", .on_request = weft_http_serve_files, .user = &v->files
		};
	}
	return true;
}

static enum weft_status listen_like(
	struct weft_vhost *vh, const struct weft_vhost *first, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;
	char url[URL_BYTES];

	for (size_t i = 0;
		st == WEFT_OK && weft_vhost_listener(first, i, url, sizeof(url)) == WEFT_OK; i++)
		st = weft_vhost_listen(vh, url, err);
	return st;
}

enum weft_status serve_files_vhosts(const struct serve_files *f, struct weft_context *ctx,
	const struct weft_vhost *first, const struct weft_vhost_options *options,
	struct weft_vhost **made, struct weft_error *err)
{
	struct weft_vhost_options o = *options;
	enum weft_status st = WEFT_OK;

	for (size_t i = 0; i < f->named_count && st == WEFT_OK; i++) {
		o.name = f->named[i].name;
		o.routes = f->named[i].routes;
		st = weft_vhost_create(ctx, &o, &made[i], err);
		if (st == WEFT_OK)
			st = listen_like(made[i], first, err);
	}
	return st;
}
