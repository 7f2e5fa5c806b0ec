/* SPDX-License-Identifier: MIT */
/* weft get: bodies to send, progress, and the figures at the end. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get.h"

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
#include <malloc.h>
#define HAVE_MALLINFO2
#endif
#endif

enum { WHOLE_MAX = 16 << 20, SHOW_AFTER_US = 1000000, SHOW_EVERY_US = 200000 };

static bool read_whole(struct get *g, const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	bool ok;

	g->body = malloc(size ? size : 1);
	ok = f && g->body && fread(g->body, 1, size, f) == size;
	if (!ok)
		fprintf(stderr, "weft get: --data-file %s: %s\n", path, strerror(errno));
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
	if (strcmp(path, "-") ? stat(path, &info) : fstat(STDIN_FILENO, &info)) {
		fprintf(stderr, "weft get: --data-file %s: %s\n", path, strerror(errno));
		return false;
	}
	if (S_ISDIR(info.st_mode)) {
		fprintf(stderr, "weft get: --data-file %s: is a directory\n", path);
		return false;
	}
	g->streamed_len = -1;
	if (strcmp(path, "-") && S_ISREG(info.st_mode)) {
		if (info.st_size <= WHOLE_MAX)
			return read_whole(g, path, (size_t)info.st_size);
		g->streamed_len = info.st_size;
	} else if (g->total > 1) {
		fprintf(stderr, "weft get: --data-file %s: can be sent once only\n", path);
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

void get_sample_take(const struct get *g, struct get_sample *sample)
{
	struct weft_counters c;
	struct weft_vhost_info v;
	struct get_store *to;

	weft_context_counters(g->ctx, &c);
	sample->taken = true;
	sample->store_count = 0;
	for (size_t i = 0; weft_vhost_info(g->ctx, i, &v) && sample->store_count < STORES_MAX;
		i++) {
		if (!v.client || v.state == WEFT_VHOST_GONE)
			continue;
		to = &sample->stores[sample->store_count++];
		snprintf(to->name, sizeof(to->name), "%s", v.name);
		to->info = v;
	}
	sample->live = c.vhosts_now;
#ifdef HAVE_MALLINFO2
	sample->heap_bytes = mallinfo2().uordblks;
#else
	sample->heap_bytes = c.heap_now; /* our own part of it */
#endif
}

static json_t *sample_json(const struct get_sample *sample)
{
	if (!sample->taken)
		return json_null();
	return json_pack("{s:I, s:I}", "live", (json_int_t)sample->live, "heap",
		(json_int_t)sample->heap_bytes);
}

static json_t *vhosts_json(const struct get *g, const struct weft_counters *c)
{
	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "before", sample_json(&g->before),
		"during", sample_json(&g->during), "after", sample_json(&g->after), "created",
		(json_int_t)c->vhosts_created, "freed", (json_int_t)c->vhosts_freed, "stores",
		get_stores_json(g), "events", get_events_json(g));
}

static json_t *statuses_json(const struct get *g)
{
	json_t *o = json_object();
	char name[8];

	for (unsigned i = 0; i < 1000; i++) {
		if (!g->statuses[i])
			continue;
		snprintf(name, sizeof(name), "%03u", i);
		json_object_set_new(o, name, json_integer((json_int_t)g->statuses[i]));
	}
	return o;
}

void get_report(struct get *g)
{
	double seconds = (double)(g->end_us - g->start_us) / 1e6;
	json_t *errors = json_array(), *o;
	struct weft_counters c;

	weft_context_counters(g->ctx, &c);
	for (size_t i = 0; i < g->error_count; i++)
		json_array_append_new(errors,
			json_pack("{s:s, s:s, s:s, s:I}", "url", g->errors[i].url, "status",
				weft_status_name(g->errors[i].status), "cause", g->errors[i].cause,
				"count", (json_int_t)g->errors[i].count));
	o = json_pack("{s:I, s:I, s:I, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:o}",
		"requests", (json_int_t)g->started, "ok", (json_int_t)g->ok, "failed",
		(json_int_t)(g->started - g->ok), "statuses", statuses_json(g), "protocol",
		g->protocol, "conns_opened", (json_int_t)c.conns_opened, "handshakes_full",
		(json_int_t)c.handshakes_full, "handshakes_resumed",
		(json_int_t)c.handshakes_resumed, "streams_peak", (json_int_t)c.streams_peak,
		"bytes", (json_int_t)g->bytes, "seconds", seconds, "errors", errors, "vhosts",
		vhosts_json(g, &c));
	json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(o);
}

void get_explain(const struct weft_stream *s, const char *url)
{
	char story[4096], *line = story, *end;

	weft_stream_explain(s, story, sizeof(story));
	fprintf(stderr, "%s\n", url);
	for (; (end = strchr(line, '\n')); line = end + 1)
		fprintf(stderr, "  %.*s\n", (int)(end - line), line);
	get_explain_policy(s);
}

static unsigned long long n(uint64_t count)
{
	return count;
}

void get_summary(const struct get *g)
{
	struct weft_counters c;

	weft_context_counters(g->ctx, &c);
	fprintf(stderr,
		"connections: %llu tried, %llu opened, %llu failed before they carried a request\n",
		n(c.conns_tried), n(c.conns_opened), n(c.conns_failed));
	fprintf(stderr,
		"requests on a connection that was there already: %llu; on one connection: at most "
		"%llu\n",
		n(c.conns_reused), n(c.streams_per_conn_max));
	if (c.streams_coalesced)
		fprintf(stderr,
			"requests on another host's connection: %llu; of these, answered 421 and "
			"tried again: %llu\n",
			n(c.streams_coalesced), n(c.streams_misdirected));
	fprintf(stderr, "TLS handshakes: %llu full, %llu resumed, %llu failed\n",
		n(c.handshakes_full), n(c.handshakes_resumed), n(c.handshakes_failed));
	fprintf(stderr, "in the queue: %llu ms together, %llu ms at most; %llu gave up\n",
		n(c.queue_us / 1000), n(c.queue_us_max / 1000), n(c.queue_timeouts));
	fprintf(stderr, "tried again: %llu; warm connections that were stale: %llu\n",
		n(c.streams_retried), n(c.conns_stale));
	if (g->policy)
		get_explain_stores(g);
}
