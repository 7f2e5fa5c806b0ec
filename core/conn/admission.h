/* SPDX-License-Identifier: MIT */
/*
 * Who may come in: limits on accepted connections, all together and of one address, looked at before
 * anything is allocated for them. Costs nothing where no limit is set.
 */
#ifndef WEFT_CORE_CONN_ADMISSION_H
#define WEFT_CORE_CONN_ADMISSION_H

#include "weft/address.h"

struct weft_context;

/* Where connections come from: an IPv4 address, an IPv6 /64, or nowhere (Unix sockets). */
struct weft_origin {
	struct weft_origin *next; /* in its bucket */
	uint64_t prefix;
	bool v6;
	unsigned conns;
};

struct weft_admission {
	unsigned max, per_address; /* 0: no limit */
	unsigned now;              /* admitted and not gone; only counted where there is a limit */
	struct weft_origin nowhere;
	struct weft_origin **buckets; /* NULL while there is no origin */
	size_t bucket_count, origins;
	uint64_t seed;    /* so that nobody can choose addresses that share a bucket */
	uint64_t told_us; /* when a refusal was logged last */
	unsigned untold;  /* refusals since then */
};

/* False: refused, counted and logged. Else *origin (which may be NULL) is to be given back. */
bool weft_admission_enter(
	struct weft_context *ctx, const struct weft_address *peer, struct weft_origin **origin);
void weft_admission_leave(struct weft_context *ctx, struct weft_origin *origin);
/* Counts a connection that was closed instead of served, and says so at most once a second. */
void weft_admission_refused(struct weft_context *ctx, const char *why);

#endif
