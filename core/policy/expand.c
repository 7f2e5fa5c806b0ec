/* SPDX-License-Identifier: MIT */
/* Templates: texts into which metadata goes, escaped for where it goes. */
#include <ctype.h>
#include <string.h>

#include "core/policy/plan.h"

void *weft_policy_alloc(struct weft_policy_planning *p, size_t len)
{
	return weft_arena_alloc(&p->arena, len);
}

bool weft_policy_has_body(const struct weft_policy_planning *p)
{
	return p->has_body;
}

static const char *given(const struct weft_policy_planning *p, const char *name, size_t len)
{
	for (const struct weft_policy_pair *m = p->metadata; m && m->name; m++) {
		if (strlen(m->name) == len && !memcmp(m->name, name, len))
			return m->value;
	}
	return NULL;
}

const char *weft_policy_given(const struct weft_policy_planning *p, const char *name)
{
	return given(p, name, strlen(name));
}

/* RFC 3986 section 2.3. */
static bool is_unreserved(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || strchr("-._~", c)) && c;
}

static bool is_host(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || strchr("-._", c)) && c;
}

/* Writes nothing where out is NULL. */
static size_t escape(const char *value, bool percent, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		const char escaped[] = { '%', digits[c >> 4], digits[c & 15] };
		bool plain = !percent || is_unreserved(c);

		if (out && plain)
			out[used] = *value;
		else if (out)
			memcpy(out + used, escaped, sizeof(escaped));
		used += plain ? 1 : sizeof(escaped);
	}
	return used;
}

static enum weft_status check_host(
	const char *name, size_t len, const char *value, struct weft_error *err)
{
	size_t n = 0;

	while (is_host((unsigned char)value[n]))
		n++;
	if (n && !value[n])
		return WEFT_OK;
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
		"metadata %.*s is \"%.60s\": in an endpoint, expected letters, digits, \"-\", "
		"\".\" and "
		"\"_\" only",
		(int)len, name, value);
}

/* One pass: how long it gets where out is NULL, else the text. */
static enum weft_status expand(const struct weft_policy_planning *p, const char *text,
	enum weft_policy_escape how, char *out, size_t *len, struct weft_error *err)
{
	const char *at = text, *open, *close, *value;
	enum weft_status st;
	size_t used = 0, n;

	while ((open = strstr(at, "${")) && (close = strchr(open, '}'))) {
		n = (size_t)(open - at);
		if (out)
			memcpy(out + used, at, n);
		used += n;
		open += 2;
		n = (size_t)(close - open);
		value = given(p, open, n);
		if (!value)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"stream %s needs metadata %.*s, for \"%.100s\"", p->stream->name,
				(int)n, open, text);
		st = how == WEFT_POLICY_HOST ? check_host(open, n, value, err) : WEFT_OK;
		if (st)
			return st;
		used += escape(value, how == WEFT_POLICY_PERCENT, out ? out + used : NULL);
		at = close + 1;
	}
	n = strlen(at);
	if (out)
		memcpy(out + used, at, n);
	*len = used + n;
	return WEFT_OK;
}

enum weft_status weft_policy_expand(struct weft_policy_planning *p, const char *text,
	enum weft_policy_escape how, const char **out, struct weft_error *err)
{
	size_t len = 0;
	char *copy;
	enum weft_status st = expand(p, text, how, NULL, &len, err);

	if (st)
		return st;
	copy = weft_policy_alloc(p, len + 1);
	if (!copy)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a template");
	st = expand(p, text, how, copy, &len, err);
	copy[len] = '\0';
	*out = copy;
	return st;
}
