/* SPDX-License-Identifier: MIT */
/* Ranges of bytes. */
#include "roles/http/range.h"

#include <string.h>

#include "roles/http/chars.h"

enum { GAP = 80 }; /* about what the head of a part takes */

/* Digits; what no 64 bits hold stands for the largest number. False: there is none. */
static bool number(const char **p, const char *end, uint64_t *out)
{
	const char *begin = *p;
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		uint64_t digit = (uint64_t)(**p - '0');

		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	*out = n;
	return *p > begin;
}

/* One of "first-last", "first-", "-suffix". False: none of these. A len of 0: not satisfiable. */
static bool one_range(const struct weft_span *item, uint64_t size, struct weft_http_range *r)
{
	const char *p = (const char *)item->ptr, *end = p + item->len;
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first = number(&p, end, &first), has_last;

	if (p == end || *p++ != '-')
		return false;
	has_last = number(&p, end, &last);
	if (p != end || (!has_first && !has_last))
		return false;
	if (!has_first) {
		r->len = last < size ? last : size;
		r->first = size - r->len;
		return true;
	}
	if (!has_last)
		last = UINT64_MAX;
	if (last < first)
		return false;
	r->first = first;
	if (first >= size)
		r->len = 0;
	else
		r->len = last >= size ? size - first : last - first + 1;
	return true;
}

static bool near(const struct weft_http_range *a, const struct weft_http_range *b)
{
	uint64_t a_end = a->first + a->len, b_end = b->first + b->len;

	return a->first <= b_end + GAP && b->first <= a_end + GAP;
}

static void unite(struct weft_http_range *a, const struct weft_http_range *b)
{
	uint64_t a_end = a->first + a->len, b_end = b->first + b->len;

	if (b->first < a->first)
		a->first = b->first;
	a->len = (a_end > b_end ? a_end : b_end) - a->first;
}

/* Adds r, which may bring others together. */
static void add(struct weft_http_range *ranges, size_t *count, struct weft_http_range r)
{
	size_t place = *count, kept = 0;

	for (size_t i = 0; i < *count; i++) {
		if (!ranges[i].len || !near(&ranges[i], &r))
			continue;
		unite(&r, &ranges[i]);
		ranges[i].len = 0;
		if (i < place)
			place = i;
		i = (size_t)-1; /* it is larger now: look at all again */
	}
	if (place == *count)
		(*count)++;
	ranges[place] = r;
	for (size_t i = 0; i < *count; i++) {
		if (ranges[i].len)
			ranges[kept++] = ranges[i];
	}
	*count = kept;
}

enum weft_http_ranges weft_http_ranges(const char *text, size_t len, uint64_t size,
	struct weft_http_range ranges[WEFT_HTTP_RANGES_MAX], size_t *count)
{
	static const char unit[] = "bytes=";
	const size_t unit_len = sizeof(unit) - 1;
	struct weft_span rest, item;
	struct weft_http_range r;
	unsigned asked = 0;

	*count = 0;
	if (len < unit_len || !weft_http_same(text, unit_len, unit))
		return WEFT_HTTP_RANGES_IGNORED;
	rest = (struct weft_span){ (const unsigned char *)text + unit_len, len - unit_len };
	while (weft_http_list_next(&rest, &item)) {
		if (!one_range(&item, size, &r) || ++asked > WEFT_HTTP_RANGES_MAX) {
			*count = 0;
			return WEFT_HTTP_RANGES_IGNORED;
		}
		if (r.len)
			add(ranges, count, r);
	}
	if (!asked)
		return WEFT_HTTP_RANGES_IGNORED;
	return *count ? WEFT_HTTP_RANGES_SOME : WEFT_HTTP_RANGES_UNSATISFIABLE;
}
