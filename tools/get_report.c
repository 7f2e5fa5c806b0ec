/* SPDX-License-Identifier: MIT */
/* weft get: bodies to send, progress, and the figures at the end. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "get.h"

enum { WHOLE_MAX = 16 << 20, SHOW_AFTER_US = 1000000, SHOW_EVERY_US = 200000 };

static bool read_whole(struct get *g, const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	bool ok;

	g->body = malloc(size ? size : 1);
	ok = f && g->body && fread(g->body, 1, size, f) == size;
	if (!ok)
		fprintf(stderr, "weft get: %s: %s\n", path, strerror(errno));
	g->body_len = size;
	if (f)
		fclose(f);
	return ok;
}

bool get_load_body(struct get *g)
{
	const char *path = g->o.data_file;
	struct stat info;

	if (g->o.data) {
		g->body_len = strlen(g->o.data);
		g->body = (unsigned char *)strdup(g->o.data);
		return g->body;
	}
	if (!path)
		return true;
	if (strcmp(path, "-")) {
		if (stat(path, &info)) {
			fprintf(stderr, "weft get: %s: %s\n", path, strerror(errno));
			return false;
		}
		if (S_ISREG(info.st_mode) && info.st_size <= WHOLE_MAX)
			return read_whole(g, path, (size_t)info.st_size);
	} else if (g->o.count * g->o.url_count > 1) {
		fprintf(stderr, "weft get: standard input can be sent once only\n");
		return false;
	}
	g->body_streamed = true;
	return true;
}

void get_progress(struct get *g, bool last)
{
	uint64_t now = weft_context_now(g->ctx), past = now - g->start_us;

	if (!g->progress || (!g->shown && past < SHOW_AFTER_US))
		return;
	if (!last && now - g->shown_us < SHOW_EVERY_US)
		return;
	g->shown_us = now;
	g->shown = true;
	if (last) {
		fprintf(stderr, "\r\033[K");
		return;
	}
	fprintf(stderr, "\r\033[K%lu of %lu requests, %.1f MiB", g->ok + g->failed, g->total,
		(double)g->bytes / 1048576);
	if (g->total == 1 && g->expected > 0)
		fprintf(stderr, " of %.1f", (double)g->expected / 1048576);
	fprintf(stderr, ", %.1f MiB/s", (double)g->bytes / 1.048576 / (double)past);
}

void get_report(struct get *g)
{
	double seconds = (double)(weft_context_now(g->ctx) - g->start_us) / 1e6;
	json_t *errors = json_array(), *o;
	struct weft_counters c;

	weft_context_counters(g->ctx, &c);
	for (size_t i = 0; i < g->error_count; i++)
		json_array_append_new(errors,
			json_pack("{s:s, s:s, s:s, s:I}", "url", g->errors[i].url, "status",
				weft_status_name(g->errors[i].status), "cause", g->errors[i].cause,
				"count", (json_int_t)g->errors[i].count));
	o = json_pack(
		"{s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:I, s:I, s:I, s:I, s:I}",
		"requests", (json_int_t)g->started, "ok", (json_int_t)g->ok, "failed",
		(json_int_t)g->failed, "protocol", g->protocol, "conns_opened",
		(json_int_t)c.conns_opened, "handshakes_full", (json_int_t)c.handshakes_full,
		"handshakes_resumed", (json_int_t)c.handshakes_resumed, "streams_peak",
		(json_int_t)c.streams_peak, "bytes", (json_int_t)g->bytes, "seconds", seconds,
		"errors", errors, "vhosts_created", (json_int_t)c.vhosts_created, "vhosts_freed",
		(json_int_t)c.vhosts_freed, "vhosts_now", (json_int_t)c.vhosts_now, "heap_now",
		(json_int_t)c.heap_now, "heap_peak", (json_int_t)c.heap_peak);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(o);
}
