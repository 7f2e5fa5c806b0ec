/* SPDX-License-Identifier: MIT */
/* The server of endings, in HTTP/1.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ender.h"

static void drop(struct ender_line *l, size_t n)
{
	l->len -= n;
	memmove(l->in, l->in + n, l->len);
	l->in[l->len] = '\0';
}

/* The request of this connection that is not whole yet. */
static struct ender_sight *unfinished(struct ender *e, const struct ender_line *l)
{
	for (unsigned i = 0; i < e->sights; i++) {
		if (e->seen[i].line == l->number && !e->seen[i].whole)
			return &e->seen[i];
	}
	return NULL;
}

static struct ender_sight *head(struct ender *e, struct ender_line *l)
{
	char *text = (char *)l->in, *end = strstr(text, "\r\n\r\n"), *field;
	struct ender_sight *s;

	if (!end)
		return NULL;
	*end = '\0';
	s = ender_see(e, l, (unsigned)strtoul(strstr(text, "/digest/") + 8, NULL, 10));
	field = strstr(text, "\r\ncontent-length: ");
	s->left = field ? strtoul(field + 18, NULL, 10) : 0;
	s->whole = !s->left;
	drop(l, (size_t)(end + 4 - text));
	return s;
}

void ender_h1_input(struct ender *e, struct ender_line *l)
{
	struct ender_sight *s;

	while (l->len && ((s = unfinished(e, l)) || (s = head(e, l)))) {
		if (!s->whole)
			drop(l, ender_body(s, l->in, l->len));
	}
}

void ender_h1_answer(struct ender *e, struct ender_line *l, struct ender_sight *s, unsigned part)
{
	bool close = e->way == ENDER_CLOSE && l->number == e->striking && e->point != ENDER_IDLE &&
		     s == e->seen;
	char text[160], digest[17];
	size_t len, head_len;

	ask_digest(s->id, s->body, s->body_len, digest);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n%s\r\n%s",
		close ? "Connection: close\r\n" : "", digest);
	len = strlen(text);
	head_len = len - 16;
	if (part == 0)
		ender_say(l, text, 22);
	else if (part == 1)
		ender_say(l, text + 22, head_len + 8 - 22);
	else
		ender_say(l, text + head_len + 8, 8);
}
