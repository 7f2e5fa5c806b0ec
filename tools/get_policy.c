/* SPDX-License-Identifier: MIT */
/* weft get: streams that a policy describes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "get.h"
#include "weft/policy_load.h"

enum { PEM_MAX = 1 << 20 };

/* The text before the =, malloc'ed, and what is behind it; NULL after a complaint. */
static char *split(const char *option, const char *what, const char *text, const char **value)
{
	const char *equals = strchr(text, '=');
	char *name;

	if (!equals || equals == text) {
		fprintf(stderr, "weft get: %s \"%s\": expected NAME=%s\n", option, text, what);
		return NULL;
	}
	name = strndup(text, (size_t)(equals - text));
	if (!name)
		fprintf(stderr, "weft get: no memory\n");
	*value = equals + 1;
	return name;
}

static bool has_room(size_t count, size_t max, const char *option)
{
	if (count < max)
		return true;
	fprintf(stderr, "weft get: more than %zu times %s\n", max, option);
	return false;
}

bool get_add_metadata(struct get_options *o, const char *text)
{
	struct weft_policy_pair *m = &o->metadata[o->metadata_count];
	char *name;

	if (!has_room(o->metadata_count, METADATA_MAX, "--metadata"))
		return false;
	name = split("--metadata", "VALUE", text, &m->value);
	for (size_t i = 0; name && i < o->metadata_count; i++) {
		if (strcmp(o->metadata[i].name, name))
			continue;
		fprintf(stderr, "weft get: --metadata \"%s\": %s was given before\n", text, name);
		free(name);
		return false;
	}
	m->name = name;
	o->metadata_count += name != NULL;
	return name;
}

bool get_add_provided(struct get_options *o, const char *text)
{
	struct get_provided *p = &o->provided[o->provided_count];
	char *name;

	if (!has_room(o->provided_count, PROVIDED_MAX, "--provide"))
		return false;
	name = split("--provide", "FILE", text, &p->file);
	p->name = name;
	o->provided_count += name != NULL;
	return name;
}

static bool read_provided(struct get_provided *p)
{
	FILE *f = fopen(p->file, "rb");
	bool ok;

	p->pem = malloc(PEM_MAX);
	errno = f && !p->pem ? ENOMEM : errno;
	p->len = f && p->pem ? fread(p->pem, 1, PEM_MAX, f) : 0;
	ok = f && p->pem && !ferror(f) && p->len && p->len < PEM_MAX;
	if (!ok)
		fprintf(stderr, "weft get: --provide %s=%s: %s\n", p->name, p->file,
			!f || !p->pem || ferror(f) ? strerror(errno)
			: p->len                   ? "is larger than 1 MiB"
						   : "is empty");
	if (f)
		fclose(f);
	return ok;
}

static enum weft_status provide(
	void *user, const char *name, struct weft_policy_secret *out, struct weft_error *err)
{
	const struct get_options *o = &((const struct get *)user)->o;

	for (size_t i = 0; i < o->provided_count; i++) {
		const struct get_provided *p = &o->provided[i];

		if (strcmp(p->name, name))
			continue;
		out->pem = (struct weft_span){ p->pem, p->len };
		return WEFT_OK;
	}
	return weft_error_set(
		err, WEFT_ERR_NOT_FOUND, 0, "it is not provided: --provide %.60s=FILE", name);
}

/* All of them, one a line, as compilers do. */
static void tell(void *user, const struct weft_policy_problem *p)
{
	(void)user;
	fprintf(stderr, "weft get: %s", p->file);
	if (p->line)
		fprintf(stderr, ":%u:%u", p->line, p->column);
	fprintf(stderr, ": %s%s%s%s\n", p->warning ? "warning: " : "", p->path,
		*p->path ? ": " : "", p->text);
}

/* Before anything is opened: is there such a stream, and are these its metadata? */
static bool plan_all(const struct get *g)
{
	struct weft_policy_plan plan;
	struct weft_error err;

	for (size_t i = 0; i < g->o.url_count; i++) {
		if (weft_policy_plan(g->ctx, g->policy, g->o.urls[i], g->o.metadata, &plan, &err)) {
			fprintf(stderr, "weft get: %s\n", err.text);
			return false;
		}
		weft_policy_plan_finish(&plan);
	}
	return true;
}

int get_use_policy(struct get *g)
{
	const struct weft_policy_load_options options = {
		.registry = weft_context_registry(g->ctx),
		.tls = weft_context_tls(g->ctx),
		.tell = tell,
	};
	const struct weft_policy_use use = { .provide = provide, .user = g };
	struct weft_error err;

	if (!g->o.policy)
		return -1;
	for (size_t i = 0; i < g->o.provided_count; i++) {
		if (!read_provided(&g->o.provided[i]))
			return EXIT_USAGE;
	}
	if (weft_policy_load(g->o.policy, &options, &g->policy, &err)) {
		/* problems in it were told; that it cannot be read was not */
		if (err.status != WEFT_ERR_ARGUMENT)
			fprintf(stderr, "weft get: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (!plan_all(g))
		return EXIT_USAGE;
	if (weft_context_use_policy(g->ctx, g->policy, &use, &err)) {
		fprintf(stderr, "weft get: %s\n", err.text);
		return EXIT_SOME_FAILED;
	}
	return -1;
}

enum weft_status get_open_policy(struct get *g, const char *name, const struct weft_stream_ops *ops,
	void *user, struct weft_stream **out, struct weft_error *err)
{
	const struct weft_policy_body body = {
		.whole = { g->body, g->body_len },
		.later = g->body_streamed,
		.later_len = g->streamed_len,
	};
	enum weft_status st =
		weft_policy_open(g->ctx, name, g->o.metadata, &body, ops, user, out, err);

	/* some roles' streams can always be written to, and end only when they are told so */
	if (st == WEFT_OK && !g->body_streamed)
		weft_stream_finish(*out);
	return st;
}

static bool has_value(const struct weft_policy_stream *stream, const char *key)
{
	for (size_t i = 0; i < stream->value_count; i++) {
		if (!strcmp(stream->values[i].key, key))
			return true;
	}
	return false;
}

void get_explain_policy(const struct weft_stream *s)
{
	const struct weft_policy_stream *stream = weft_stream_policy(s);
	const struct weft_head *head = weft_stream_response(s);
	const char *verdict = weft_http_expected(s);
	struct weft_span value;

	if (!stream || !head)
		return;
	if (verdict)
		fprintf(stderr, "  the policy expects %u: %s\n", head->status, verdict);
	else if (has_value(stream, "expect"))
		fprintf(stderr, "  the policy does not expect %u\n", head->status);
	for (size_t i = 0; i < stream->metadata_count; i++) {
		const char *name = stream->metadata[i].name;

		if (weft_policy_response(s, name, &value) == WEFT_OK)
			fprintf(stderr, "  metadata %s: %.*s\n", name, (int)value.len,
				(const char *)value.ptr);
	}
}

void get_free_policy(struct get *g)
{
	for (size_t i = 0; i < g->o.metadata_count; i++)
		free((void *)g->o.metadata[i].name);
	for (size_t i = 0; i < g->o.provided_count; i++) {
		free((void *)g->o.provided[i].name);
		free(g->o.provided[i].pem);
	}
	weft_policy_release(g->policy);
}
