/* SPDX-License-Identifier: MIT */
/* Problems: collected with their places, and told in the order of the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/load.h"

enum { PATH_MAX_LEN = 256, TEXT_MAX_LEN = 400 };

void weft_load_push(struct weft_loading *l, const char *key, size_t index)
{
	l->steps[l->depth++] = (struct weft_load_step){ key, index };
}

void weft_load_pop(struct weft_loading *l)
{
	l->depth--;
}

static char *path_text(const struct weft_loading *l)
{
	char path[PATH_MAX_LEN] = "";
	size_t used = 0;
	int n;

	for (size_t i = 0; i < l->depth && used < sizeof(path); i++) {
		if (l->steps[i].key)
			n = snprintf(path + used, sizeof(path) - used, "%s%s", i ? "." : "",
				l->steps[i].key);
		else
			n = snprintf(path + used, sizeof(path) - used, "[%zu]", l->steps[i].index);
		used += n > 0 ? (size_t)n : 0;
	}
	return strdup(path);
}

/* Counted from 1; columns in bytes. */
static void find_line(struct weft_span text, size_t offset, unsigned *line, unsigned *column)
{
	const unsigned char *at = text.ptr, *end, *newline;

	*line = *column = 1;
	if (!offset)
		return;
	end = at + offset;
	for (*line = 1; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
		++*line;
	*column = (unsigned)(end - at) + 1;
}

/* Takes path and text over, which are NULL where there was no memory. */
static void add(struct weft_loading *l, bool warning, size_t offset, char *path, char *text)
{
	struct weft_load_problem *more;
	struct weft_load_problem *p;

	/* what is missing then is not the file's fault */
	more = l->no_memory ? NULL : realloc(l->problems, (l->problem_count + 1) * sizeof(*more));
	if (more)
		l->problems = more;
	if (!more || !path || !text) {
		free(path);
		free(text);
		l->no_memory = true;
		return;
	}
	l->error_count += !warning;
	p = &l->problems[l->problem_count];
	*p = (struct weft_load_problem){ .order = l->problem_count++,
		.warning = warning,
		.offset = offset,
		.path = path,
		.text = text };
	find_line(l->text, offset, &p->line, &p->column);
}

static void add_here(
	struct weft_loading *l, bool warning, const char *key, const char *fmt, va_list args)
{
	char text[TEXT_MAX_LEN];

	vsnprintf(text, sizeof(text), fmt, args);
	if (key)
		weft_load_push(l, key, 0);
	add(l, warning, weft_load_place(l->text, l->steps, l->depth, key != NULL), path_text(l),
		strdup(text));
	if (key)
		weft_load_pop(l);
}

void weft_load_wrong(struct weft_loading *l, const char *key, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_here(l, false, key, fmt, args);
	va_end(args);
}

void weft_load_warn(struct weft_loading *l, const char *key, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_here(l, true, key, fmt, args);
	va_end(args);
}

void weft_load_wrong_at(struct weft_loading *l, size_t offset, const char *text)
{
	add(l, false, offset < l->text.len ? offset : l->text.len, strdup(""), strdup(text));
}

static int by_place(const void *a, const void *b)
{
	const struct weft_load_problem *p = a, *q = b;

	if (p->offset != q->offset)
		return p->offset < q->offset ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order;
}

static void set_error(
	const struct weft_loading *l, const struct weft_load_problem *p, struct weft_error *err)
{
	char place[150], more[40] = "";
	int used, room;

	if (l->error_count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", l->error_count - 1);
	used = snprintf(place, sizeof(place), "%.60s:%u:%u: %.60s%s", l->file, p->line, p->column,
		p->path, p->path[0] ? ": " : "");
	room = (int)sizeof(err->text) - 1 - used - (int)strlen(more);
	weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "%s%.*s%s", place, room, p->text, more);
}

void weft_load_tell(struct weft_loading *l, struct weft_error *err)
{
	bool set = false;

	if (l->problem_count)
		qsort(l->problems, l->problem_count, sizeof(l->problems[0]), by_place);
	for (size_t i = 0; i < l->problem_count; i++) {
		struct weft_load_problem *p = &l->problems[i];
		struct weft_policy_problem told = {
			.warning = p->warning,
			.file = l->file,
			.line = p->line,
			.column = p->column,
			.path = p->path,
			.text = p->text,
		};

		if (!p->warning && !set) {
			set_error(l, p, err);
			set = true;
		}
		if (l->options->tell)
			l->options->tell(l->options->user, &told);
		free(p->path);
		free(p->text);
	}
	free(l->problems);
	l->problems = NULL;
	l->problem_count = 0;
}
