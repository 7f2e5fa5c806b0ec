/* SPDX-License-Identifier: MIT */
/* weft serve: what the command line asks for. */
#ifndef WEFT_TOOLS_SERVE_H
#define WEFT_TOOLS_SERVE_H

#include "tool.h"

enum { LISTENERS_MAX = 32, DRAIN_SECONDS = 30 };

struct serve {
	const char *listen[LISTENERS_MAX];
	size_t listen_count;
	const char *cert, *key, *root;
	bool self_signed;
	struct weft_context_options context;
	struct weft_context *ctx;
	struct weft_vhost *vhost;
	char *cert_pem, *key_pem;
};

/* -1: go on; else the exit code. */
int serve_parse(struct serve *v, int argc, char **argv);
bool serve_is_tls(const char *url);

#endif
