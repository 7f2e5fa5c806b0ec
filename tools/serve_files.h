/* SPDX-License-Identifier: MIT */
/* weft serve: whose files are served, and how. Read by all workers, changed by none. */
#ifndef WEFT_TOOLS_SERVE_FILES_H
#define WEFT_TOOLS_SERVE_FILES_H

#include "tool.h"

enum { NAMED_MAX = 32, CACHE_RULES_MAX = 32 };

/* A vhost beside the first. */
struct named_vhost {
	char name[256];
	struct weft_files files;
	struct weft_route routes[2];
};

struct serve_files {
	struct weft_files root; /* directory NULL: none */
	bool listing;
	char rules_text[CACHE_RULES_MAX][512];
	struct weft_files_cache rules[CACHE_RULES_MAX + 1];
	size_t rule_count;
	struct named_vhost named[NAMED_MAX];
	size_t named_count;
};

/* "NAME=DIR" of --vhost, "PATTERN=VALUE" of --cache-control. False: it was said what is wrong. */
bool serve_files_add_vhost(struct serve_files *f, const char *text);
bool serve_files_add_rule(struct serve_files *f, const char *text);
/* Once all options are known. */
bool serve_files_ready(struct serve_files *f, const char *root);
/*
 * Makes the named vhosts of a context, at all addresses of its first one; options hold for each but for name
 * and routes. made has room for NAMED_MAX.
 */
enum weft_status serve_files_vhosts(const struct serve_files *f, struct weft_context *ctx,
	const struct weft_vhost *first, const struct weft_vhost_options *options,
	struct weft_vhost **made, struct weft_error *err);

#endif
