/* SPDX-License-Identifier: MIT */
/* Entity tags and conditions. */
#include "roles/http/validator.h"

#include <stdio.h>
#include <string.h>

#include "roles/http/chars.h"
#include "weft/http.h"

void weft_http_etag(char out[WEFT_HTTP_ETAG_MAX], bool weak, uint64_t a, uint64_t b, uint64_t c,
	const char *suffix)
{
	snprintf(out, WEFT_HTTP_ETAG_MAX, "%s\"%llx-%llx-%llx%s\"", weak ? "W/" : "",
		(unsigned long long)a, (unsigned long long)b, (unsigned long long)c, suffix);
}

struct etag {
	const char *opaque; /* with its quotes */
	size_t len;
	bool weak;
};

/* The tag that text begins with; the bytes it takes, 0 if there is none. Commas are no end within it. */
static size_t read_etag(const char *text, size_t len, struct etag *tag)
{
	size_t i = 0;

	tag->weak = len > 2 && !memcmp(text, "W/", 2);
	if (tag->weak)
		i = 2;
	if (i >= len || text[i] != '"')
		return 0;
	tag->opaque = text + i;
	for (i++; i < len && text[i] != '"'; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x21 || c == 0x7f)
			return 0;
	}
	if (i >= len)
		return 0;
	i++;
	tag->len = (size_t)(text + i - tag->opaque);
	return i;
}

/* RFC 9110 section 8.8.3.2. */
static bool same(const struct etag *a, const struct etag *b, bool weakly)
{
	return (weakly || (!a->weak && !b->weak)) && a->len == b->len &&
	       !memcmp(a->opaque, b->opaque, a->len);
}

static size_t skip(const char *text, size_t len, const char *what)
{
	size_t i = 0;

	while (i < len && strchr(what, text[i]) && text[i])
		i++;
	return i;
}

bool weft_http_etag_listed(const char *list, size_t len, const char *etag, bool weakly)
{
	struct etag mine, tag;
	bool found = false;
	size_t n, i = 0;

	if (len == 1 && list[0] == '*')
		return true;
	if (!read_etag(etag, strlen(etag), &mine))
		return false;
	for (;;) {
		i += skip(list + i, len - i, " \t,");
		if (i == len)
			return found;
		n = read_etag(list + i, len - i, &tag);
		if (!n)
			return false;
		found |= same(&mine, &tag, weakly);
		i += n;
		i += skip(list + i, len - i, " \t");
		if (i < len && list[i] != ',')
			return false;
	}
}

/* A list may come in several fields. */
static bool listed(const struct weft_head *request, const char *name,
	const struct weft_http_validator *v, bool weakly)
{
	for (size_t i = 0; i < request->field_count; i++) {
		const struct weft_field *f = &request->fields[i];

		if (weft_http_same(f->name, f->name_len, name) &&
			weft_http_etag_listed(f->value, f->value_len, v->etag, weakly))
			return true;
	}
	return false;
}

/* Whether a date field is there and is one; what is no date does not count. */
static bool date_of(const struct weft_head *request, const char *name,
	const struct weft_http_validator *v, int64_t *date)
{
	const struct weft_field *f = weft_head_find(request, name);

	return f && weft_http_date_parse(f->value, f->value_len, v->now, date);
}

enum weft_http_verdict weft_http_preconditions(
	const struct weft_head *request, const struct weft_http_validator *v)
{
	int64_t date;

	if (weft_head_find(request, "if-match")) {
		if (!listed(request, "if-match", v, false))
			return WEFT_HTTP_PRECONDITION_FAILED;
	} else if (date_of(request, "if-unmodified-since", v, &date) && v->modified > date) {
		return WEFT_HTTP_PRECONDITION_FAILED;
	}
	if (weft_head_find(request, "if-none-match"))
		return listed(request, "if-none-match", v, true) ? WEFT_HTTP_NOT_MODIFIED
								 : WEFT_HTTP_GO_ON;
	if (date_of(request, "if-modified-since", v, &date) && v->modified <= date)
		return WEFT_HTTP_NOT_MODIFIED;
	return WEFT_HTTP_GO_ON;
}

bool weft_http_if_range(const struct weft_head *request, const struct weft_http_validator *v)
{
	const struct weft_field *f = weft_head_find(request, "if-range");
	struct etag mine, tag;
	int64_t date;

	if (!f)
		return true;
	if (read_etag(f->value, f->value_len, &tag) == f->value_len)
		return read_etag(v->etag, strlen(v->etag), &mine) && same(&mine, &tag, false);
	/* a date is a strong validator only once its second is over: section 8.8.2.2 */
	return weft_http_date_parse(f->value, f->value_len, v->now, &date) && date == v->modified &&
	       v->modified < v->now;
}
