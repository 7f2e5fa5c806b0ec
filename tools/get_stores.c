/* SPDX-License-Identifier: MIT */
/* weft get: what became of trust stores: when they were made, who held them, what they cost. */
#include <jansson.h>
#include <string.h>

#include "get.h"

static const char *state_name(enum weft_vhost_state state)
{
	static const char *const names[] = {
		[WEFT_VHOST_LIVE] = "live",
		[WEFT_VHOST_DYING] = "dying",
		[WEFT_VHOST_LINGERING] = "lingering",
		[WEFT_VHOST_GONE] = "gone",
	};

	return names[state];
}

/* What it was while requests were under way; NULL: nobody looked then, or it was not there. */
static const struct weft_vhost_info *then(const struct get *g, const struct weft_vhost_info *v)
{
	for (size_t i = 0; i < g->during.store_count; i++) {
		const struct get_store *s = &g->during.stores[i];

		if (!strncmp(s->name, v->name, sizeof(s->name) - 1))
			return &s->info;
	}
	return NULL;
}

static void put_count(const char **between, unsigned count, const char *what)
{
	if (!count)
		return;
	fprintf(stderr, "%s%u %s%s", *between, count, what, count == 1 ? "" : "s");
	*between = ", ";
}

static void explain_holders(const char *when, const struct weft_vhost_info *v)
{
	const char *between = ": ";

	fprintf(stderr, "  %s %s, %u reference%s", when, state_name(v->state), v->refs,
		v->refs == 1 ? "" : "s");
	put_count(&between, v->conns, "connection");
	put_count(&between, v->streams, "stream");
	put_count(&between, v->policies, "policy");
	put_count(&between, v->applications, "application");
	fprintf(stderr, "\n");
}

static void explain_store(const struct get *g, const struct weft_vhost_info *v)
{
	const struct weft_vhost_info *during = then(g, v);

	fprintf(stderr,
		"trust store %s: made %llu time%s; the last time %.1f ms, %llu bytes of heap\n",
		v->name, (unsigned long long)v->made, v->made == 1 ? "" : "s",
		(double)v->build_us / 1000, (unsigned long long)v->heap_bytes);
	if (during)
		explain_holders("during:", during);
	explain_holders("after:", v);
}

/* Streams without TLS have a vhost, too, and nothing to tell of it. */
static bool is_store(const struct get *g, const char *name)
{
	struct weft_vhost_info v;

	for (size_t i = 0; weft_vhost_info(g->ctx, i, &v); i++) {
		/* an event's is cut */
		if (v.tls && !strncmp(v.name, name, strlen(name)))
			return true;
	}
	return false;
}

void get_explain_stores(const struct get *g)
{
	struct weft_vhost_info v;
	struct weft_vhost_event e;
	size_t count = 0;
	int64_t past;

	for (size_t i = 0; weft_vhost_info(g->ctx, i, &v); i++) {
		if (v.client && v.tls)
			explain_store(g, &v);
	}
	while (weft_vhost_event(g->ctx, count, &e))
		count++;
	for (; count && weft_vhost_event(g->ctx, count - 1, &e); count--) {
		if (!is_store(g, e.name))
			continue;
		/* the policy's own are made before the first request */
		past = (int64_t)(e.at_us - g->start_us);
		fprintf(stderr, "%9.1f ms  %-8s %s, %u reference%s\n", (double)past / 1000,
			weft_vhost_event_name(e.kind), e.name, e.refs, e.refs == 1 ? "" : "s");
	}
}

/* ---- the same for programs ---- */

static json_t *holders_json(const struct weft_vhost_info *v)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "state", state_name(v->state), "refs",
		(json_int_t)v->refs, "conns", (json_int_t)v->conns, "streams",
		(json_int_t)v->streams, "policies", (json_int_t)v->policies, "applications",
		(json_int_t)v->applications);
}

static json_t *store_json(const struct get *g, const struct weft_vhost_info *v)
{
	const struct weft_vhost_info *during = then(g, v);
	json_t *o = holders_json(v);

	json_object_set_new(o, "name", json_string(v->name));
	json_object_set_new(o, "tls", json_boolean(v->tls));
	json_object_set_new(o, "made", json_integer((json_int_t)v->made));
	json_object_set_new(o, "build_us", json_integer((json_int_t)v->build_us));
	json_object_set_new(o, "heap", json_integer((json_int_t)v->heap_bytes));
	json_object_set_new(o, "during", during ? holders_json(during) : json_null());
	return o;
}

json_t *get_stores_json(const struct get *g)
{
	json_t *list = json_array();
	struct weft_vhost_info v;

	for (size_t i = 0; weft_vhost_info(g->ctx, i, &v); i++) {
		if (v.client)
			json_array_append_new(list, store_json(g, &v));
	}
	return list;
}

json_t *get_events_json(const struct get *g)
{
	json_t *list = json_array();
	struct weft_vhost_event e;

	for (size_t i = 0; weft_vhost_event(g->ctx, i, &e); i++)
		json_array_insert_new(list, 0,
			json_pack("{s:s, s:s, s:I, s:I}", "kind", weft_vhost_event_name(e.kind),
				"name", e.name, "at_us", (json_int_t)(e.at_us - g->start_us),
				"refs", (json_int_t)e.refs));
	return list;
}
