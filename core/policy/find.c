/* SPDX-License-Identifier: MIT */
/* Looking into a policy's tables. */
#include "core/policy/find.h"

#include <ctype.h>
#include <string.h>

#include "weft/plugin/policy.h"

/* What a policy means that says nothing about trust. */
static const struct weft_policy_trust system_store = {
	.name = "system",
	.system = true,
	.verify_dates = WEFT_DATES_ALWAYS,
	.hold = WEFT_HOLD_CONNECTION,
};

const struct weft_policy_trust *weft_policy_trust_of(const struct weft_policy_stream *stream)
{
	return stream->trust ? stream->trust : &system_store;
}

const struct weft_policy_stream *weft_policy_find(
	const struct weft_policy *policy, const char *name)
{
	size_t low = 0, high = policy->stream_count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, policy->streams[middle].name);
		if (!order)
			return &policy->streams[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- names that were meant ---- */

enum { NAME_MAX_LEN = 64 };

/* Letters to insert, drop or replace, whatever their case; names that are longer than any are cut. */
static unsigned distance(const char *a, const char *b)
{
	size_t a_len = strnlen(a, NAME_MAX_LEN), b_len = strnlen(b, NAME_MAX_LEN);
	unsigned row[NAME_MAX_LEN + 1], before, above, best;

	for (size_t k = 0; k <= b_len; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		before = row[0]++;
		for (size_t k = 1; k <= b_len; k++) {
			above = row[k];
			best = before + (tolower((unsigned char)a[i - 1]) !=
						tolower((unsigned char)b[k - 1]));
			if (above + 1 < best)
				best = above + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
			before = above;
		}
	}
	return row[b_len];
}

void weft_nearest_try(struct weft_nearest *n, const char *candidate)
{
	unsigned far = distance(n->name, candidate);
	unsigned most = (unsigned)(strnlen(n->name, NAME_MAX_LEN) + 2) / 3;

	if (far > most || (n->best && far >= n->far))
		return;
	n->best = candidate;
	n->far = far;
}

const char *weft_policy_nearest(const struct weft_policy *policy, const char *name)
{
	struct weft_nearest n = { .name = name };

	for (size_t i = 0; i < policy->stream_count; i++)
		weft_nearest_try(&n, policy->streams[i].name);
	return n.best;
}

/* ---- content ---- */

static bool spans_equal(
	const struct weft_span *a, size_t a_count, const struct weft_span *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++) {
		if (a[i].len != b[i].len)
			return false;
	}
	for (size_t i = 0; i < a_count; i++) {
		if (a[i].ptr != b[i].ptr && memcmp(a[i].ptr, b[i].ptr, a[i].len))
			return false;
	}
	return true;
}

/* How long it is held makes it no other store. */
bool weft_policy_trust_equal(const struct weft_policy_trust *a, const struct weft_policy_trust *b)
{
	a = a ? a : &system_store;
	b = b ? b : &system_store;
	if (a == b)
		return true;
	return a->system == b->system && a->verify_dates == b->verify_dates &&
	       a->pin_count == b->pin_count &&
	       (!a->pin_count || !memcmp(a->pins, b->pins, a->pin_count * sizeof(a->pins[0]))) &&
	       spans_equal(a->ca, a->ca_count, b->ca, b->ca_count) &&
	       spans_equal(a->crl, a->crl_count, b->crl, b->crl_count);
}
