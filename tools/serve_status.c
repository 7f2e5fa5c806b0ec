/* SPDX-License-Identifier: MIT */
/*
 * /status: what the server itself counted. The worker that is asked asks the others, each in its own
 * thread, and answers when it has heard from all.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

enum {
	ROLES_MAX = 16,
	CONNS_SHOWN = 100, /* one by one */
};

/* What the connections of a role have, together. */
struct role_sum {
	char name[16];
	json_int_t conns, streams, out_bytes;
};

/* What one worker has to say. */
struct part {
	struct inquiry *inquiry;
	struct worker *of;
	bool there;
	struct weft_counters counters;
	struct role_sum roles[ROLES_MAX];
	json_int_t waiting; /* streams */
};

struct inquiry {
	struct worker *asked;
	struct weft_stream *stream; /* NULL: the client is gone. The asked worker's thread only */
	unsigned waiting;           /* parts that have not come back. That thread only, too */
	atomic_uint refs;           /* the asked worker's, and one of each part under way */
	struct part parts[];
};

static const struct {
	const char *name;
	size_t at;
	bool is_max; /* of all workers; else their sum */
} fields[] = {
#define FIELD(name)                                                \
	{                                                          \
#name, offsetof(struct weft_counters, name), false \
	}
#define FIELD_MAX(name)                                           \
	{                                                         \
#name, offsetof(struct weft_counters, name), true \
	}
	FIELD(conns_accepted),
	FIELD(conns_refused),
	FIELD(conns_tried),
	FIELD(conns_opened),
	FIELD(conns_failed),
	FIELD(conns_reused),
	FIELD(conns_stale),
	FIELD(conns_retired),
	FIELD(conns_now),
	FIELD(handshakes_full),
	FIELD(handshakes_resumed),
	FIELD(handshakes_failed),
	FIELD(streams_opened),
	FIELD(streams_incoming),
	FIELD(streams_now),
	FIELD(streams_peak),
	FIELD(streams_ok),
	FIELD(streams_failed),
	FIELD(streams_retried),
	FIELD(streams_coalesced),
	FIELD(streams_misdirected),
	FIELD(retries_refused),
	FIELD(queue_timeouts),
	FIELD(streams_queued),
	FIELD(queue_us),
	FIELD_MAX(queue_us_max),
	FIELD_MAX(streams_per_conn_max),
	FIELD(vhosts_created),
	FIELD(vhosts_freed),
	FIELD(vhosts_now),
	FIELD(bytes_in),
	FIELD(bytes_out),
	FIELD(timeouts),
	FIELD(limits_hit),
	FIELD(requests_refused),
	FIELD(net_recv),
	FIELD(net_send),
	FIELD(net_wait),
	FIELD(net_accept),
	FIELD(heap_now),
	FIELD(heap_peak),
	FIELD(heap_allocs),
#undef FIELD
#undef FIELD_MAX
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static uint64_t value(const struct weft_counters *c, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)c + fields[i].at, sizeof(v));
	return v;
}

static json_t *counters_json(const struct inquiry *q)
{
	json_t *o = json_object();

	for (size_t i = 0; i < FIELDS; i++) {
		uint64_t all = 0, one;

		for (unsigned long k = 0; k < q->asked->serve->worker_count; k++) {
			one = value(&q->parts[k].counters, i);
			if (!fields[i].is_max)
				all += one;
			else if (one > all)
				all = one;
		}
		json_object_set_new(o, fields[i].name, json_integer((json_int_t)all));
	}
	return o;
}

static json_t *workers_json(const struct inquiry *q, json_int_t *conns, json_int_t *streams)
{
	json_t *list = json_array();

	*conns = *streams = 0;
	for (unsigned long k = 0; k < q->asked->serve->worker_count; k++) {
		const struct weft_counters *c = &q->parts[k].counters;

		*conns += (json_int_t)c->conns_now;
		*streams += (json_int_t)c->streams_now;
		json_array_append_new(
			list, json_pack("{s:b, s:I, s:I, s:I}", "up", q->parts[k].there,
				      "conns_accepted", (json_int_t)c->conns_accepted, "conns_now",
				      (json_int_t)c->conns_now, "streams_incoming",
				      (json_int_t)c->streams_incoming));
	}
	return list;
}

/* ---- connections ---- */

static void add_role(struct role_sum *sums, const struct role_sum *one)
{
	for (size_t i = 0; i < ROLES_MAX; i++) {
		if (sums[i].name[0] && strcmp(sums[i].name, one->name) != 0)
			continue;
		memcpy(sums[i].name, one->name, sizeof(one->name));
		sums[i].conns += one->conns;
		sums[i].streams += one->streams;
		sums[i].out_bytes += one->out_bytes;
		return;
	}
}

static bool sum_conn(const struct weft_conn_view *c, void *user)
{
	struct role_sum one = { .conns = 1, .streams = c->streams };

	one.out_bytes = (json_int_t)c->out_bytes;
	snprintf(one.name, sizeof(one.name), "%s", *c->role ? c->role : c->phase);
	add_role(user, &one);
	return true;
}

static bool sum_queue(const struct weft_queue_view *q, void *user)
{
	*(json_int_t *)user += q->waiting;
	return true;
}

static void survey(struct part *p)
{
	p->there = true;
	weft_context_counters(p->of->ctx, &p->counters);
	weft_context_conns(p->of->ctx, sum_conn, p->roles);
	weft_context_queues(p->of->ctx, sum_queue, &p->waiting);
}

/* By role, of all workers. */
static json_t *roles_json(const struct inquiry *q, json_int_t *waiting)
{
	struct role_sum sums[ROLES_MAX] = { { .conns = 0 } };
	json_t *o = json_object();

	*waiting = 0;
	for (unsigned long k = 0; k < q->asked->serve->worker_count; k++) {
		*waiting += q->parts[k].waiting;
		for (size_t i = 0; i < ROLES_MAX && q->parts[k].roles[i].name[0]; i++)
			add_role(sums, &q->parts[k].roles[i]);
	}
	for (size_t i = 0; i < ROLES_MAX && sums[i].name[0]; i++)
		json_object_set_new(o, sums[i].name,
			json_pack("{s:I, s:I, s:I}", "conns", sums[i].conns, "streams",
				sums[i].streams, "out_bytes", sums[i].out_bytes));
	return o;
}

static bool conn_json(const struct weft_conn_view *c, void *user)
{
	char peer[WEFT_ADDRESS_TEXT_MAX] = "";
	struct weft_address address;

	weft_conn_view_peer(c, &address);
	if (address.family != WEFT_FAMILY_NONE)
		weft_address_format(&address, peer, sizeof(peer));
	json_array_append_new(
		user, json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:b}", "id",
			      (json_int_t)c->id, "role", c->role, "phase", c->phase, "vhost",
			      c->vhost, "peer", peer, "client", c->client, "streams",
			      (json_int_t)c->streams, "served", (json_int_t)c->served, "out_bytes",
			      (json_int_t)c->out_bytes, "blocked", c->blocked));
	return json_array_size(user) < CONNS_SHOWN;
}

/* The oldest ones of this worker. */
static json_t *conns_json(const struct weft_context *ctx)
{
	json_t *list = json_array();

	weft_context_conns(ctx, conn_json, list);
	return list;
}

/* ---- vhosts ---- */

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

static json_t *vhost_json(const struct weft_vhost_info *v)
{
	return json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I}",
		"name", v->name, "client", v->client, "state", state_name(v->state), "refs",
		(json_int_t)v->refs, "conns", (json_int_t)v->conns, "streams",
		(json_int_t)v->streams, "policies", (json_int_t)v->policies, "applications",
		(json_int_t)v->applications, "tls", v->tls, "age_us", (json_int_t)v->age_us, "made",
		(json_int_t)v->made, "build_us", (json_int_t)v->build_us, "heap_bytes",
		(json_int_t)v->heap_bytes);
}

static json_t *vhosts_json(const struct weft_context *ctx)
{
	json_t *list = json_array();
	struct weft_vhost_info v;

	for (size_t i = 0; weft_vhost_info(ctx, i, &v); i++)
		json_array_append_new(list, vhost_json(&v));
	return list;
}

/* What happened to clients' vhosts, the latest first. */
static json_t *events_json(const struct weft_context *ctx)
{
	json_t *list = json_array();
	struct weft_vhost_event e;

	for (size_t i = 0; weft_vhost_event(ctx, i, &e); i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I}", "kind",
				      weft_vhost_event_name(e.kind), "name", e.name, "age_us",
				      (json_int_t)(weft_context_now(ctx) - e.at_us), "refs",
				      (json_int_t)e.refs));
	return list;
}

/* Of each worker; 0: none. */
static json_t *limits_json(const struct serve *v)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "conns_max", (json_int_t)v->context.conns_max,
		"conns_per_address", (json_int_t)v->context.conns_per_address, "heap_max",
		(json_int_t)v->context.heap_max, "drain_seconds", (json_int_t)v->drain_seconds);
}

static enum weft_status answer(const struct inquiry *q)
{
	struct worker *w = q->asked;
	enum weft_status st = WEFT_ERR_MEMORY;
	json_int_t conns, streams, uptime, waiting;
	json_t *o, *workers = workers_json(q, &conns, &streams), *roles = roles_json(q, &waiting);
	char *text;

	uptime = (json_int_t)((weft_context_now(w->ctx) - w->started_us) / 1000000);
	o = json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"version", WEFT_VERSION, "event", weft_context_event(w->ctx), "tls",
		weft_context_tls(w->ctx), "uptime", uptime, "workers",
		(json_int_t)w->serve->worker_count, "worker", (json_int_t)w->index, "conns", conns,
		"streams", streams, "queue", waiting, "roles", roles, "connections",
		conns_json(w->ctx), "vhosts", vhosts_json(w->ctx), "vhost_events",
		events_json(w->ctx), "limits", limits_json(w->serve), "counters", counters_json(q),
		"per_worker", workers);
	text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
	if (text) {
		size_t len = strlen(text);

		text[len] = '\n'; /* in place of the terminator: a reply has a length */
		st = weft_http_reply(q->stream, 200, "application/json", text, len + 1);
	}
	free(text);
	json_decref(o);
	return st;
}

/* ---- asking the others ---- */

static void release(struct inquiry *q)
{
	if (atomic_fetch_sub(&q->refs, 1) == 1)
		free(q);
}

/* Back in the thread that asked. */
static void heard(void *arg)
{
	struct part *p = arg;
	struct inquiry *q = p->inquiry;

	if (!--q->waiting && q->stream && answer(q))
		(void)weft_http_error(q->stream, 503);
	release(q);
}

/* The one who asked has ended meanwhile. */
static void unheard(void *arg)
{
	release(((struct part *)arg)->inquiry);
}

static void send_back(struct part *p)
{
	if (weft_post(p->inquiry->asked->id, heard, p, unheard))
		release(p->inquiry);
}

static void last_words(struct part *p)
{
	pthread_mutex_lock(&p->of->serve->lock);
	p->counters = p->of->last;
	pthread_mutex_unlock(&p->of->serve->lock);
}

/* In the thread of the one that was asked. */
static void tell(void *arg)
{
	survey(arg);
	send_back(arg);
}

static void ended(void *arg)
{
	last_words(arg);
	send_back(arg);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct inquiry *q = user;

	(void)s;
	(void)why;
	q->stream = NULL;
	release(q);
}

static void ask(struct part *p)
{
	struct inquiry *q = p->inquiry;
	enum weft_status st;

	atomic_fetch_add(&q->refs, 1);
	q->waiting++;
	st = weft_post(p->of->id, tell, p, ended);
	if (st == WEFT_OK)
		return;
	/* gone already (or there is no memory, and its part is missing) */
	q->waiting--;
	release(q);
	last_words(p);
}

enum weft_status route_status(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = { .on_close = on_close };
	struct worker *w = user;
	unsigned long count = w->serve->worker_count;
	struct inquiry *q = calloc(1, sizeof(*q) + count * sizeof(q->parts[0]));

	if (!q)
		return WEFT_ERR_MEMORY;
	q->asked = w;
	q->stream = s;
	atomic_init(&q->refs, 1);
	weft_stream_set_ops(s, &ops, q);
	for (unsigned long i = 0; i < count; i++) {
		struct part *p = &q->parts[i];

		p->inquiry = q;
		p->of = &w->serve->workers[i];
		if (p->of != w) {
			ask(p);
			continue;
		}
		survey(p);
	}
	return q->waiting ? WEFT_OK : answer(q);
}
