/* SPDX-License-Identifier: MIT */
/* Counting connections by where they come from, in a small table that grows and goes with them. */
#include "core/conn/admission.h"

#include <string.h>

#include "core/system/context.h"

enum { BUCKETS_FIRST = 16, TELL_US = 1000000 };

/* An IPv4 address in IPv6's clothes is the IPv4 address. */
static bool key_of(const struct weft_address *a, uint64_t *prefix, bool *v6)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const unsigned char *ip = a->ip;
	size_t len = 4;

	*prefix = 0;
	*v6 = a->family == WEFT_FAMILY_IPV6 && memcmp(ip, mapped, sizeof(mapped)) != 0;
	if (a->family != WEFT_FAMILY_IPV4 && a->family != WEFT_FAMILY_IPV6)
		return false;
	if (*v6)
		len = 8; /* what one customer usually has for himself */
	else if (a->family == WEFT_FAMILY_IPV6)
		ip += sizeof(mapped);
	for (size_t i = 0; i < len; i++)
		*prefix = *prefix << 8 | ip[i];
	return true;
}

/* Every bit of the result hangs on every bit of the seed and the prefix. */
static size_t bucket_of(const struct weft_admission *a, uint64_t prefix, size_t bucket_count)
{
	uint64_t h = prefix ^ a->seed;

	for (int i = 0; i < 2; i++) {
		h ^= h >> 32;
		h *= a->seed | 1;
	}
	return (size_t)(h >> 32) & (bucket_count - 1);
}

static void resize(struct weft_context *ctx, size_t bucket_count)
{
	struct weft_admission *a = &ctx->admission;
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct weft_origin **grown = NULL, *o;

	if (bucket_count) {
		grown = weft_zalloc(alloc, bucket_count * sizeof(struct weft_origin *));
		if (!grown)
			return; /* the old one does, only slower */
	}
	for (size_t i = 0; i < a->bucket_count; i++) {
		while ((o = a->buckets[i])) {
			size_t to = bucket_of(a, o->prefix, bucket_count);

			a->buckets[i] = o->next;
			o->next = grown[to];
			grown[to] = o;
		}
	}
	weft_free(alloc, a->buckets, a->bucket_count * sizeof(struct weft_origin *));
	a->buckets = grown;
	a->bucket_count = bucket_count;
}

/* The origin's place in its chain; a NULL there: it is not known. */
static struct weft_origin **find(struct weft_admission *a, uint64_t prefix, bool v6)
{
	struct weft_origin **at = &a->buckets[bucket_of(a, prefix, a->bucket_count)];

	while (*at && ((*at)->prefix != prefix || (*at)->v6 != v6))
		at = &(*at)->next;
	return at;
}

/* NULL: no memory. */
static struct weft_origin *origin_of(struct weft_context *ctx, uint64_t prefix, bool v6)
{
	struct weft_admission *a = &ctx->admission;
	struct weft_origin **at, *o;

	if (!a->buckets &&
		ctx->loop.net->random(ctx->loop.net_state, &a->seed, sizeof(a->seed), NULL))
		a->seed = weft_loop_now(&ctx->loop) * 0x9e3779b97f4a7c15u;
	if (a->origins >= a->bucket_count)
		resize(ctx, a->bucket_count ? a->bucket_count * 2 : (size_t)BUCKETS_FIRST);
	if (!a->buckets)
		return NULL;
	at = find(a, prefix, v6);
	if (*at)
		return *at;
	o = weft_zalloc(&ctx->memory.alloc, sizeof(*o));
	if (!o)
		return NULL;
	o->prefix = prefix;
	o->v6 = v6;
	*at = o;
	a->origins++;
	return o;
}

static void forget(struct weft_context *ctx, struct weft_origin *origin)
{
	struct weft_admission *a = &ctx->admission;

	if (origin == &a->nowhere)
		return;
	*find(a, origin->prefix, origin->v6) = origin->next;
	weft_free(&ctx->memory.alloc, origin, sizeof(*origin));
	if (!--a->origins)
		resize(ctx, 0);
}

void weft_admission_refused(struct weft_context *ctx, const char *why)
{
	struct weft_admission *a = &ctx->admission;
	uint64_t now = weft_loop_now(&ctx->loop);

	ctx->counters.conns_refused++;
	a->untold++;
	if (a->told_us && now - a->told_us < TELL_US)
		return;
	weft_log(ctx, WEFT_LOG_WARN, "%u connection%s refused: %s", a->untold,
		a->untold == 1 ? "" : "s", why);
	a->told_us = now;
	a->untold = 0;
}

bool weft_admission_enter(
	struct weft_context *ctx, const struct weft_address *peer, struct weft_origin **origin)
{
	struct weft_admission *a = &ctx->admission;
	struct weft_origin *o = &a->nowhere;
	uint64_t prefix;
	bool v6;

	*origin = NULL;
	if (weft_memory_low(&ctx->memory)) {
		weft_admission_refused(ctx, "less than an eighth of heap_max is left");
		return false;
	}
	if (!a->max && !a->per_address)
		return true;
	if (a->max && a->now >= a->max) {
		weft_admission_refused(ctx, "as many as conns_max are there");
		return false;
	}
	if (a->per_address && key_of(peer, &prefix, &v6)) {
		o = origin_of(ctx, prefix, v6);
		if (!o || o->conns >= a->per_address) {
			weft_admission_refused(
				ctx, o ? "as many as conns_per_address are there from one address"
				       : "no memory");
			return false;
		}
	}
	o->conns++;
	a->now++;
	*origin = o;
	return true;
}

void weft_admission_leave(struct weft_context *ctx, struct weft_origin *origin)
{
	if (!origin)
		return;
	ctx->admission.now--;
	if (!--origin->conns)
		forget(ctx, origin);
}
